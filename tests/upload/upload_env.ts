/**
 * What the tests of uploads share.
 *
 * @module
 */
import { assertEquals } from "../assert.ts";
import { jsonLines, type TestEnv } from "../test_env.ts";

/** The smallest fragment: 320 KiB. */
export const UNIT = 327_680;
/** Options for fragments of that size. */
export const SMALL = ["--fragment-size", "320KiB"];

const OLD = new Date(1_700_000_000_000);

/** Writes a local file with an old modification time. */
export async function oldFile(env: TestEnv, name: string, content: string | Uint8Array): Promise<string> {
  const path = await env.file(name, content);
  await Deno.utime(path, OLD, OLD);
  return path;
}

/** Uploads two fragments of 320 KiB, then leaves the upload unfinished: the service asks for a long wait. */
export async function leaveUnfinished(env: TestEnv, file: string, location: string): Promise<void> {
  const headers = { "retry-after": "900" };
  env.sandbox.addFault({ service: "storage", method: "PUT", nth: 3, times: "always", status: 503, headers });
  const { code, stderr } = await env.run("put-large", ...SMALL, file, location);
  assertEquals(code, 8, stderr);
  env.sandbox.clearFaults();
}

/** The id of the unfinished upload of a local file. */
export async function unfinishedId(env: TestEnv, file: string): Promise<string> {
  const uploads = jsonLines((await env.run("put-large", "--list", "--json")).stdout);
  return uploads.find(({ local }) => (local as string).endsWith(file))!.id as string;
}

/** Waits for a condition. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Fragments that were sent so far. */
export function fragmentCount(env: TestEnv): number {
  return env.sandbox.requests.filter(({ service, method }) => service === "storage" && method === "PUT")
    .length;
}
