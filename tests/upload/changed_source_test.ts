import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { sameBytes } from "../download/download_env.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";
import { fragmentCount, leaveUnfinished, oldFile, SMALL, UNIT, until } from "./upload_env.ts";

const fragments = { service: "storage" as const, method: "PUT" };

Deno.test("put-large sends one version of a file that is replaced during the upload", async () => {
  await using env = await startTestEnv();
  const [old, fresh] = [pseudoRandomBytes(4_000_000, 1), pseudoRandomBytes(4_000_000, 2)];
  await oldFile(env, "big.bin", old);
  env.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 2,
    rewrite: async (response) => {
      await env.file("new.bin", fresh);
      await Deno.rename(join(env.folder, "new.bin"), join(env.folder, "big.bin"));
      return response;
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
  await leaveUnfinished(env, "big.bin", "General/");
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
  await leaveUnfinished(env, "big.pdf", "General/");
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
