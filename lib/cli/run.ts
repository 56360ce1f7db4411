/**
 * One run of a script: parse the arguments, read the settings, connect, work, and return an exit code.
 *
 * @module
 */
import type { Access } from "../auth/session.ts";
import type { Connection } from "../connect.ts";
import { type Location, parseLocation } from "../drive/location.ts";
import { EXIT_CODES, type FailureKind, GraphError, usageError } from "../errors.ts";
import { toGraphError } from "../local/local_error.ts";
import { readSettings, type SettingName, type Settings } from "../settings.ts";
import { concernsAll } from "../transfer/jobs.ts";
import { type HttpOptions, VERSION } from "../http/client.ts";
import {
  isGiven,
  type OptionDefinitions,
  type OptionValues,
  parseArgs,
  type ParsedArgs,
  type Syntax,
} from "./args.ts";
import { completionScript } from "./completions.ts";
import { type CommandHelp, fullHelpText, helpText } from "./help.ts";
import { grantHint, missingPermission, type ScriptName } from "./grants.ts";
import { programName, userArgs } from "./program.ts";
import { denoHost, type Host, writeText } from "./host.ts";
import { Output } from "./output.ts";

export interface Command<Definitions extends OptionDefinitions = OptionDefinitions>
  extends CommandHelp, Syntax<Definitions> {
  name: ScriptName;
  options: Definitions;
  /** Fields of its JSON results, in all its forms. */
  fields: readonly string[];
  /** Whether it only lists: it ends when its output is closed. */
  lists?: boolean;
  run(run: Run<Definitions>): Promise<void>;
}

export class Run<Definitions extends OptionDefinitions = OptionDefinitions> {
  readonly args: readonly string[];
  /** Values of the script's own options. */
  readonly options: OptionValues<Definitions>;
  readonly settingOptions: Partial<Record<SettingName, string>>;
  readonly output: Output;
  readonly host: Host;
  /** Aborted by Ctrl+C. */
  readonly signal: AbortSignal;
  /** Exit code of the first failure; 0 without one. */
  exitCode = 0;
  readonly #common: ParsedArgs<Definitions>["common"];
  #reading: Promise<Settings> | undefined;
  #settings: Settings | undefined;

  constructor(
    command: { name: ScriptName },
    words: readonly string[],
    parsed: ParsedArgs<Definitions>,
    output: Output,
    host: Host,
    signal: AbortSignal,
  ) {
    this.args = parsed.args;
    this.options = parsed.options;
    this.settingOptions = parsed.settings;
    this.#common = parsed.common;
    this.output = output;
    this.host = host;
    this.signal = signal;
    output.grantHint = (error) => {
      const missing = missingPermission(error);
      const run = { script: command.name, args: words, settings: this.#settings, env: host.env };
      return missing && grantHint(missing, run);
    };
  }

  /**
   * Parses locations.
   *
   * @throws {GraphError} `usage`, before anything is sent.
   */
  async locations(texts: readonly string[]): Promise<Location[]> {
    const { siteHost } = await this.#readSettings();
    return texts.map((text) => parseLocation(text, siteHost));
  }

  async connect(access: Access): Promise<Connection> {
    const { output, host, signal } = this;
    const { prompt, "no-prompt": noPrompt, explain } = this.#common;
    const mayPrompt = !noPrompt && (prompt || host.stderr.isTerminal());
    const { openConnection } = await import("../connect.ts"); // --help does without
    return openConnection(await this.#readSettings(), {
      access,
      signal,
      notice: output.notice,
      ...(explain ? { explain: output.explain } : {}),
      http: this.httpOptions(),
      ...(mayPrompt ? { ...output.signInPrompts, showAccount: output.notice } : {}),
    });
  }

  httpOptions(): Omit<HttpOptions, "signal"> {
    const { verbose, "max-wait": maxWaitSeconds } = this.#common;
    return {
      ...this.host.http,
      onWait: this.output.wait,
      ...(maxWaitSeconds === undefined ? {} : { maxWaitMs: maxWaitSeconds * 1000 }),
      ...(verbose ? { trace: this.output.trace } : {}),
    };
  }

  /** Processes one of several inputs; a failure is printed, and the run continues with the others. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const failure = toGraphError(error);
      if (concernsAll(failure) || error instanceof Deno.errors.BrokenPipe) throw error;
      this.output.error(failure);
      this.fail(failure.kind);
    }
  }

  /** Ends the run with the exit code of this failure, unless an earlier one decides. */
  fail(kind: FailureKind): void {
    this.exitCode ||= EXIT_CODES[kind];
  }

  async #readSettings(): Promise<Settings> {
    this.#reading ??= readSettings(this.settingOptions, this.host.env);
    return this.#settings = await this.#reading;
  }
}

/**
 * Runs a script and returns its exit code.
 *
 * @param args Usually `Deno.args`.
 */
export async function runCommand<Definitions extends OptionDefinitions>(
  command: Command<Definitions>,
  args: readonly string[],
  host: Host = denoHost,
): Promise<number> {
  const words = userArgs(args);
  // Known before parsing, so that errors of parsing are printed in the requested form.
  const output = new Output(command.name, {
    json: isGiven(words, "json"),
    quiet: isGiven(words, "quiet"),
    verbose: isGiven(words, "verbose"),
    failWhenClosed: command.lists ?? false,
  }, host);
  using interrupt = abortOnInterrupt(host);
  let run: Run<Definitions> | undefined;
  try {
    const parsed = parseArgs(command, words);
    const information = informationText(command, parsed.common);
    if (information !== undefined) {
      writeText(host.stdout, `${information}\n`);
      return 0;
    }
    if (parsed.common.fields !== undefined) {
      output.options.fields = parseFields(parsed.common.fields, command.fields);
      output.options.json = true;
    }
    run = new Run(command, words, parsed, output, host, interrupt.signal);
    await command.run(run);
    return run.exitCode;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return run?.exitCode ?? 0; // the reader has what it wanted
    const failure = toGraphError(error);
    output.error(failure);
    return failure.exitCode;
  }
}

/** @throws {GraphError} `usage` for an unknown field, before anything is sent. */
function parseFields(list: string, known: readonly string[]): string[] {
  const fields = list.split(",").map((field) => field.trim());
  const unknown = fields.find((field) => !known.includes(field));
  if (unknown === undefined) return fields;
  throw usageError(`--fields ${list}: ${JSON.stringify(unknown)} is not one of ${known.join(", ")}`);
}

function informationText(
  command: CommandHelp,
  { help, completions, version }: ParsedArgs<OptionDefinitions>["common"],
): string | undefined {
  if (help !== undefined) return help === "all" ? fullHelpText(command) : helpText(command);
  if (completions !== undefined) return completionScript(command, completions);
  return version ? `${programName(command.name)} ${VERSION}` : undefined;
}

/** The first Ctrl+C aborts the signal; the second ends the process at once. */
export function abortOnInterrupt(host: Host): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const release = host.onInterrupt(() => {
    if (controller.signal.aborted) host.exit(EXIT_CODES.interrupted);
    controller.abort(new GraphError("interrupted", "interrupted", { code: "interrupted" }));
  });
  return { signal: controller.signal, [Symbol.dispose]: release };
}
