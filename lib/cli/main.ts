/**
 * Snippets that fail as the scripts do.
 *
 * @module
 */
import { connect, type Connection, type ConnectOptions } from "../connect.ts";
import { basename } from "../std.ts";
import { toGraphError } from "../local/local_error.ts";
import { denoHost, type Host } from "./host.ts";
import { Output } from "./output.ts";
import { abortOnInterrupt } from "./run.ts";

/** Hints of the scripts name their options, which a snippet does not have. */
const HINTS: Readonly<Record<string, string>> = {
  usage: "",
  conflict: 'choose what to do with the option "conflict", or another name',
};

/**
 * Connects and runs `main`. An error is one line on standard error, and ends the process with the exit code of the scripts.
 * Ctrl+C ends transfers so that the same call can continue them. Signs in where standard error is a terminal.
 */
export async function runMain(
  main: (connection: Connection) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  const code = await runSnippet(main, options);
  if (code !== 0) Deno.exit(code);
}

/** As {@linkcode runMain}; returns the exit code. An unexpected error, which is most likely the snippet's own, is thrown. */
export async function runSnippet(
  main: (connection: Connection) => Promise<void>,
  options: ConnectOptions,
  host: Host = denoHost,
): Promise<number> {
  const name = basename(new URL(Deno.mainModule).pathname).replace(/\.\w+$/, "");
  const output = new Output(name, { json: false, quiet: false, verbose: false, failWhenClosed: false }, host);
  using interrupt = abortOnInterrupt(host);
  try {
    const prompts = host.stderr.isTerminal() ? output.signInPrompts : {};
    const { notice } = output;
    const { env, http } = host;
    await main(await connect({ env, http, notice, ...prompts, signal: interrupt.signal, ...options }));
    return 0;
  } catch (error) {
    const failure = toGraphError(error);
    if (failure.code === "internal") throw error;
    const hint = failure.hint ?? HINTS[failure.kind];
    output.error(failure.withMessage(failure.message, { hint }));
    return failure.exitCode;
  }
}
