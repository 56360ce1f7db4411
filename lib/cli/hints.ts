/**
 * What to type next. Errors of the library say what is wrong; flags and command names are added here.
 *
 * @module
 */
import type { GraphError } from "../errors.ts";

/** How a program is called in usage and errors: `ls`, or `graph-ls` for a compiled program. */
export function programName(script: string): string {
  return Deno.build.standalone ? `graph-${script}` : script;
}

/** What can be pasted into a terminal: `scripts/ls.ts`, or `graph-ls` for a compiled program. */
export function commandName(script: string): string {
  return Deno.build.standalone ? `graph-${script}` : `scripts/${script}.ts`;
}

/** By error code. Applies where the library gives no hint of its own. */
const HINTS: Readonly<Record<string, string | ((error: GraphError) => string)>> = {
  ambiguousAccount: "choose one with --account or GRAPH_ACCOUNT",
  interrupted: "run the same command again",
  localFolder: `upload folders with: ${commandName("put")} -r`,
  remoteFolder: "use -r to include folders",
  standardInput: `upload standard input with: ${commandName("put")}`,
};

/**
 * The error with the hint for its code, where it has none. Errors of usage lead to the help.
 *
 * @param script Name of the script that runs.
 */
export function withHint(error: GraphError, script: string): GraphError {
  if (error.hint !== undefined) return error;
  const known = Object.hasOwn(HINTS, error.code) ? HINTS[error.code] : undefined;
  const fallback = error.kind === "usage" ? `see ${commandName(script)} --help` : undefined;
  const hint = typeof known === "function" ? known(error) : known ?? fallback;
  return hint === undefined ? error : error.withMessage(error.message, { hint });
}
