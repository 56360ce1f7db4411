/** Transfers of many files: repeated runs, summaries and ambiguous arguments. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";
import { readAhead } from "../../lib/transfer/jobs.ts";

/** Creates local files `many/0.txt` …, each with its own content. */
async function manyFiles(env: TestEnv, count: number): Promise<void> {
  await Deno.mkdir(join(env.folder, "many"));
  for (let i = 0; i < count; i++) await env.file(`many/${i}.txt`, `content ${i}`);
}

function manyRemoteFiles(env: TestEnv, count: number): void {
  for (let i = 0; i < count; i++) {
    env.sandbox.tenant.addFile("Documents", `General/many/${i}.txt`, `content ${i}`);
  }
}

/** Number of content transfers since request number `from`. */
function contents(env: TestEnv, from: number): number {
  return env.sandbox.requests.slice(from).filter(({ service, method, path }) =>
    (method === "PUT" && path.includes("/content")) || (service === "storage" && method === "GET")
  ).length;
}

function counts(stdout: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { result } of jsonLines<{ result: string }>(stdout)) found[result] = (found[result] ?? 0) + 1;
  return found;
}

/** Starts a command, ends it after some files, and returns their number. */
async function killed(env: TestEnv, signal: Deno.Signal, ...line: Parameters<TestEnv["spawn"]>) {
  const child = env.spawn(...line);
  let stdout = "";
  const stderr = new Response(child.stderr).text();
  let sent = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    if (sent || stdout.split("\n").length < 6) continue;
    sent = true; // a second Ctrl-C would end it at once
    child.kill(signal);
  }
  return { done: jsonLines(stdout).length, code: (await child.status).code, stderr: await stderr };
}

for (const signal of ["SIGKILL", "SIGINT"] as const) {
  Deno.test({
    name: `put -r after ${signal} sends only what is left, and so does get -r`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using env = await startTestEnv();
      await manyFiles(env, 30);
      env.sandbox.addFault({ service: "graph", method: "PUT", times: "always", delayMs: 40 });
      const up = await killed(env, signal, "put", "-r", "--json", "many", "General/many");
      assert(up.done >= 4 && up.done < 30, `${up.done} files`);
      env.sandbox.clearFaults();
      let before = env.sandbox.requests.length;
      const again = await env.run("put", "-r", "--json", "many", "General/many");
      assertEquals(again.code, 0, again.stderr);
      const sent = counts(again.stdout);
      assert((sent.unchanged ?? 0) >= up.done, JSON.stringify(sent));
      // What was on its way when the run ended may be stored only after the second run has looked.
      const { created = 0, replaced = 0, unchanged = 0 } = sent;
      assertEquals(contents(env, before), created + replaced);
      assertEquals(created + replaced + unchanged, 30);

      env.sandbox.addFault({ service: "storage", method: "GET", times: "always", delayMs: 40 });
      const down = await killed(env, signal, "get", "-r", "--json", "General/many", "copy");
      assert(down.done >= 4 && down.done < 30, `${down.done} files`);
      env.sandbox.clearFaults();
      before = env.sandbox.requests.length;
      const rest = await env.run("get", "-r", "--json", "General/many", "copy");
      assertEquals(rest.code, 0, rest.stderr);
      const got = counts(rest.stdout);
      assert((got.unchanged ?? 0) >= down.done, JSON.stringify(got));
      // The killed run may have moved its last file into place without reporting it.
      const complete = jsonLines(rest.stdout).filter(({ resumedFrom, bytes }) => resumedFrom === bytes);
      assertEquals(contents(env, before), got.downloaded! - complete.length);
      for (let i = 0; i < 30; i++) {
        assertEquals(await Deno.readTextFile(join(env.folder, "copy", `${i}.txt`)), `content ${i}`);
      }
      if (signal === "SIGKILL") return;
      assertEquals([up.code, down.code], [130, 130]);
      for (const { stderr } of [up, down]) {
        const { summary } = jsonLines(stderr).find((line) => "summary" in line) as {
          summary: { left: number };
        };
        assert(summary.left > 0 && summary.left <= 26, stderr);
      }
    },
  });
}

Deno.test("put -r and get -r transfer only what failed in the previous run", async () => {
  await using env = await startTestEnv();
  await manyFiles(env, 6);
  env.sandbox.addFault({ service: "graph", method: "PUT", path: "3.txt", status: 403 });
  const first = await env.run("put", "-r", "many", "General/many");
  assertEquals(first.code, 5);
  assertMatch(first.stderr, /put: 5 created \(45 B\), 1 failed, in 0:\d\d\n$/);
  const second = await env.run("put", "-r", "many", "General/many");
  assertEquals(second.code, 0, second.stderr);
  assertMatch(
    second.stderr,
    /^put: (5 unchanged \(45 B\), 1 created \(9 B\)|1 created.*5 unchanged.*), in 0:\d\d\n$/,
  );
  assertEquals((await env.run("get", "-r", "General/many", "copy")).code, 0);
  await Deno.remove(join(env.folder, "copy", "2.txt"));
  const third = await env.run("get", "-r", "--json", "General/many", "copy");
  assertEquals([third.code, counts(third.stdout)], [0, { unchanged: 5, downloaded: 1 }]);
});

Deno.test("put -r and get -r apply --conflict only to files that differ", async () => {
  await using env = await startTestEnv();
  await manyFiles(env, 3);
  manyRemoteFiles(env, 3);
  env.sandbox.tenant.addFile("Documents", "General/many/1.txt", "changed by another user");
  const fail = await env.run("get", "-r", "--json", "General/many", "many");
  assertEquals([fail.code, counts(fail.stdout)], [6, { unchanged: 2 }]);
  assertEquals(await Deno.readTextFile(join(env.folder, "many", "1.txt")), "content 1");
  const putFail = await env.run("put", "-r", "--conflict", "fail", "--json", "many", "General/many");
  assertEquals([putFail.code, counts(putFail.stdout)], [6, { unchanged: 2 }]);
  const replace = await env.run("get", "-r", "--conflict", "replace", "--json", "General/many", "many");
  assertEquals([replace.code, counts(replace.stdout)], [0, { unchanged: 2, downloaded: 1 }]);
  assertEquals(await Deno.readTextFile(join(env.folder, "many", "1.txt")), "changed by another user");
});

Deno.test("put -r lists folders and looks up no single file in a second run", async () => {
  await using env = await startTestEnv();
  await manyFiles(env, 20);
  assertEquals((await env.run("put", "-r", "many", "General/many")).code, 0);
  const before = env.sandbox.requests.length;
  const again = await env.run("put", "-r", "many", "General/many");
  assertMatch(again.stderr, /^put: 20 unchanged/);
  const requests = env.sandbox.requests.slice(before);
  assert(requests.length <= 5, requests.map(({ method, path }) => `${method} ${path}`).join("\n"));
});

Deno.test("put -r counts files and bytes by result in its summary, as an object with --json", async () => {
  await using env = await startTestEnv();
  await manyFiles(env, 3);
  const text = await env.run("put", "-r", "many", "General/many");
  assertMatch(text.stderr, /^put: 3 created \(27 B\), in 0:\d\d\n$/);
  const json = await env.run("put", "-r", "--json", "many", "General/many");
  const [{ summary }] = jsonLines(json.stderr) as [{ summary: Record<string, unknown> }];
  assertEquals({ ...summary, seconds: 0 }, {
    results: { unchanged: { files: 3, bytes: 27 } },
    failed: 0,
    left: 0,
    seconds: 0,
  });
  assertEquals((await env.run("put", "-r", "--quiet", "many", "General/many")).stderr, "");
  assertEquals((await env.run("put", "many/0.txt", "General/")).stderr, "", "a single file has no summary");
});

Deno.test("put and put-large reject an existing local file as the destination (exit code 2)", async () => {
  await using env = await startTestEnv();
  await env.file("a.md", "a");
  await env.file("b.md", "b");
  manyRemoteFiles(env, 1);
  const before = env.sandbox.requests.length;
  const cases: [Parameters<TestEnv["run"]>, RegExp][] = [
    [
      ["put", "a.md", "b.md"],
      /b\.md is also a local file.*to upload it too, add FOLDER\/ at the end; for the name, write \/b\.md/,
    ],
    [["put-large", "a.md", "b.md"], /b\.md is also a local file/],
    [["put", "a.md", "-"], /uploads do not write to standard output; see \S*scripts\/put\.ts --help/],
    [["put", "-", "-"], /uploads do not write to standard output/],
  ];
  for (const [line, message] of cases) {
    const { code, stdout, stderr } = await env.runProcess(...line);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, message);
  }
  assertEquals(env.sandbox.requests.length, before);
  assertEquals((await env.run("put", "a.md", "/b.md")).code, 0);
  assertEquals((await env.run("put", "a.md", "b.md", "General/")).code, 0);
});

Deno.test("put uploads the other files when one fails", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  const { code, stdout, stderr } = await env.run("put", "a.txt", "missing.txt", "General/");
  assertEquals([code, stdout], [3, "created General/a.txt (1 B, verified)\n"]);
  assertMatch(stderr, /^put: no such local file: missing\.txt; check the path \(noLocalFile\)\n/);
  assertMatch(stderr, /put: 1 created \(1 B\), 1 failed, in 0:\d\d\n$/);
});

Deno.test("readAhead() reads a slow list ahead of its consumer, and keeps order and errors", async () => {
  const seen: (number | undefined)[] = [];
  async function* list() {
    for (let i = 0; i < 5; i++) yield await Promise.resolve(i);
    throw new Error("broke off");
  }
  const got: number[] = [];
  try {
    for await (const thing of readAhead(list(), 3, (thing) => seen.push(thing))) {
      got.push(thing);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (got.length === 1) assertEquals(seen.length >= 3 && seen.length <= 4, true, String(seen));
    }
  } catch (error) {
    assertEquals((error as Error).message, "broke off");
  }
  assertEquals([got, seen], [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]);
  for await (const thing of readAhead([1, 2, 3], 1, () => {})) {
    assertEquals(thing, 1);
    break;
  }
});
