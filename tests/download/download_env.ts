/**
 * What the tests of downloads share.
 *
 * @module
 */
import { assert, assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";
import type { ByteRange } from "../../lib/content/ranges.ts";

/** A bench with one file, `General/big.bin`. */
export async function envWith(content: Uint8Array): Promise<TestEnv> {
  const env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/big.bin", content);
  return env;
}

/** Content of a size that no boundary divides. */
export function contentOf(mebibytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  return pseudoRandomBytes(mebibytes * 1024 * 1024 + 17, seed);
}

/** Names in a local folder, without those that a test has put there. */
export function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}

/** Whole path of the partial file; `undefined`: there is none. */
export function partialOf(env: TestEnv): string | undefined {
  const name = names(env.folder).find((name) => name.endsWith(".partial"));
  return name === undefined ? undefined : join(env.folder, name);
}

/** Whole paths of the files beside the records, locks included. */
export function journal(env: TestEnv): string[] {
  const folder = join(env.sandbox.env.GRAPH_SCRIPTS_HOME!, "downloads");
  try {
    return names(folder).map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** What the record says is done. */
export async function recorded(env: TestEnv): Promise<ByteRange[]> {
  const path = journal(env).find((path) => path.endsWith(".json"));
  try {
    return path === undefined ? [] : JSON.parse(await Deno.readTextFile(path)).done;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // the download ended this very moment
    throw error;
  }
}

/** How many bytes ranges hold. */
export function bytesOf(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** The ranges that storage was asked for, from request number `from` on; without a range, everything. */
export function asked(env: TestEnv, from = 0): (string | undefined)[] {
  return env.sandbox.requests.slice(from).filter(({ service }) => service === "storage").map(({ headers }) =>
    headers.range
  );
}

/** Waits until something outside of this process has happened; a process may have ended before it could. */
export async function until(happened: () => boolean | Promise<boolean>, mostMs = 30_000): Promise<void> {
  const started = Date.now();
  while (!await happened()) {
    if (Date.now() - started > mostMs) throw new Error(`it has not happened in ${mostMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Starts `get` and kills it when its record says that enough is done. */
export async function killedAfter(
  env: TestEnv,
  bytes: number,
  args: readonly string[] = [],
  signal: Deno.Signal = "SIGKILL",
): Promise<string> {
  const child = env.spawn("get", ...args, "General/big.bin");
  let ended = false;
  child.status.then(() => ended = true);
  await until(async () => ended || bytesOf(await recorded(env)) >= bytes);
  assert(!ended, "it ended before so much was recorded");
  child.kill(signal);
  return new TextDecoder().decode((await child.output()).stderr);
}

/** The file is there, whole, and nothing else. */
export async function arrived(
  env: TestEnv,
  content: Uint8Array,
  others: readonly string[] = [],
): Promise<void> {
  const there = await Deno.readFile(join(env.folder, "big.bin"));
  // Not assertEquals: it would describe the difference of millions of bytes for minutes.
  assert(sameBytes(there, content), `${there.length} bytes that are not the ${content.length} expected`);
  assertEquals(names(env.folder), ["big.bin", ...others].toSorted());
  assertEquals(journal(env).filter((path) => !path.includes(".unreadable-")), []);
}

/** Whether two contents are equal. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
