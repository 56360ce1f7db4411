import { assert, assertEquals, assertMatch } from "../assert.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";
import { fragmentCount, SMALL, UNIT } from "./upload_env.ts";

const fragments = { service: "storage" as const, method: "PUT" };

Deno.test("put-large fails when the session oscillates", async () => {
  await using env = await startTestEnv();
  let there = false;
  env.sandbox.addFault({
    ...fragments,
    times: "always",
    rewrite: (response) => {
      there = !there;
      return {
        ...response,
        status: 202,
        body: JSON.stringify({ nextExpectedRanges: [there ? `${UNIT}-` : "0-"] }),
      };
    },
  });
  const { code, stderr } = await env.run(
    "put-large",
    ...SMALL,
    await env.file("big.bin", pseudoRandomBytes(4 * UNIT)),
    "General/",
  );
  assertEquals(code, 8);
  assertMatch(stderr, /stuck at byte/);
  assert(fragmentCount(env) < 12, `${fragmentCount(env)} fragments`);
});

Deno.test("put-large asks for the session's status after an unreadable response", async () => {
  await using env = await startTestEnv();
  for (const body of ["", "<html>", "null", "[]", '{"nextExpectedRanges": 5}']) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ ...fragments, nth: 2, when: "after", status: 202, body });
    const bytes = pseudoRandomBytes(4 * UNIT);
    const { code, stderr } = await env.run(
      "put-large",
      ...SMALL,
      await env.file("big.bin", bytes),
      "General/",
    );
    assertEquals(code, 0, `${body}: ${stderr}`);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), bytes);
  }
});
