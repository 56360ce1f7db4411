import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { journalKey } from "../../lib/local/journal.ts";
import { sameBytes } from "./download_env.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";

Deno.test("get --conflict resume remembers an assumed prefix in a later process", async () => {
  await using env = await startTestEnv();
  const content = pseudoRandomBytes(6 * 1024 * 1024, 3);
  env.sandbox.tenant.addFile("Documents", "General/scan.pdf", content);
  await env.file("scan.pdf", pseudoRandomBytes(2 * 1024 * 1024, 7));
  env.sandbox.addFault({
    service: "storage",
    method: "GET",
    status: 503,
    times: "always",
    headers: { "retry-after": "900" },
  });
  const first = await env.run("get", "--conflict", "resume", "General/scan.pdf");
  assertEquals(first.code, 8, first.stderr);
  env.sandbox.clearFaults();
  const { code, stderr } = await env.run("get", "--conflict", "resume", "General/scan.pdf");
  assertEquals(code, 0, stderr);
  assert(
    sameBytes(await Deno.readFile(join(env.folder, "scan.pdf")), content),
    "the file differs from the remote one",
  );
});

Deno.test("get removes a partial file when the same content arrived another way", async () => {
  await using env = await startTestEnv();
  const content = pseudoRandomBytes(3_000_000);
  env.sandbox.tenant.addFile("Documents", "General/x.bin", content);
  env.sandbox.addFault(
    { service: "storage", method: "GET", truncateBodyTo: 2_000_000 },
    { service: "storage", method: "GET", status: 503, times: "always", headers: { "retry-after": "900" } },
  );
  assertEquals((await env.run("get", "General/x.bin")).code, 8);
  env.sandbox.clearFaults();
  const partials = async () =>
    (await Array.fromAsync(Deno.readDir(env.folder))).filter(({ name }) => name.endsWith(".partial")).length;
  assertEquals(await partials(), 1);
  await env.file("x.bin", content);
  const { code, stdout } = await env.run("get", "--if-changed", "General/x.bin");
  assertEquals(code, 0);
  assertMatch(stdout, /^unchanged/);
  assertEquals(await partials(), 0);
});

Deno.test("get --conflict resume keeps a longer file, also after an unreadable journal entry", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/x.bin", pseudoRandomBytes(1000));
  const longer = await env.file("x.bin", pseudoRandomBytes(2000));
  const journal = join(env.sandbox.env.GRAPH_SCRIPTS_HOME!, "downloads");
  await Deno.mkdir(journal, { recursive: true, mode: 0o700 });
  const key = await journalKey(join(await Deno.realPath(env.folder), "x.bin"));
  await Deno.writeTextFile(join(journal, `${key}.json`), "{", { mode: 0o600 });

  const { code, stderr } = await env.run("get", "--conflict", "resume", "General/x.bin");

  assertEquals(code, 6, stderr);
  assertMatch(stderr, /is not readable[^]*localLonger/);
  assertEquals((await Deno.stat(longer)).size, 2000);
});
