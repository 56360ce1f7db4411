/**
 * Shared by the download tests.
 *
 * @module
 */
import { assert, assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";
import type { ByteRange } from "../../lib/content/ranges.ts";

/** An environment with one remote file, `General/big.bin`. */
export async function envWith(content: Uint8Array): Promise<TestEnv> {
  const env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/big.bin", content);
  return env;
}

/** Content whose size is no multiple of any block size. */
export function contentOf(mebibytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  return pseudoRandomBytes(mebibytes * 1024 * 1024 + 17, seed);
}

/** Names in a local folder, sorted. */
export function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}

/** Path of the partial file, or undefined. */
export function partialOf(env: TestEnv): string | undefined {
  const name = names(env.folder).find((name) => name.endsWith(".partial"));
  return name === undefined ? undefined : join(env.folder, name);
}

/** Paths of the files in the download journal, locks included. */
export function journal(env: TestEnv): string[] {
  const folder = join(env.sandbox.env.GRAPH_SCRIPTS_HOME!, "downloads");
  try {
    return names(folder).map((name) => join(folder, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The ranges that the journal entry marks as done. */
export async function recorded(env: TestEnv): Promise<ByteRange[]> {
  const path = journal(env).find((path) => path.endsWith(".json"));
  try {
    return path === undefined ? [] : JSON.parse(await Deno.readTextFile(path)).done;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // the download has just ended
    throw error;
  }
}

/** Total length of ranges. */
export function bytesOf(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** Ranges requested from storage since request number `from`; undefined for the whole content. */
export function asked(env: TestEnv, from = 0): (string | undefined)[] {
  return env.sandbox.requests.slice(from).filter(({ service }) => service === "storage").map(({ headers }) =>
    headers.range
  );
}

/** Waits until `happened()` is true; fails after `maxMs`, since the process may have ended before. */
export async function until(happened: () => boolean | Promise<boolean>, maxMs = 30_000): Promise<void> {
  const started = Date.now();
  while (!await happened()) {
    if (Date.now() - started > maxMs) throw new Error(`it did not happen within ${maxMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Starts `get` and kills it once its journal entry has this many bytes. */
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
  assert(!ended, "the process ended before it recorded enough bytes");
  child.kill(signal);
  return new TextDecoder().decode((await child.output()).stderr);
}

/** Asserts that the complete file is there, and nothing else. */
export async function arrived(
  env: TestEnv,
  content: Uint8Array,
  others: readonly string[] = [],
): Promise<void> {
  const there = await Deno.readFile(join(env.folder, "big.bin"));
  // Not assertEquals, which would format the difference of millions of bytes for minutes.
  assert(sameBytes(there, content), `${there.length} bytes that are not the ${content.length} expected`);
  assertEquals(names(env.folder), ["big.bin", ...others].toSorted());
  assertEquals(journal(env).filter((path) => !path.includes(".unreadable-")), []);
}

/** Whether two contents are equal. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
