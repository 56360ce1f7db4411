import { assert, assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv } from "../test_env.ts";

const UNIT = 327_680;
const fragments = { service: "storage" as const, method: "PUT" };
const SMALL = ["--fragment-size", "320KiB"];

type TestEnv = Awaited<ReturnType<typeof startTestEnv>>;

function ranges(env: TestEnv): string[] {
  return env.sandbox.requests.filter(({ service, method }) => service === "storage" && method === "PUT")
    .map(({ headers }) => headers["content-range"] ?? "");
}

/** Uploads with small fragments and compares every byte, since the hash does not detect reordered fragments. */
async function uploads(env: TestEnv, size: number, code = 0): Promise<string> {
  const bytes = pseudoRandomBytes(size, size);
  const ended = await env.run("put-large", "--json", ...SMALL, await env.file("big.bin", bytes), "General/");
  assertEquals(ended.code, code, ended.stderr);
  if (code === 0) {
    const [result] = jsonLines(ended.stdout);
    assertEquals([result!.verdict, result!.bytes], ["verified", size]);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), bytes);
  }
  assertEquals(env.sandbox.tenant.openSessions().length, 0, "a session is left open");
  return ended.stderr;
}

Deno.test("put-large uploads sizes around every boundary in fragments of the right size", async () => {
  await using env = await startTestEnv();
  for (const size of [1, UNIT - 1, UNIT, UNIT + 1, 3 * UNIT - 1, 3 * UNIT, 3 * UNIT + 1]) {
    const before = ranges(env).length;
    await uploads(env, size);
    const expected = Array.from(
      { length: Math.ceil(size / UNIT) },
      (_, i) => `bytes ${i * UNIT}-${Math.min(size, (i + 1) * UNIT) - 1}/${size}`,
    );
    assertEquals(ranges(env).slice(before), expected);
  }
});

Deno.test("put-large uploads an empty file in one request", async () => {
  await using env = await startTestEnv();
  const [result] = jsonLines(
    (await env.run("put-large", "--json", await env.file("empty", ""), "General/")).stdout,
  );
  assertEquals([result!.result, result!.bytes, result!.verdict], ["created", 0, "verified"]);
  assertEquals(ranges(env), []);
});

Deno.test("put-large sends fragments from 10 MiB on by default, without chunked encoding or token", async () => {
  await using env = await startTestEnv();
  const size = 25 * 1024 * 1024;
  const bytes = pseudoRandomBytes(size);
  assertEquals((await env.run("put-large", await env.file("big.bin", bytes), "General/")).code, 0);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), bytes);
  const sent = env.sandbox.requests.filter(({ service }) => service === "storage");
  const sizes = sent.map(({ headers }) => Number(headers["content-length"]));
  assertEquals([sizes[0], sizes.reduce((sum, size) => sum + size)], [32 * UNIT, size]);
  assert(sizes.slice(0, -1).every((size) => size % UNIT === 0), `${sizes}`);
  assert(
    sent.every(({ headers }) =>
      headers.authorization === undefined && headers["transfer-encoding"] === undefined
    ),
    "wrong headers",
  );
});

Deno.test("put-large keeps the local modification time without creating a second version", async () => {
  await using env = await startTestEnv();
  const file = await env.file("big.bin", pseudoRandomBytes(100));
  await Deno.utime(file, new Date("2024-02-29T12:34:56.789Z"), new Date("2024-02-29T12:34:56.789Z"));
  assertEquals((await env.run("put-large", file, "General/")).code, 0);
  const [item] = jsonLines((await env.run("ls", "--json", "General/big.bin")).stdout);
  assertEquals(item!.modified, "2024-02-29T12:34:56Z");
  assertEquals(env.sandbox.requests.filter(({ method }) => method === "PATCH"), []);
});

Deno.test("put-large reports a new file as created, then as replaced", async () => {
  await using env = await startTestEnv();
  const file = await env.file("big.bin", pseudoRandomBytes(UNIT * 2));
  assertMatch((await env.run("put-large", file, "General/")).stdout, /^created /);
  assertMatch((await env.run("put-large", file, "General/")).stdout, /^replaced /);
});

Deno.test("put-large does not resend a stored fragment whose response was lost", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({ ...fragments, nth: 2, when: "after", drop: true });
  await uploads(env, 4 * UNIT);
  // Deno's fetch may repeat the request on its own; the service rejects the copy.
  const sent = ranges(env).length;
  assert(sent <= 5, `${sent}`);
  env.sandbox.clearFaults();
  env.sandbox.addFault({ ...fragments, nth: 2, when: "after", status: 503, headers: { "retry-after": "0" } });
  await uploads(env, 4 * UNIT);
  assertEquals(ranges(env).length, sent + 4);
});

Deno.test("put-large resends a fragment that was not stored", async () => {
  await using env = await startTestEnv();
  for (
    const fault of [
      { drop: true as const },
      { dropAfterBytes: 1000 },
      { status: 503, headers: { "retry-after": "0" } },
      { status: 500, body: "" },
      { status: 429, headers: { "retry-after": "1" } },
    ]
  ) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ ...fragments, nth: 3, ...fault });
    const before = ranges(env).length;
    await uploads(env, 4 * UNIT);
    const starts = ranges(env).slice(before).map((range) => Number(/\d+/.exec(range)?.[0]) / UNIT);
    assertEquals(starts.filter((start, index) => start !== starts[index - 1]), [0, 1, 2, 3]);
    // Deno's fetch may repeat the request on its own on a reused connection.
    assert(starts.length === 5 || (!("status" in fault) && starts.length === 6), `${starts}`);
  }
});

Deno.test("put-large finds the file when only the response to the commit was lost", async () => {
  await using env = await startTestEnv();
  for (
    const fault of [
      { drop: true as const },
      { status: 500, body: "" },
      { status: 404, body: { error: { code: "itemNotFound" } } },
      { status: 202, body: { nextExpectedRanges: [] } },
      { status: 201, body: "" },
    ]
  ) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ ...fragments, nth: 2, when: "after", ...fault });
    await uploads(env, 2 * UNIT);
  }
  assert(ranges(env).length <= 11, "a finished file was sent again");
});

Deno.test("put-large restarts a lost session once", async () => {
  await using env = await startTestEnv();
  for (const status of [404, 401, 403]) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ ...fragments, nth: 2, status, body: { error: { code: "itemNotFound" } } });
    await uploads(env, 3 * UNIT);
  }
  env.sandbox.clearFaults();
  env.sandbox.addFault({
    ...fragments,
    times: "always",
    status: 403,
    body: { error: { code: "accessDenied" } },
  });
  const before = env.sandbox.requests.length;
  await uploads(env, 3 * UNIT, 5);
  assertEquals(
    env.sandbox.requests.slice(before).filter(({ path }) => path.includes("createUploadSession")).length,
    2,
  );
});

Deno.test("put-large cancels the session after a permanent error", async () => {
  await using env = await startTestEnv();
  for (const [status, code] of [[507, 9], [423, 6], [409, 6], [412, 6], [400, 1], [413, 1]] as const) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ ...fragments, nth: 2, status, body: { error: { code: "x", message: "y" } } });
    await uploads(env, 3 * UNIT, code);
  }
});

Deno.test("put-large rejects unusable responses to the creation of a session", async () => {
  await using env = await startTestEnv();
  const create = { service: "graph" as const, path: "createUploadSession" };
  env.sandbox.addFault({ ...create, patch: { nextExpectedRanges: null } });
  await uploads(env, 2 * UNIT);
  env.sandbox.clearFaults();
  env.sandbox.addFault({
    ...create,
    status: 200,
    body: { error: { code: "invalidRequest", message: "no" } },
  });
  await uploads(env, 2 * UNIT, 1);
  env.sandbox.clearFaults();
  env.sandbox.addFault({
    ...create,
    status: 200,
    body: { uploadUrl: "https://evil.example/up", nextExpectedRanges: ["0-"] },
  });
  await uploads(env, 2 * UNIT, 5);
});

Deno.test("put-large reports a local file that becomes shorter", async () => {
  await using env = await startTestEnv();
  const file = await env.file("big.bin", pseudoRandomBytes(4 * UNIT));
  env.sandbox.addFault({ ...fragments, nth: 1, delayMs: 800 });
  const child = env.spawn("put-large", ...SMALL, file, "General/");
  while (ranges(env).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await Deno.truncate(file, UNIT + 5);
  const { code, stderr } = await child.output();
  assertEquals(code, 6);
  assertMatch(new TextDecoder().decode(stderr), /became shorter/);
  assertEquals(env.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
});

Deno.test("put-large cancels the session on Ctrl-C (exit code 130)", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const file = await env.file("big.bin", pseudoRandomBytes(4 * UNIT));
  env.sandbox.addFault({ ...fragments, nth: 3, delayMs: 10_000 });
  const child = env.spawn("put-large", ...SMALL, file, "General/");
  while (ranges(env).length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGINT");
  assertEquals((await child.output()).code, 130);
  env.sandbox.clearFaults();
  assertEquals((await env.run("put-large", ...SMALL, file, "General/")).code, 0);
});

Deno.test("put-large rejects a description outside personal OneDrives before the upload", async () => {
  await using env = await startTestEnv();
  const { code, stderr } = await env.run(
    "put-large",
    "--description",
    "x",
    await env.file("a.bin", "a"),
    "General/",
  );
  assertEquals(code, 2);
  assertMatch(stderr, /personal OneDrives only/);
});
