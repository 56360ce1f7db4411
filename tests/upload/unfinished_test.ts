import { assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";
import { leaveUnfinished, unfinishedId, UNIT } from "./upload_env.ts";

/** Starts an upload and interrupts it. */
async function interrupted(env: TestEnv, name: string, target: string): Promise<void> {
  await env.file(name, pseudoRandomBytes(4 * UNIT, name.length));
  await leaveUnfinished(env, name, target);
}

Deno.test("put-large lists unfinished uploads with their progress, and cancels them", async () => {
  await using env = await startTestEnv();
  assertEquals((await env.run("put-large", "--list")).stdout, "");
  await interrupted(env, "one.bin", "General/one.bin");
  await interrupted(env, "second.bin", "me:second.bin");
  const lines = jsonLines((await env.run("put-large", "--list", "--json")).stdout).toSorted((x, y) =>
    x.path! < y.path! ? -1 : 1
  );
  assertEquals(lines.map(({ path, size, doneBytes }) => [path, size, doneBytes]), [
    ["General/one.bin", 4 * UNIT, 2 * UNIT],
    ["second.bin", 4 * UNIT, 2 * UNIT],
  ]);
  assertMatch(
    (await env.run("put-large", "--list")).stdout,
    /General\/one\.bin {2}from \S+one\.bin {2}50 % of 1\.3 MiB {2}since 20/,
  );
  const { code, stdout } = await env.run("put-large", "--abandon", lines[0]!.id as string);
  assertEquals(code, 0);
  assertMatch(stdout, /canceled the upload of \S+one\.bin to General\/one\.bin/);
  assertEquals(env.sandbox.tenant.openSessions().length, 1);
  assertEquals((await env.run("put-large", "--abandon", lines[1]!.id as string)).code, 0);
  assertEquals(env.sandbox.tenant.openSessions(), []);
  assertEquals((await env.run("put-large", "--list")).stdout, "");
  assertEquals((await env.run("put-large", "--abandon", lines[1]!.id as string)).code, 3);
});

Deno.test("put-large --list keeps an upload whose session is unreachable, and removes one whose session has ended (PROTOCOL U10)", async () => {
  await using env = await startTestEnv();
  await interrupted(env, "one.bin", "General/one.bin");
  const id = await unfinishedId(env, "one.bin");
  for (const status of [503, 429]) {
    env.sandbox.addFault({ service: "storage", method: "DELETE", status });
    assertEquals((await env.run("put-large", "--abandon", id)).code, 8, `HTTP ${status}`);
  }
  env.sandbox.addFault({
    service: "storage",
    method: "GET",
    status: 404,
    body: { error: { code: "itemNotFound" } },
  });
  assertMatch((await env.run("put-large", "--list")).stdout, /its session has ended/);
  await Deno.remove(`${env.folder}/one.bin`);
  const gone = await env.run("put-large", "one.bin", "General/one.bin");
  assertEquals(gone.code, 3);
  assertMatch(gone.stderr, /no such local file: one\.bin/);
  env.sandbox.addFault({ service: "storage", method: "DELETE", when: "after", status: 404 });
  assertEquals((await env.run("put-large", "--abandon", id)).code, 0, "the local file need not exist");
  assertEquals(env.sandbox.tenant.openSessions(), []);
});

Deno.test("put-large --list and --abandon reject unsuitable arguments", async () => {
  await using env = await startTestEnv();
  assertEquals((await env.run("put-large", "--list", "x")).code, 2);
  assertEquals((await env.run("put-large", "x")).code, 2);
});

Deno.test("put-large does not resume an upload with another description or of another account", async () => {
  await using env = await startTestEnv();
  await interrupted(env, "one.bin", "General/one.bin");
  const folder = `${env.sandbox.env.GRAPH_SCRIPTS_HOME}/uploads`;
  for await (const { name } of Deno.readDir(folder)) {
    const entry = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
    entry.description = "other";
    await Deno.writeTextFile(`${folder}/${name}`, JSON.stringify(entry));
  }
  const { code, stdout } = await env.run("put-large", "--json", "one.bin", "General/one.bin");
  assertEquals([code, jsonLines(stdout)[0]!.resumedFrom], [0, null]);
  await interrupted(env, "one.bin", "General/other.bin");
  const token = env.sandbox.issueToken({ as: "megan" });
  const other = await env.runWith(
    { env: { GRAPH_ACCESS_TOKEN: token } },
    "put-large",
    "one.bin",
    "General/other.bin",
  );
  assertEquals(other.code, 6, other.stderr);
  assertMatch(other.stderr, /the name is blocked by an unfinished upload/);
});
