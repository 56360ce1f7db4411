/** Responses that are not what was requested: requested again, then an error. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

const PAGES = { service: "graph" as const, method: "GET", path: "/children" };
const LATER_PAGE = { ...PAGES, path: "skiptoken" };
const UNEXPECTED = /the service sent an unexpected response/;

/** A bench whose scripts have a token, so that no sign-in is struck. */
async function ready(): Promise<TestEnv & { env: Record<string, string> }> {
  const b = await startTestEnv({ signIn: false });
  const env = { GRAPH_ACCESS_TOKEN: b.sandbox.issueToken() };
  return {
    ...b,
    env,
    run: (script, ...args) => b.runWith({ env }, script, ...args),
    [Symbol.asyncDispose]: () => b[Symbol.asyncDispose](),
  };
}

async function localNames(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).toSorted();
}

Deno.test("ls and get -r try a page without a list again, and fail if it stays so", async () => {
  await using b = await ready();
  const item = b.sandbox.tenant.find("Documents", "General/Agenda.md")!;
  for (
    const [page, body] of [[PAGES, {}], [LATER_PAGE, "null"], [LATER_PAGE, {
      ...item,
      children: [],
    }]] as const
  ) {
    b.sandbox.clearFaults();
    b.sandbox.addFault({ ...page, status: 200, body });
    const { code, stdout, stderr } = await b.run("ls", "Thousand");
    assertEquals([code, stdout.trim().split("\n").length], [0, 1000], stderr);
  }
  b.sandbox.addFault({ ...LATER_PAGE, times: "always", status: 200, body: {} });
  const listed = await b.run("ls", "Thousand");
  assertEquals(listed.code, 1);
  assertMatch(listed.stderr, UNEXPECTED);
  const got = await b.run("get", "-r", "--dry-run", "Thousand");
  assertEquals(got.code, 1);
  assertMatch(got.stderr, UNEXPECTED);
});

Deno.test("the list of one folder is not taken for that of another", async () => {
  await using b = await ready();
  b.sandbox.tenant.addFile("Documents", "Two/A/wanted.txt", "a");
  b.sandbox.tenant.addFile("Documents", "Two/B/other.txt", "b");
  let other: string | undefined;
  b.sandbox.addFault({
    ...PAGES,
    path: /children/,
    nth: 2,
    rewrite: (answer) => (other = answer.body as string, answer),
  });
  assertEquals((await b.run("ls", "-R", "Two")).code, 0);
  b.sandbox.clearFaults();
  b.sandbox.addFault({ ...PAGES, nth: 3, rewrite: (answer) => ({ ...answer, body: other! }) });
  const { code, stdout, stderr } = await b.run("ls", "-R", "Two");
  assertEquals([code, stdout], [0, "Two/A/\nTwo/A/wanted.txt\nTwo/B/\nTwo/B/other.txt\n"], stderr);
});

Deno.test("a download does not go on with the facts of another item", async () => {
  await using b = await ready();
  b.sandbox.tenant.addFile("Documents", "General/a.txt", "wanted");
  b.sandbox.tenant.addFile("Documents", "General/b.txt", "another");
  const [other] = jsonLines((await b.run("ls", "--json", "General/b.txt")).stdout);
  const graph = (path: string) =>
    fetch(`${b.sandbox.apiOrigin}/v1.0${path}`, {
      headers: { authorization: `Bearer ${b.env.GRAPH_ACCESS_TOKEN}` },
    }).then((response) => response.text());
  const body = await graph(`/drives/${other!.driveId}/items/${other!.id}`);
  const refresh = { service: "graph" as const, path: /\/items\/[^/?]+$/, status: 200, body };
  b.sandbox.addFault({ service: "storage", meanwhile: "link-expires" }, { ...refresh, times: 1 });
  const once = await b.run("get", "General/a.txt");
  assertEquals(once.code, 0, once.stderr);
  assertEquals(await Deno.readTextFile(join(b.folder, "a.txt")), "wanted");
  b.sandbox.clearFaults();
  b.sandbox.addFault({ service: "storage", meanwhile: "link-expires" }, { ...refresh, times: "always" });
  const always = await b.run("get", "General/a.txt", "again.txt");
  assertEquals(always.code, 1);
  assertMatch(always.stderr, UNEXPECTED);
  assertEquals(await localNames(b.folder), ["a.txt"]);
});

Deno.test("an upload is not reported as another file of the same content", async () => {
  await using b = await ready();
  b.sandbox.tenant.addFile("Documents", "General/twin.txt", "the same");
  const [twin] = jsonLines((await b.run("ls", "--json", "General/twin.txt")).stdout);
  const { id, driveId, hash } = twin as { id: string; driveId: string; hash: string };
  const file = await b.file("mine.txt", "the same");
  b.sandbox.addFault({
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
  const { code, stdout, stderr } = await b.run("put", "--json", file, "General/");
  assertEquals(code, 0, stderr);
  const [result] = jsonLines(stdout);
  assertEquals([result!.path, result!.result], ["General/mine.txt", "created"]);
  assert(result!.id !== id);
});

Deno.test("get -r and ls report entries that are no items, and bring the others", async () => {
  await using b = await ready();
  b.sandbox.tenant.addFile("Documents", "Odd/good.txt", "good");
  b.sandbox.tenant.addFile("Documents", "Odd/Below/too.txt", "too");
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
  b.sandbox.addFault({
    ...PAGES,
    times: "always",
    rewrite: (answer) => {
      const page = JSON.parse(answer.body as string);
      return { ...answer, body: JSON.stringify({ ...page, value: [...odd, ...page.value] }) };
    },
  });
  const got = await b.run("get", "-r", "Odd", "here");
  assertEquals(got.code, 1);
  assertEquals(
    got.stderr.split("\n").filter((line) => /is not a valid item/.test(line)).length,
    2 * odd.length,
  );
  assertEquals(/internal/.test(got.stderr), false, got.stderr);
  assertEquals(await localNames(join(b.folder, "here")), ["Below", "good.txt"]);
  assertEquals(await localNames(join(b.folder, "here", "Below")), ["too.txt"]);
  const listed = await b.run("ls", "-R", "Odd");
  assertEquals([listed.code, listed.stdout], [1, "Odd/Below/\nOdd/Below/too.txt\nOdd/good.txt\n"]);
  assertMatch(listed.stderr, /^ls: listing of Odd: the entry.*\(invalidItem\)\n$/);
});

Deno.test("folders within folders without end are one failure", async () => {
  await using b = await ready();
  let made = 0;
  const deep = { value: [{ id: "", name: "d", folder: {} }] };
  b.sandbox.addFault({
    ...PAGES,
    times: "always",
    status: 200,
    body: () => ({ value: [{ ...deep.value[0], id: `01D${++made}` }] }),
  });
  const listed = await b.run("ls", "-R", "General");
  assertEquals(listed.code, 1);
  assertMatch(listed.stderr, /deeper than the service allows/);
  assertEquals(listed.stdout.trim().split("\n").length, 400);
  const got = await b.run("get", "-r", "--dry-run", "General");
  assertEquals([got.code, got.stderr.trim().split("\n").length], [1, 1], got.stderr);
});

Deno.test("a size that no file can have is refused before anything is fetched", async () => {
  await using b = await ready();
  b.sandbox.tenant.addFile("Documents", "General/huge.bin", "small");
  b.sandbox.addFault({ service: "graph", path: "huge.bin", times: "always", patch: { size: 1e15 } });
  const { code, stderr } = await b.run("get", "General/huge.bin");
  assertEquals(code, 1);
  assertMatch(stderr, UNEXPECTED);
  assert(b.sandbox.requests.every(({ service }) => service !== "storage"));
});

Deno.test("what goes on beyond the stated size does not fill the disk", async () => {
  await using b = await ready();
  b.sandbox.tenant.addFile("Documents", "General/ten.docx", "ten bytes.");
  b.sandbox.addFault({ service: "storage", times: "always", status: 200, body: "x".repeat(60_000_000) });
  const { code, stderr } = await b.run("get", "General/ten.docx");
  assertEquals(code, 7, stderr);
  const [kept, ...others] = await localNames(b.folder);
  assertEquals(others, []);
  assertMatch(kept!, /\.damaged$/);
  const { size } = await Deno.stat(join(b.folder, kept!));
  assert(size < 18 * 1024 * 1024, `${size} bytes`);
  const piped = await b.run("get", "General/ten.docx", "-");
  assertEquals(piped.code, 7);
  assert(piped.stdout.length < 18 * 1024 * 1024, `${piped.stdout.length} bytes`);
});

Deno.test("the answer that holds an upload URL is never printed, whole or cut", async () => {
  await using b = await ready();
  const file = await b.file("a.bin", "abc");
  const bodies = [
    String.raw`{"uploadUrl":"https:\/\/contoso.sharepoint.com\/_api\/SECRET?guid='SECRET'&tempauth=SECRET`,
    `{"uploadUrl":"SECRET`,
    `SECRET`,
    JSON.stringify({ error: { code: "invalidRequest", message: "see https:\\u002f\\u002fh\\/SECRET" } }),
    JSON.stringify({ code: "x", message: "SECRET" }),
  ];
  for (const body of bodies) {
    b.sandbox.clearFaults();
    b.sandbox.addFault({ path: "createUploadSession", status: 200, body });
    const { code, stderr } = await b.run("put-large", "--verbose", file, "General/");
    assertEquals(code, 1, stderr);
    assertEquals(/SECRET/.test(stderr), false, stderr);
  }
});

Deno.test("a path is shown as it is, whether the service encodes it or not", async () => {
  await using b = await ready();
  const folder = "50% off/a%25b ä";
  for (
    const [name, asGiven] of [["50% off", false], ["a%25b", false], [folder, false], [folder, true]] as const
  ) {
    b.sandbox.clearFaults();
    b.sandbox.tenant.addFile("Documents", `${name}/x.txt`, "x");
    const [item] = jsonLines((await b.run("ls", "--json", `${name}/x.txt`)).stdout);
    const path = `/drives/x/root:/${name.split("/").map(encodeURIComponent).join("/")}`;
    if (asGiven) b.sandbox.addFault({ path: `/items/${item!.id}`, patch: { parentReference: { path } } });
    const [byId] = jsonLines((await b.run("ls", "--json", `id:${item!.driveId}/${item!.id}`)).stdout);
    assertEquals(byId!.path, `${name}/x.txt`);
  }
});
