/**
 * Compiles the scripts to binaries, `graph-whoami` … `graph-put-large`, each with only the permission set of its
 * script in `deno.json`.
 *
 *     deno task compile [--output FOLDER]
 *
 * `deno compile` downloads a base runtime, or uses the one in DENORT_BIN. Its version must be that of the
 * compiling Deno, which DENO selects if it is not the running one.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { join, resolve } from "../../lib/std.ts";
import { CONFIG, ROOT, type ScriptName } from "../test_env.ts";

const SCRIPTS: readonly ScriptName[] = ["whoami", "ls", "get", "put", "put-large"];
/** Each compilation holds a whole runtime in memory. */
const CONCURRENCY = 2;
const MIB = 1024 ** 2;

/** A compiled script. */
export interface Binary {
  script: ScriptName;
  path: string;
  bytes: number;
}

/** The path of a script's binary in a folder. */
export function binaryPath(folder: string, script: ScriptName): string {
  return join(folder, `graph-${script}${Deno.build.os === "windows" ? ".exe" : ""}`);
}

/**
 * Compiles one program.
 *
 * @param args Arguments of `deno compile`: options and the main module.
 * @throws {Error} With Deno's output, when it fails.
 */
export async function compile(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.env.get("DENO") ?? Deno.execPath(), {
    args: ["compile", "-q", "--cached-only", ...args],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}

async function compileScript(script: ScriptName, folder: string): Promise<Binary> {
  const path = binaryPath(folder, script);
  await compile(
    "--config",
    CONFIG,
    `-P=${script}`,
    // Otherwise the binary opens a file with a predictable name in the shared temporary folder.
    "--no-code-cache",
    "--output",
    path,
    join(ROOT, "scripts", `${script}.ts`),
  );
  return { script, path, bytes: (await Deno.stat(path)).size };
}

/** Compiles all scripts into a folder, which it creates if necessary; reports each binary when it is done. */
export async function compileAll(folder: string, onBinary: (binary: Binary) => void): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const waiting = [...SCRIPTS];
  const work = async () => {
    for (let script = waiting.shift(); script; script = waiting.shift()) {
      onBinary(await compileScript(script, folder));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

async function main(args: string[]): Promise<number> {
  const { output } = parseArgs({ args: [...args], options: { output: { type: "string" } } }).values;
  const folder = output === undefined ? join(ROOT, "dist") : resolve(output);
  try {
    await compileAll(folder, ({ path, bytes }) => console.log(`${path}  ${(bytes / MIB).toFixed(1)} MiB`));
    return 0;
  } catch (error) {
    const { message } = error as Error;
    console.error(message);
    if (message.includes("dl.deno.land")) {
      console.error("Without Deno's server: set DENORT_BIN (README, Compile).");
    }
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
