/**
 * What tests and the demo share: scripts as real processes with their own least permissions, in a folder of their own,
 * against a sandbox of their own.
 *
 * @module
 */
import { fromFileUrl, join } from "../lib/std.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "./sandbox/mod.ts";

/** The folder of the repository. */
export const ROOT = fromFileUrl(new URL("../", import.meta.url));
/** The configuration of the repository. */
export const CONFIG = join(ROOT, "deno.json");

/** The scripts, by the names that people type. */
export type ScriptName = "whoami" | "ls" | "get" | "put" | "put-large";

/** How a process ended. */
export interface ProcessResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** How to run a script. */
export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  stdin?: Uint8Array;
}

/** `deno run` with the repository's configuration and lock, and the packages that the tasks have cached. */
export function denoRun(...args: string[]): string[] {
  return [Deno.execPath(), "run", "-q", "--cached-only", "--config", CONFIG, ...args];
}

/** Command line of a script with its own permission set and nothing more. */
export function commandLine(script: ScriptName, args: readonly string[]): string[] {
  return denoRun(`-P=${script}`, join(ROOT, "scripts", `${script}.ts`), ...args);
}

/** Environment of a process: nothing of the machine's but what Deno itself needs. */
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
  // Deno finds its cache from HOME, which is not to be the person's here.
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

/** Runs a command to its end. */
export async function runProcess([program, ...args]: string[], options: RunOptions): Promise<ProcessResult> {
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

/** A sandbox, a folder, and scripts that run in the one against the other. */
export interface TestEnv extends AsyncDisposable {
  sandbox: Sandbox;
  /** A folder of this test's own. */
  folder: string;
  run(script: ScriptName, ...args: string[]): Promise<ProcessResult>;
  runWith(options: RunOptions, script: ScriptName, ...args: string[]): Promise<ProcessResult>;
  /** Starts a script without waiting for its end. */
  spawn(script: ScriptName, ...args: string[]): Deno.ChildProcess;
  spawnWith(env: Record<string, string>, script: ScriptName, ...args: string[]): Deno.ChildProcess;
  /** Writes a local file and returns its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
}

/**
 * Starts a sandbox whose person approves at once, and signs in unless told otherwise. Known faults come into force after
 * that sign-in, so that it is not what they strike.
 */
export async function startTestEnv(options: SandboxOptions & { signIn?: boolean } = {}): Promise<TestEnv> {
  const { signIn = true, fault = [], ...sandboxOptions } = options;
  const sandbox = await startSandbox({
    approve: true,
    pollIntervalSeconds: 0,
    ...sandboxOptions,
    fault: signIn ? [] : fault,
  });
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  const started: TestEnv = {
    sandbox,
    folder,
    run: (script, ...args) => started.runWith({}, script, ...args),
    runWith: ({ env, ...rest }, script, ...args) =>
      runProcess(commandLine(script, args), { cwd: folder, env: { ...sandbox.env, ...env }, ...rest }),
    spawn: (script, ...args) => started.spawnWith({}, script, ...args),
    spawnWith: (env, script, ...args) => {
      const [program, ...line] = commandLine(script, args);
      return new Deno.Command(program!, {
        args: line,
        cwd: folder,
        clearEnv: true,
        env: environment({ ...sandbox.env, ...env }),
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
    const { code, stderr } = await started.run("whoami", "--prompt");
    if (code !== 0) throw new Error(`sign-in failed: ${stderr}`);
    sandbox.addFault(...fault);
  }
  return started;
}

/** The lines of a `--json` output. */
export function jsonLines<T = Record<string, unknown>>(text: string): T[] {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** Bytes that no compression or period makes special, the same for the same seed. */
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
