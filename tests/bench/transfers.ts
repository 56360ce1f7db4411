// deno-lint-ignore-file no-console -- prints for users
/**
 * Uploads and downloads a large file, compared with the same upload by Microsoft's Graph SDK.
 *
 * @module
 */
import { join } from "../../lib/std.ts";
import { denoRun, ROOT, type ScriptName, type TestEnv } from "../test_env.ts";
import { measure, type Measured, measureScript } from "./measure.ts";

/** The SDK needs the whole file in memory, so larger files are not compared. */
const MAX_SDK_BYTES = 2 * 1024 ** 3;

/**
 * Measures uploads with several fragment sizes, and downloads over one and four connections.
 *
 * @param rounds How often each is measured; the shortest time and the highest memory count.
 */
export async function transfers(env: TestEnv, path: string, bytes: number, rounds: number): Promise<void> {
  const copy = join(env.folder, "copy.bin");
  const [remote, get] = ["General/large.bin", ["--conflict", "replace", "General/large.bin", copy]];
  const lines: [string, ScriptName, string[]][] = [
    ["put-large 10MiB", "put-large", [path, remote]],
    ["put-large 320KiB", "put-large", ["--fragment-size", "320KiB", path, remote]],
    ["put-large 58.75MiB", "put-large", ["--fragment-size", "60160KiB", path, remote]],
    ["get, 1 connection", "get", ["--connections", "1", ...get]],
    ["get, 4 connections", "get", ["--connections", "4", ...get]],
  ];
  const runs: [string, () => Promise<Measured>][] = lines.map(([name, script, args]) => [
    name,
    () => measureScript(env, script, ...args),
  ]);
  if (bytes <= MAX_SDK_BYTES) runs.unshift(["Graph SDK 10MiB", () => sdkUpload(env, path)]);
  const best = new Map<string, Measured>();
  // Interleaved, so that load from other processes affects all alike.
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of runs) best.set(name, better(best.get(name), await work()));
    // The sandbox keeps former versions, which would fill the disk.
    env.sandbox.tenant.remove("Documents", remote);
  }
  const sdkSeconds = best.get("Graph SDK 10MiB")?.seconds;
  for (const [name, { seconds, peakMiB }] of best) {
    const rate = (bytes / 1024 ** 2 / seconds).toFixed(0).padStart(5);
    const ratio = sdkSeconds ? `${(seconds / sdkSeconds).toFixed(2)} × the SDK's time   ` : "";
    console.log(
      `transfer  ${name.padEnd(18)} ${rate} MiB/s   ${ratio}peak ${peakMiB?.toFixed(0) ?? "?"} MiB`,
    );
  }
  await Deno.remove(copy);
}

/** The shortest time and the highest memory of two runs. */
function better(one: Measured | undefined, other: Measured): Measured {
  if (!one) return other;
  const peaks = [one, other].flatMap(({ peakMiB }) => peakMiB ?? []);
  return {
    seconds: Math.min(one.seconds, other.seconds),
    peakMiB: peaks.length > 0 ? Math.max(...peaks) : undefined,
  };
}

async function sdkUpload(env: TestEnv, path: string): Promise<Measured> {
  const program = new URL("sdk_upload.ts", import.meta.url).href;
  return await measure(
    denoRun(`--lock=${join(ROOT, "tests", "deno.lock")}`, "-A", program, path),
    { ...env.sandbox.env, GRAPH_ACCESS_TOKEN: env.sandbox.issueToken() },
    env.folder,
  );
}
