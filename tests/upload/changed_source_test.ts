import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { sameBytes } from "../download/download_env.ts";
import { pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

const UNIT = 327_680;

const SMALL = ["--fragment-size", "320KiB"];

const OLD = new Date(1_700_000_000_000);

const fragments = { service: "storage" as const, method: "PUT" };

/** Writes a local file with an old modification time. */
async function oldFile(env: TestEnv, name: string, content: string | Uint8Array): Promise<string> {
  const path = await env.file(name, content);
  await Deno.utime(path, OLD, OLD);
  return path;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function fragmentCount(env: TestEnv): number {
  return env.sandbox.requests.filter(({ service, method }) => service === "storage" && method === "PUT")
    .length;
}

Deno.test("put-large sends one version of a file that is replaced during the upload", async () => {
  await using env = await startTestEnv();
  const [old, fresh] = [pseudoRandomBytes(4_000_000, 1), pseudoRandomBytes(4_000_000, 2)];
  await oldFile(env, "big.bin", old);
  env.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 2,
    rewrite: async (answer) => {
      await env.file("new.bin", fresh);
      await Deno.rename(join(env.folder, "new.bin"), join(env.folder, "big.bin"));
      return answer;
    },
  });
  const { code, stderr } = await env.run("put-large", ...SMALL, "big.bin", "General/");
  assertEquals(code, 0, stderr);
  assert(sameBytes(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), old));
});

Deno.test("put-large does not resume a file with changed content, same size and time", async () => {
  await using env = await startTestEnv();
  const content = pseudoRandomBytes(4 * UNIT);
  await oldFile(env, "big.bin", content);
  env.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await env.run("put-large", ...SMALL, "big.bin", "General/")).code, 8);
  env.sandbox.clearFaults();
  // In the middle of the sent bytes, which a fingerprint of both ends does not cover.
  content[UNIT + 7]! ^= 1;
  await oldFile(env, "big.bin", content);
  const { code, stderr } = await env.run("put-large", ...SMALL, "big.bin", "General/");
  assertEquals(code, 0, stderr);
  assert(sameBytes(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), content), stderr);
});

Deno.test("put-large does not resume a PDF with changed content, same size and time", async () => {
  await using env = await startTestEnv();
  const content = pseudoRandomBytes(4 * UNIT);
  await oldFile(env, "big.pdf", content);
  env.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 3,
    times: "always",
    status: 503,
    headers: { "retry-after": "900" },
  });
  assertEquals((await env.run("put-large", ...SMALL, "big.pdf", "General/")).code, 8);
  env.sandbox.clearFaults();
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // Deno tells that time to the second
  content[UNIT + 7]! ^= 1;
  await oldFile(env, "big.pdf", content);
  const { code, stderr } = await env.run("put-large", ...SMALL, "big.pdf", "General/");
  assertEquals(code, 0, stderr);
  assert(sameBytes(await env.sandbox.tenant.bytes("Documents", "General/big.pdf"), content), stderr);
});

Deno.test("put reports a file that changes during the upload", async () => {
  await using env = await startTestEnv();
  const file = await env.file("big.bin", pseudoRandomBytes(3 * UNIT));
  env.sandbox.addFault({ ...fragments, nth: 1, delayMs: 700 });
  const child = env.spawn("put-large", ...SMALL, file, "General/");
  await until(() => fragmentCount(env) > 0);
  await env.file("big.bin", pseudoRandomBytes(3 * UNIT, 9));
  const { code, stderr } = await child.output();
  assertEquals(code, 6);
  assertMatch(new TextDecoder().decode(stderr), /changed during the upload/);
  assertEquals(env.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
  assertEquals(env.sandbox.tenant.openSessions(), []);
});
