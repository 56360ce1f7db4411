/**
 * Shared by tests and the demo: runs scripts in a temporary folder against a separate sandbox, in the
 * test's process or as real processes with minimal permissions.
 *
 * @module
 */
import { COMMON_OPTIONS, SETTING_OPTIONS } from "../lib/cli/args.ts";
import { cloudHosts, grantFlags, type GrantOptions, grantsOf, type ScriptName } from "../lib/cli/grants.ts";
import type { Host, OutputStream } from "../lib/cli/host.ts";
import { type Command, runCommand } from "../lib/cli/run.ts";
import { CLOUDS } from "../lib/clouds.ts";
import { fileURLToPath } from "node:url";
import { dirname, join } from "../lib/std.ts";
import { get } from "../scripts/get.ts";
import { ls } from "../scripts/ls.ts";
import { putLarge } from "../scripts/put-large.ts";
import { put } from "../scripts/put.ts";
import { whoami } from "../scripts/whoami.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "./sandbox/mod.ts";

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** The configuration of the repository. */
export const CONFIG = join(ROOT, "deno.json");

/** The scripts, by the names that users type. */
export const SCRIPTS = { whoami, ls, get, put, "put-large": putLarge };
export type { ScriptName };

/** Exit code and output of a process. */
export interface ProcessResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Options of a process. */
export interface ProcessOptions {
  env?: Record<string, string>;
  cwd?: string;
  stdin?: Uint8Array;
}

/** `deno run` with the repository's configuration and lock, and the packages that the tasks have cached. */
export function denoRun(...args: string[]): string[] {
  return [Deno.execPath(), "run", "-q", "--cached-only", "--config", CONFIG, ...args];
}

/**
 * Command line of a script with the permissions that an installation with these settings would have.
 *
 * @param destinations Folders that `get` writes to.
 */
export function commandLine(
  script: ScriptName,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  destinations?: readonly string[],
): string[] {
  const flags = grantFlags(
    grantsOf(script, { ...grantOptions(env), ...(destinations ? { destinations } : {}) }),
  );
  return denoRun(...flags, join(ROOT, "scripts", `${script}.ts`), ...args);
}

/** How the first lines of scripts begin. */
export const FIRST_WORDS = "deno run -q --no-prompt --cached-only --frozen";

/** The permissions in the first line of a script, for a POSIX shell. */
export function firstLineFlags(script: ScriptName): string {
  const [line = ""] = Deno.readTextFileSync(join(ROOT, "scripts", `${script}.ts`)).split("\n");
  return line.replace(`#!/usr/bin/env -S ${FIRST_WORDS} `, "");
}

function grantOptions(env: Readonly<Record<string, string>>): GrantOptions {
  const { GRAPH_LOGIN_ORIGIN, GRAPH_API_ORIGIN, GRAPH_STORAGE_HOSTS, GRAPH_SCRIPTS_HOME, HOME, ...others } =
    env;
  const cloud = CLOUDS.global;
  const hosts = cloudHosts({
    loginOrigin: GRAPH_LOGIN_ORIGIN ?? cloud.loginOrigin,
    apiOrigin: GRAPH_API_ORIGIN ?? cloud.apiOrigin,
    storageHosts: GRAPH_STORAGE_HOSTS?.split(",") ?? cloud.storageHosts,
  });
  const files = Object.entries(others).flatMap(([name, value]) =>
    /^GRAPH_.+_FILE$/.test(name) ? [value] : []
  );
  const home = GRAPH_SCRIPTS_HOME ?? HOME ?? "/nonexistent";
  const cache = others.GRAPH_TOKEN_CACHE;
  const folders = [home, ...(cache ? [dirname(cache)] : [])];
  return { ...hosts, readable: [...folders, ...files], writable: folders };
}

/** Environment of a process: of this machine only the variables that Deno needs. */
export function environment(env: Record<string, string>): Record<string, string> {
  const kept = [
    "PATH",
    "DENO_DIR",
    "JSR_URL",
    "TMPDIR",
    "SystemRoot",
    "DENO_CERT",
    "DENO_TLS_CA_STORE",
    "XDG_CACHE_HOME",
  ];
  const own = Object.fromEntries(
    kept.flatMap((name) => Deno.env.has(name) ? [[name, Deno.env.get(name)!]] : []),
  );
  const home = Deno.env.get("HOME") ?? "";
  // Deno derives its cache from HOME, which tests replace.
  const cache = own.DENO_DIR ??
    (Deno.build.os === "darwin"
      ? join(home, "Library", "Caches", "deno")
      : join(own.XDG_CACHE_HOME ?? join(home, ".cache"), "deno"));
  return {
    ...own,
    DENO_DIR: cache,
    DENO_NO_PROMPT: "1",
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    HOME: "/nonexistent",
    ...env,
  };
}

/** Runs a command and waits for it. */
export async function runProcess(
  [program, ...args]: string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const child = new Deno.Command(program!, {
    args,
    clearEnv: true,
    env: environment(options.env ?? {}),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.stdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (options.stdin) {
    const writer = child.stdin.getWriter();
    await writer.write(options.stdin);
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Options of a script in the test's process. */
export interface RunOptions {
  /** Variables in addition to those of the sandbox. */
  env?: Record<string, string>;
  /** @default nothing */
  stdin?: Uint8Array<ArrayBuffer>;
  /** Width of a terminal on standard output. @default no terminal */
  terminal?: number;
  /** Clock and sleep. @default those of {@linkcode startTestEnv} */
  http?: Host["http"];
}

/** A sandbox, a temporary folder, and functions that run scripts in the folder against the sandbox. */
export interface TestEnv extends AsyncDisposable {
  sandbox: Sandbox;
  /** A temporary folder. */
  folder: string;
  /**
   * Runs a script in the test's own process, as if the working folder were {@linkcode TestEnv.folder}: local names in
   * the arguments are made absolute, and shown as given. There is no terminal. `get LOCATION -` needs
   * {@linkcode TestEnv.runProcess}, as do tests of permissions, signals, proxies and listings of the working folder.
   */
  run(script: ScriptName, ...args: string[]): Promise<ProcessResult>;
  runWith(options: RunOptions, script: ScriptName, ...args: string[]): Promise<ProcessResult>;
  /** Runs a script as a separate process with its own permission set. */
  runProcess(script: ScriptName, ...args: string[]): Promise<ProcessResult>;
  runProcessWith(options: ProcessOptions, script: ScriptName, ...args: string[]): Promise<ProcessResult>;
  /** Starts a process without waiting for it. */
  spawn(script: ScriptName, ...args: string[]): Deno.ChildProcess;
  spawnWith(env: Record<string, string>, script: ScriptName, ...args: string[]): Deno.ChildProcess;
  /** Writes a local file and returns its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
}

/** Options of a {@linkcode TestEnv}. */
export interface TestEnvOptions extends SandboxOptions {
  /** Whether to sign in at the start. @default true */
  signIn?: boolean;
  /** Clock and sleep of in-process runs, such as {@linkcode fastClock}. @default real time */
  http?: Host["http"];
}

/**
 * Starts a sandbox whose user approves at once, and signs in by default. Known faults take effect after
 * that sign-in, so that they do not affect it.
 */
export async function startTestEnv(options: TestEnvOptions = {}): Promise<TestEnv> {
  const { signIn = true, http = {}, fault = [], ...sandboxOptions } = options;
  const sandbox = await startSandbox({
    approve: true,
    pollIntervalSeconds: 0,
    ...sandboxOptions,
    fault: signIn ? [] : fault,
  });
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  const env: TestEnv = {
    sandbox,
    folder,
    run: (script, ...args) => env.runWith({}, script, ...args),
    runWith: (options, script, ...args) =>
      runInProcess(script, args, folder, { http, ...options, env: { ...sandbox.env, ...options.env } }),
    runProcess: (script, ...args) => env.runProcessWith({}, script, ...args),
    runProcessWith: ({ env, ...rest }, script, ...args) => {
      const all = { ...sandbox.env, ...env };
      return runProcess(commandLine(script, args, all), { cwd: folder, env: all, ...rest });
    },
    spawn: (script, ...args) => env.spawnWith({}, script, ...args),
    spawnWith: (env, script, ...args) => {
      const all = { ...sandbox.env, ...env };
      const [program, ...line] = commandLine(script, args, all);
      return new Deno.Command(program!, {
        args: line,
        cwd: folder,
        clearEnv: true,
        env: environment(all),
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    },
    async file(name, content) {
      const path = join(folder, name);
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      return path;
    },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
  if (signIn) {
    const { code, stderr } = await env.run("whoami", "--prompt");
    if (code !== 0) throw new Error(`sign-in failed: ${stderr}`);
    sandbox.addFault(...fault);
  }
  return env;
}

async function runInProcess(
  script: ScriptName,
  args: readonly string[],
  folder: string,
  { env, stdin, terminal, http }: RunOptions,
): Promise<ProcessResult> {
  const variables = environment(env ?? {});
  const stdout = new CapturedStream(terminal !== undefined);
  const stderr = new CapturedStream();
  const command: Command = SCRIPTS[script];
  const names = localNames(command, args, folder);
  const code = await runCommand(command, names.absolute, {
    env: (name) => variables[name],
    stdin: new Blob(stdin ? [stdin] : []).stream(),
    stdout,
    stderr,
    columns: () => terminal ?? 80,
    onInterrupt: () => () => {},
    exit(code) {
      throw new Error(`exit ${code}`);
    },
    http: http ?? {},
  });
  return { code, stdout: names.asGiven(stdout.text), stderr: names.asGiven(stderr.text) };
}

/** A standard stream whose text is kept. */
class CapturedStream implements OutputStream {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  readonly #isTerminal: boolean;

  constructor(isTerminal = false) {
    this.#isTerminal = isTerminal;
  }

  writeSync(bytes: Uint8Array): number {
    this.#chunks.push(new Uint8Array(bytes));
    return bytes.length;
  }

  isTerminal(): boolean {
    return this.#isTerminal;
  }

  get text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
  }
}

/**
 * Test files run in parallel threads of one process with one working folder. Arguments that name local
 * files are therefore made absolute (FILE of `put` and `put-large`, DEST of `get`, values of `--…-file`), and
 * the output shows them as given.
 */
function localNames(command: Command, args: readonly string[], folder: string) {
  const prefix = `${folder}/`;
  const isRelative = (name: string) => name !== "-" && !name.startsWith("/");
  const positions = positionsOf(command, args);
  const sources = args.includes("--from") ? 0 : 1; // at least
  const local = command.name === "get"
    ? positions.slice(sources).slice(-1)
    : positions.slice(0, command.name.startsWith("put") ? -1 : 0);
  local.push(...[...args.keys()].filter((index) => /^--.+-file$/.test(args[index - 1] ?? "")));
  const changed = local.filter((index) => isRelative(args[index]!));
  const absolute = args.map((arg, index) => changed.includes(index) ? prefix + arg : arg);
  const toFolder = command.name === "get" && positions.length === sources;
  if (toFolder) absolute.push(prefix);
  const asGiven = (text: string) => changed.length > 0 || toFolder ? text.replaceAll(prefix, "") : text;
  return { absolute, asGiven };
}

/** Indexes of the positional arguments. */
function positionsOf({ options }: Command, args: readonly string[]): number[] {
  const all = Object.entries({ ...options, ...COMMON_OPTIONS, ...SETTING_OPTIONS });
  const withValue = new Set(all.filter(([, { type }]) => type !== "switch").map(([name]) => `--${name}`));
  const end = args.indexOf("--");
  return [...args.keys()].filter((index) => {
    if (end >= 0 && index >= end) return index > end;
    return (args[index] === "-" || !args[index]!.startsWith("-")) && !withValue.has(args[index - 1] ?? "");
  });
}

/** A clock whose waits end immediately and advance it; `waits` lists their lengths in milliseconds. */
export function fastClock(): {
  now: () => number;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  waits: number[];
} {
  const waits: number[] = [];
  let waitedMs = 0;
  return {
    now: () => Date.now() + waitedMs,
    sleep(ms) {
      waits.push(ms);
      waitedMs += ms;
      return Promise.resolve();
    },
    waits,
  };
}

/** The first of three consecutive ports that are free. */
export function freePort(): number {
  const listeners: Deno.Listener[] = [];
  try {
    for (;;) {
      const first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      listeners.push(first);
      const { port } = first.addr as Deno.NetAddr;
      try {
        for (const next of [port + 1, port + 2]) {
          listeners.push(Deno.listen({ hostname: "127.0.0.1", port: next }));
        }
        return port;
      } catch {
        // another program has one of them; try others
      }
    }
  } finally {
    for (const listener of listeners) listener.close();
  }
}

/** The lines of a `--json` output. */
export function jsonLines<T = Record<string, unknown>>(text: string): T[] {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** Pseudo-random bytes, incompressible and without a period; reproducible by seed. */
export function pseudoRandomBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}
