// deno-lint-ignore-file no-console -- prints for users
/**
 * Uploads and downloads a folder of many small files, sequentially and in parallel, then again unchanged.
 * Responses are delayed as by a distant service: loopback alone has no latency.
 *
 * @module
 */
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, type ScriptName, startTestEnv } from "../test_env.ts";
import { type Measured, measureScript } from "./measure.ts";

const FILES = 200;
const FILE_BYTES = 20_000;
const DELAY_MS = 50;

/** Measures `put -r` and `get -r`. */
export async function manyFiles(): Promise<void> {
  await using env = await startTestEnv();
  const folder = join(env.folder, "small");
  await Deno.mkdir(folder);
  for (let index = 0; index < FILES; index++) {
    await Deno.writeFile(join(folder, `${index}.bin`), pseudoRandomBytes(FILE_BYTES, index + 1));
  }
  await env.run("ls", "General"); // sign in for reading
  for (const service of ["graph", "storage"] as const) {
    env.sandbox.addFault({ service, delayMs: DELAY_MS, times: "always" });
  }
  console.log(`${FILES} files of ${FILE_BYTES} bytes; each response is delayed by ${DELAY_MS} ms`);
  const put = ["-r", folder];
  const lines: [string, ScriptName, string[]][] = [
    ["put --jobs 1", "put", ["--jobs", "1", ...put, "General/one"]],
    ["put --jobs 4", "put", ["--jobs", "4", ...put, "General/four"]],
    ["put --jobs 8", "put", ["--jobs", "8", ...put, "General/eight"]],
    ["put --if-changed", "put", ["--if-changed", ...put, "General/four"]],
    ["get --jobs 1", "get", ["--jobs", "1", "-r", "General/one", "one"]],
    ["get --jobs 4", "get", ["--jobs", "4", "-r", "General/one", "four"]],
    ["get --jobs 8", "get", ["--jobs", "8", "-r", "General/one", "eight"]],
    ["get --if-changed", "get", ["--if-changed", "-r", "General/one", "eight"]],
  ];
  const base = new Map<ScriptName, Measured>();
  for (const [name, script, args] of lines) {
    const measured = await measureScript(env, script, ...args);
    const { seconds } = base.get(script) ?? measured;
    if (!base.has(script)) base.set(script, measured);
    console.log(
      `files     ${name.padEnd(18)} ${measured.seconds.toFixed(1).padStart(5)} s   ${
        (measured.seconds / seconds).toFixed(2)
      } × ${script} --jobs 1   peak ${measured.peakMiB?.toFixed(0) ?? "?"} MiB`,
    );
  }
}
