/**
 * Compiles the scripts to binaries, `graph-whoami` … `graph-put-large`, each with its own permission set of `deno.json`
 * baked in: a binary can do what its script can, and nothing more.
 *
 *     deno task compile [--output FOLDER]
 *
 * `deno compile` takes a base runtime from Deno's server, or the one that DENORT_BIN names. The base must be of the same
 * version as the Deno that compiles: DENO names another than the running one.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { join, resolve } from "../../lib/std.ts";
import { CONFIG, ROOT, type ScriptName } from "../test_env.ts";

const SCRIPTS: readonly ScriptName[] = ["whoami", "ls", "get", "put", "put-large"];
/** Each compile holds a whole runtime in memory. */
const AT_ONCE = 2;
const MIB = 1024 ** 2;

/** A compiled script. */
export interface Binary {
  script: ScriptName;
  path: string;
  bytes: number;
}

/** Where the binary of a script lies in a folder. */
export function binaryPath(folder: string, script: ScriptName): string {
  return join(folder, `graph-${script}${Deno.build.os === "windows" ? ".exe" : ""}`);
}

/**
 * Compiles one program.
 *
 * @param args What `deno compile` is told: options, and the program's main module.
 * @throws {Error} With what Deno said, when it fails.
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
    // Otherwise a binary opens a file of a predictable name in the shared temporary folder.
    "--no-code-cache",
    "--output",
    path,
    join(ROOT, "scripts", `${script}.ts`),
  );
  return { script, path, bytes: (await Deno.stat(path)).size };
}

/** Compiles all scripts into a folder, which is made if need be; gives each binary as soon as it is there. */
export async function compileAll(folder: string, onBinary: (binary: Binary) => void): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const waiting = [...SCRIPTS];
  const work = async () => {
    for (let script = waiting.shift(); script; script = waiting.shift()) {
      onBinary(await compileScript(script, folder));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
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
