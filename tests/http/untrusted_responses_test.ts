/** Responses that are not what was requested: requested again, then an error. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { fastClock, jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

const PAGES = { service: "graph" as const, method: "GET", path: "/children" };
const LATER_PAGE = { ...PAGES, path: "skiptoken" };
const UNEXPECTED = /the service sent an unexpected response/;

/** An environment whose scripts have a token, so that no sign-in is affected. */
async function startWithToken(): Promise<TestEnv & { variables: Record<string, string> }> {
  const env = await startTestEnv({ signIn: false, http: fastClock() });
  const variables = { GRAPH_ACCESS_TOKEN: env.sandbox.issueToken() };
  return {
    ...env,
    variables,
    run: (script, ...args) => env.runWith({ env: variables }, script, ...args),
    runProcess: (script, ...args) => env.runProcessWith({ env: variables }, script, ...args),
    [Symbol.asyncDispose]: () => env[Symbol.asyncDispose](),
  };
}

async function localNames(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).toSorted();
}

Deno.test("ls and get -r request a page without a list again, then fail", async () => {
  await using env = await startWithToken();
  const item = env.sandbox.tenant.find("Documents", "General/Agenda.md")!;
  for (
    const [page, body] of [[PAGES, {}], [LATER_PAGE, "null"], [LATER_PAGE, {
      ...item,
      children: [],
    }]] as const
  ) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ ...page, status: 200, body });
    const { code, stdout, stderr } = await env.run("ls", "Thousand");
    assertEquals([code, stdout.trim().split("\n").length], [0, 1000], stderr);
  }
  env.sandbox.addFault({ ...LATER_PAGE, times: "always", status: 200, body: {} });
  const listed = await env.run("ls", "Thousand");
  assertEquals(listed.code, 1);
  assertMatch(listed.stderr, UNEXPECTED);
  const got = await env.run("get", "-r", "--dry-run", "Thousand");
  assertEquals(got.code, 1);
  assertMatch(got.stderr, UNEXPECTED);
});

Deno.test("ls and get -r reject the listing of another folder", async () => {
  await using env = await startWithToken();
  env.sandbox.tenant.addFile("Documents", "Two/A/wanted.txt", "a");
  env.sandbox.tenant.addFile("Documents", "Two/B/other.txt", "b");
  let other: string | undefined;
  env.sandbox.addFault({
    ...PAGES,
    path: /children/,
    nth: 2,
    rewrite: (answer) => (other = answer.body as string, answer),
  });
  assertEquals((await env.run("ls", "-R", "Two")).code, 0);
  env.sandbox.clearFaults();
  env.sandbox.addFault({ ...PAGES, nth: 3, rewrite: (answer) => ({ ...answer, body: other! }) });
  const { code, stdout, stderr } = await env.run("ls", "-R", "Two");
  assertEquals([code, stdout], [0, "Two/A/\nTwo/A/wanted.txt\nTwo/B/\nTwo/B/other.txt\n"], stderr);
});

Deno.test("get rejects the properties of another item", async () => {
  await using env = await startWithToken();
  env.sandbox.tenant.addFile("Documents", "General/a.txt", "wanted");
  env.sandbox.tenant.addFile("Documents", "General/b.txt", "another");
  const [other] = jsonLines((await env.run("ls", "--json", "General/b.txt")).stdout);
  const graph = (path: string) =>
    fetch(`${env.sandbox.apiOrigin}/v1.0${path}`, {
      headers: { authorization: `Bearer ${env.variables.GRAPH_ACCESS_TOKEN}` },
    }).then((response) => response.text());
  const body = await graph(`/drives/${other!.driveId}/items/${other!.id}`);
  const refresh = { service: "graph" as const, path: /\/items\/[^/?]+$/, status: 200, body };
  env.sandbox.addFault({ service: "storage", sideEffect: "link-expires" }, { ...refresh, times: 1 });
  const once = await env.run("get", "General/a.txt");
  assertEquals(once.code, 0, once.stderr);
  assertEquals(await Deno.readTextFile(join(env.folder, "a.txt")), "wanted");
  env.sandbox.clearFaults();
  env.sandbox.addFault({ service: "storage", sideEffect: "link-expires" }, { ...refresh, times: "always" });
  const always = await env.run("get", "General/a.txt", "again.txt");
  assertEquals(always.code, 1);
  assertMatch(always.stderr, UNEXPECTED);
  assertEquals(await localNames(env.folder), ["a.txt"]);
});

Deno.test("put does not report another file of the same content", async () => {
  await using env = await startWithToken();
  env.sandbox.tenant.addFile("Documents", "General/twin.txt", "the same");
  const [twin] = jsonLines((await env.run("ls", "--json", "General/twin.txt")).stdout);
  const { id, driveId, hash } = twin as { id: string; driveId: string; hash: string };
  const file = await env.file("mine.txt", "the same");
  env.sandbox.addFault({
    method: "PUT",
    path: "/content",
    when: "after",
    status: 201,
    body: {
      id,
      name: "twin.txt",
      size: 8,
      file: { hashes: { quickXorHash: hash } },
      parentReference: { driveId },
    },
  });
  const { code, stdout, stderr } = await env.run("put", "--json", file, "General/");
  assertEquals(code, 0, stderr);
  const [result] = jsonLines(stdout);
  assertEquals([result!.path, result!.result], ["General/mine.txt", "created"]);
  assert(result!.id !== id);
});

Deno.test("ls and get -r report invalid entries, and process the others", async () => {
  await using env = await startWithToken();
  env.sandbox.tenant.addFile("Documents", "Odd/good.txt", "good");
  env.sandbox.tenant.addFile("Documents", "Odd/Below/too.txt", "too");
  const file = (item: Record<string, unknown>) => ({
    id: crypto.randomUUID(),
    name: "x.txt",
    size: 1,
    file: {},
    ...item,
  });
  const odd = [
    ...[null, 5, "text", []],
    ...[{ name: 5 }, { name: "" }, { name: null }, { id: null }, { id: 7 }, { name: "x".repeat(401) }].map(
      file,
    ),
    ...[{ name: "half \ud800" }, { size: "1" }, { size: -1 }, { size: 0.5 }, { size: 1e15 }].map(file),
    ...[{ file: "yes" }, { file: { hashes: { quickXorHash: 5 } } }, { parentReference: "p" }, { eTag: {} }]
      .map(file),
  ];
  env.sandbox.addFault({
    ...PAGES,
    times: "always",
    rewrite: (answer) => {
      const page = JSON.parse(answer.body as string);
      return { ...answer, body: JSON.stringify({ ...page, value: [...odd, ...page.value] }) };
    },
  });
  const got = await env.run("get", "-r", "Odd", "here");
  assertEquals(got.code, 1);
  assertEquals(
    got.stderr.split("\n").filter((line) => /is not a valid item/.test(line)).length,
    2 * odd.length,
  );
  assertEquals(/internal/.test(got.stderr), false, got.stderr);
  assertEquals(await localNames(join(env.folder, "here")), ["Below", "good.txt"]);
  assertEquals(await localNames(join(env.folder, "here", "Below")), ["too.txt"]);
  const listed = await env.run("ls", "-R", "Odd");
  assertEquals([listed.code, listed.stdout], [1, "Odd/Below/\nOdd/Below/too.txt\nOdd/good.txt\n"]);
  assertMatch(listed.stderr, /^ls: listing of Odd: the entry.*\(invalidItem\)\n$/);
});

Deno.test("ls -R and get -r fail once on endless nesting of folders", async () => {
  await using env = await startWithToken();
  let made = 0;
  const deep = { value: [{ id: "", name: "d", folder: {} }] };
  env.sandbox.addFault({
    ...PAGES,
    times: "always",
    status: 200,
    body: () => ({ value: [{ ...deep.value[0], id: `01D${++made}` }] }),
  });
  const listed = await env.run("ls", "-R", "General");
  assertEquals(listed.code, 1);
  assertMatch(listed.stderr, /deeper than the service allows/);
  assertEquals(listed.stdout.trim().split("\n").length, 400);
  const got = await env.run("get", "-r", "--dry-run", "General");
  assertEquals([got.code, got.stderr.trim().split("\n").length], [1, 1], got.stderr);
});

Deno.test("get rejects an impossible size before it downloads anything", async () => {
  await using env = await startWithToken();
  env.sandbox.tenant.addFile("Documents", "General/huge.bin", "small");
  env.sandbox.addFault({ service: "graph", path: "huge.bin", times: "always", patch: { size: 1e15 } });
  const { code, stderr } = await env.run("get", "General/huge.bin");
  assertEquals(code, 1);
  assertMatch(stderr, UNEXPECTED);
  assert(env.sandbox.requests.every(({ service }) => service !== "storage"));
});

Deno.test("get stops a body that exceeds the stated size", async () => {
  await using env = await startWithToken();
  env.sandbox.tenant.addFile("Documents", "General/ten.docx", "ten bytes.");
  env.sandbox.addFault({ service: "storage", times: "always", status: 200, body: "x".repeat(60_000_000) });
  const { code, stderr } = await env.run("get", "General/ten.docx");
  assertEquals(code, 7, stderr);
  const [kept, ...others] = await localNames(env.folder);
  assertEquals(others, []);
  assertMatch(kept!, /\.damaged$/);
  const { size } = await Deno.stat(join(env.folder, kept!));
  assert(size < 18 * 1024 * 1024, `${size} bytes`);
  const piped = await env.runProcess("get", "General/ten.docx", "-");
  assertEquals(piped.code, 7);
  assert(piped.stdout.length < 18 * 1024 * 1024, `${piped.stdout.length} bytes`);
});

Deno.test("put-large never prints a response that contains an upload URL", async () => {
  await using env = await startWithToken();
  const file = await env.file("a.bin", "abc");
  const bodies = [
    String.raw`{"uploadUrl":"https:\/\/contoso.sharepoint.com\/_api\/SECRET?guid='SECRET'&tempauth=SECRET`,
    `{"uploadUrl":"SECRET`,
    `SECRET`,
    JSON.stringify({ error: { code: "invalidRequest", message: "see https:\\u002f\\u002fh\\/SECRET" } }),
    JSON.stringify({ code: "x", message: "SECRET" }),
  ];
  for (const body of bodies) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ path: "createUploadSession", status: 200, body });
    const { code, stderr } = await env.run("put-large", "--verbose", file, "General/");
    assertEquals(code, 1, stderr);
    assertEquals(/SECRET/.test(stderr), false, stderr);
  }
});

Deno.test("ls decodes paths that the service encodes, and only those", async () => {
  await using env = await startWithToken();
  const folder = "50% off/a%25b ä";
  for (
    const [name, asGiven] of [["50% off", false], ["a%25b", false], [folder, false], [folder, true]] as const
  ) {
    env.sandbox.clearFaults();
    env.sandbox.tenant.addFile("Documents", `${name}/x.txt`, "x");
    const [item] = jsonLines((await env.run("ls", "--json", `${name}/x.txt`)).stdout);
    const path = `/drives/x/root:/${name.split("/").map(encodeURIComponent).join("/")}`;
    if (asGiven) env.sandbox.addFault({ path: `/items/${item!.id}`, patch: { parentReference: { path } } });
    const [byId] = jsonLines((await env.run("ls", "--json", `id:${item!.driveId}/${item!.id}`)).stdout);
    assertEquals(byId!.path, `${name}/x.txt`);
  }
});
