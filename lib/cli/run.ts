/**
 * From one command definition: parsing, help, settings, output, exit code.
 *
 * @module
 */
import { parseArgs } from "../std.ts";
import type { Access } from "../auth/scopes.ts";
import { connect, type Connection } from "../connect.ts";
import { EXIT_CODES, type FailureKind, GraphError, usageError } from "../errors.ts";
import type { HttpOptions } from "../http/client.ts";
import { toGraphError } from "../local/local_error.ts";
import { leavesOwnDrive, type Location, parseLocation } from "../drive/location.ts";
import { denoHost, type Host, writeText } from "./host.ts";
import { Output } from "./output.ts";
import { parseDuration } from "../format.ts";
import { readSettings, type SettingDefinition, type SettingName, SETTINGS } from "../settings.ts";
import { VERSION } from "../version.ts";
import { checkWords, optionWords } from "./words.ts";

/** An option of one script. */
export interface Option {
  /** Without dashes. */
  name: string;
  /** One letter. */
  short?: string;
  /** Placeholder of its value; without it the option is a switch. In brackets, the value may be missing. */
  value?: string;
  help: string;
}

/** A script. */
export interface Command {
  name: string;
  /** What it does, as a sentence. */
  summary: string;
  /** Argument forms, without the name. */
  forms: readonly string[];
  /** How many arguments it takes. */
  arguments: { min: number; max: number; names: string };
  options: readonly Option[];
  /** Whether LOCATION occurs in its forms. */
  locations: boolean;
  /** Whether it only lists, so that it may end when nobody reads any more. */
  lists?: boolean;
  run(run: Run): Promise<void>;
}

const COMMON: readonly Option[] = [
  { name: "json", help: "one JSON object a line" },
  {
    name: "max-wait",
    value: "TIME",
    help: "longest wait for the service without progress, as 30s, 5m, 1h (default 5m)",
  },
  { name: "quiet", help: "no progress, no notices" },
  { name: "verbose", help: "each request on standard error" },
  { name: "no-prompt", help: "never ask for a sign-in" },
  { name: "prompt", help: "ask even without a terminal" },
  { name: "help", help: "this text" },
  { name: "version", help: "the version" },
];

const FLAG_SETTINGS = Object.entries(SETTINGS as Record<string, SettingDefinition>).filter(([, { flag }]) =>
  flag !== undefined
);

/** One run of a script. */
export class Run {
  readonly args: readonly string[];
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly #values: Record<string, unknown>;
  #firstFailure: Pick<GraphError, "exitCode"> | undefined;
  #last: (() => void) | undefined;

  readonly host: Host;

  constructor(
    args: readonly string[],
    values: Record<string, unknown>,
    output: Output,
    signal: AbortSignal,
    host: Host,
  ) {
    this.args = args;
    this.output = output;
    this.host = host;
    this.signal = signal;
    this.#values = values;
  }

  /** Whether a switch was given. */
  has(name: string): boolean {
    return this.#values[name] === true;
  }

  /** Value of an option; `undefined` when it was not given. */
  value(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  /** A whole number within bounds. */
  number(name: string, min: number, max: number): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    throw usageError(`--${name} ${value}: not a whole number from ${min} to ${max}`, "see --help");
  }

  /** A time, in seconds. */
  duration(name: string): number | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : parseDuration(value, `--${name} `);
  }

  /** One of several words. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.value(name);
    if (value === undefined || (choices as readonly string[]).includes(value)) return value as T | undefined;
    throw usageError(`--${name} ${value}: not one of ${choices.join(", ")}`, "see --help");
  }

  /** Parses locations, before anything is sent. */
  async locations(texts: readonly string[]): Promise<Location[]> {
    const { siteHost } = await readSettings(this.settings(), this.host.env);
    return texts.map((text) => parseLocation(text, siteHost));
  }

  /**
   * Connects with the settings of this run.
   *
   * @param locations What it will work with: all permissions are asked for at once.
   */
  async connect(access: Access, locations: readonly Location[] = []): Promise<Connection> {
    const { output, host } = this;
    const mayPrompt = !this.has("no-prompt") && (this.has("prompt") || host.stderr.isTerminal());
    const connection = await connect({
      access,
      settings: this.settings(),
      env: host.env,
      showDeviceCode: mayPrompt ? output.deviceCode : null,
      showAddress: output.signInAddress,
      notice: output.notice,
      signal: this.signal,
      http: this.httpOptions(),
    });
    const { session, settings } = connection;
    if (locations.some((location) => leavesOwnDrive(location, settings))) session.includeAllDrives();
    return connection;
  }

  /** How this run sends its requests. */
  httpOptions(): Omit<HttpOptions, "signal"> {
    const maxWait = this.duration("max-wait");
    return {
      ...this.host.http,
      onWait: this.output.wait,
      ...(maxWait === undefined ? {} : { maxWaitMs: maxWait * 1000 }),
      ...(this.has("verbose") ? { trace: this.output.trace } : {}),
    };
  }

  /** Tries one of several inputs: a failure is reported, and the others are tried all the same. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const failure = toGraphError(error);
      // Without a sign-in, or any answer, none of the others can do better.
      const endsAll = failure.kind === "interrupted" || failure.kind === "signInNeeded" ||
        failure.code === "stalled";
      if (endsAll || error instanceof Deno.errors.BrokenPipe) throw error;
      this.output.error(failure);
      this.#firstFailure ??= failure;
    }
  }

  /** What is said last, after the error that ends the run. */
  atEnd(say: () => void): void {
    this.#last = say;
  }

  /** Says what was left for the end. */
  end(): void {
    this.#last?.();
  }

  /** Ends the run as a failure of this kind; its results have told what failed. */
  endAs(kind: FailureKind): void {
    this.#firstFailure ??= { exitCode: EXIT_CODES[kind] };
  }

  /** Exit code of the first failure, 0 without one. */
  get exitCode(): number {
    return this.#firstFailure?.exitCode ?? 0;
  }

  /** Settings given on the command line. */
  settings(): Partial<Record<SettingName, string>> {
    const flags: Partial<Record<SettingName, string>> = {};
    for (const [name, { flag }] of FLAG_SETTINGS) {
      const value = this.value(flag!);
      if (value !== undefined) flags[name as SettingName] = value;
    }
    return flags;
  }
}

/**
 * Runs a script and returns its exit code.
 *
 * @param args Usually `Deno.args`.
 */
export async function runCommand(
  command: Command,
  args: readonly string[],
  host: Host = denoHost,
): Promise<number> {
  // Known before parsing, so that a parse error is printed in the form that was asked for.
  const words = optionWords(args);
  const output = new Output(command.name, {
    json: words.includes("--json"),
    quiet: words.includes("--quiet"),
    verbose: words.includes("--verbose"),
    readerEnds: command.lists ?? false,
  }, host);
  let run: Run | undefined;
  const { signal, release } = onInterrupt(host);
  try {
    const values = parse(command, args);
    if (values.help === true) return print(host, helpText(command));
    if (values.version === true) return print(host, `${command.name} ${VERSION}`);
    const { min, max, names } = command.arguments;
    if (values._.length < min) throw usageError(`missing argument: ${names}`, `see ${command.name} --help`);
    if (values._.length > max) {
      throw usageError(`too many arguments: ${values._.slice(max).join(" ")}`, `see ${command.name} --help`);
    }
    run = new Run(values._, values, output, signal, host);
    await command.run(run);
    run.end();
    return run.exitCode;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return run?.exitCode ?? 0; // the reader has what it wanted
    const failure = toGraphError(error);
    output.error(failure);
    run?.end();
    return failure.exitCode;
  } finally {
    release();
  }
}

/** Ctrl-C once ends the work in good order, twice at once. */
function onInterrupt(host: Host): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const handler = () => {
    if (controller.signal.aborted) host.exit(EXIT_CODES.interrupted);
    controller.abort(
      new GraphError("interrupted", "interrupted", {
        code: "interrupted",
        hint: "run the same command again",
      }),
    );
  };
  return { signal: controller.signal, release: host.onInterrupt(handler) };
}

function parse(command: Command, args: readonly string[]): { _: string[]; [name: string]: unknown } {
  const options = [...command.options, ...COMMON];
  const strings = [
    ...options.filter(({ value }) => value !== undefined).map(({ name }) => name),
    ...FLAG_SETTINGS.map(([, { flag }]) => flag!),
  ];
  const booleans = options.filter(({ value }) => value === undefined).map(({ name }) => name);
  const letters = new Map(options.flatMap(({ name, short }) => short === undefined ? [] : [[short, name]]));
  const see = `see ${command.name} --help`;
  const values: { _: unknown[]; [name: string]: unknown } = parseArgs(
    checkWords(args, { strings, switches: booleans, letters }, see),
    { string: [...strings, "_"], boolean: booleans },
  );
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value) && name !== "_") values[name] = value.at(-1); // given twice: the last one counts
    const optional = options.some((option) => option.name === name && option.value?.startsWith("["));
    if (strings.includes(name) && values[name] === "" && !optional) {
      throw usageError(`--${name} needs a value`, see);
    }
  }
  return values as { _: string[] };
}

function helpText(command: Command): string {
  const { name, summary, forms, options, locations } = command;
  const lines = [
    summary,
    "",
    ...forms.map((form, index) => `${index ? "      " : "Usage:"} ${name} ${form}`.trimEnd()),
    "",
  ];
  const left = ({ name, short, value }: Option) =>
    `  ${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
  const width = Math.max(0, ...options.map((option) => left(option).length)) + 2;
  lines.push(...options.map((option) => left(option).padEnd(width) + option.help));
  if (options.length > 0) lines.push("");
  if (locations) {
    lines.push(
      "LOCATION: PATH in the default drive (--site, --drive, else your own OneDrive),",
      "  me:PATH, site:HOST/sites/NAME/PATH, drive:NAME/PATH, id:ITEM-ID or id:DRIVE-ID/ITEM-ID",
      "",
    );
  }
  lines.push("Settings, also in the environment or in graph-scripts.json:");
  for (const [name, { flag, value, variable, help }] of FLAG_SETTINGS) {
    if (!locations && (name === "site" || name === "drive")) continue;
    lines.push(`  ${`--${flag} ${value}`.padEnd(18)}${variable.padEnd(18)}${help}`);
  }
  lines.push(
    "",
    ...wrapped(
      `Common: ${
        COMMON.map(({ name, value, help }) =>
          `--${name}${value ? `${NB}${value}` : ""}${NB}(${help.replaceAll(" ", NB)})`
        ).join(" ")
      }`,
    ),
  );
  lines.push(
    ...wrapped(
      `Exit codes: 0 done, ${
        Object.entries(EXIT_CODES).map(([kind, code]) => `${code}${NB}${words(kind).replaceAll(" ", NB)}`)
          .join(", ")
      }`,
    ),
  );
  return lines.join("\n");
}

/** Keeps together what must not be broken between lines. */
const NB = "\u00a0";

function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function wrapped(text: string): string[] {
  const lines = text.match(/.{1,96}( |$)/g) ?? [];
  return lines.map((line, index) => (index ? "  " : "") + line.trimEnd().replaceAll(NB, " "));
}

function print(host: Host, text: string): number {
  writeText(host.stdout, `${text}\n`);
  return 0;
}
