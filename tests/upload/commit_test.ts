import { assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv } from "../test_env.ts";

const UNIT = 327_680;

const SMALL = ["--fragment-size", "320KiB"];

const fragments = { service: "storage" as const, method: "PUT" };

const time = new Date("2024-01-02T03:04:05Z");

Deno.test("put-large does not mistake an old version with the same time for a finished upload", async () => {
  await using env = await startTestEnv();
  const file = await env.file("r.pdf", pseudoRandomBytes(3000));
  await Deno.utime(file, time, time);
  assertEquals((await env.run("put-large", file, "General/")).code, 0);
  await env.file("r.pdf", pseudoRandomBytes(5000));
  await Deno.utime(file, time, time);
  env.sandbox.addFault({
    ...fragments,
    times: "always",
    status: 404,
    body: { error: { code: "itemNotFound" } },
  });
  const { code, stderr } = await env.run("put-large", file, "General/");
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /loses its upload sessions; sending it in one request/);
  assertEquals(env.sandbox.tenant.find("Documents", "General/r.pdf")?.size, 5000);
  await env.file("r.pdf", pseudoRandomBytes(6000));
  await Deno.utime(file, time, time);
  assertEquals((await env.run("put-large", "--conflict", "fail", file, "General/r2.pdf")).code, 8);
  assertEquals(env.sandbox.tenant.find("Documents", "General/r2.pdf"), undefined);
});

Deno.test("put rejects a successful response that does not describe the stored file", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "abc");
  for (const body of [{}, "null"]) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ method: "PUT", path: "/content", status: 201, body });
    const { code, stderr } = await env.run("put", file, "General/");
    assertEquals(code, 1);
    assertMatch(stderr, /HTTP 201 invalidAnswer/);
  }
});

Deno.test("put --conflict rename does not upload twice when the last response is lost", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.bin", pseudoRandomBytes(2 * UNIT));
  env.sandbox.tenant.addFile("Documents", "General/a.bin", "old");
  env.sandbox.addFault({ ...fragments, nth: 2, when: "after", status: 500, body: "" });
  const { code, stderr } = await env.run("put-large", ...SMALL, "--conflict", "rename", file, "General/");
  assertEquals(code, 8);
  assertMatch(stderr, /may have got another/);
  const copies = jsonLines((await env.run("ls", "--json", "General")).stdout).filter(({ name }) =>
    /^a.*\.bin$/.test(name as string)
  );
  assertEquals(copies.length, 2);
});

Deno.test("put-large waits for a commit that takes effect late (PROTOCOL U15)", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.bin", pseudoRandomBytes(2 * UNIT));
  env.sandbox.addFault({ ...fragments, nth: 2, when: "after", status: 500, body: "" });
  env.sandbox.addFault({
    service: "graph",
    path: /General\/a\.bin$/,
    nth: 2,
    status: 404,
    body: { error: { code: "itemNotFound" } },
  });
  const { stdout, stderr } = await env.run(
    "put-large",
    "--json",
    "--conflict",
    "fail",
    ...SMALL,
    file,
    "General/",
  );
  assertEquals(jsonLines(stdout)[0]?.result, "created", stderr);
});
