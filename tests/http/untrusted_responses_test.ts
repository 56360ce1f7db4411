/** Responses that are not what was requested: requested again, then an error. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { fastClock, jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";
import type { FaultRule } from "../sandbox/faults.ts";

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
  const childrenOf = (path: string) => `${env.sandbox.tenant.find("Documents", path)!.id}/children`;
  let other: string | undefined;
  env.sandbox.addFault({
    ...PAGES,
    path: childrenOf("Two/A"),
    rewrite: (answer) => (other = answer.body as string, answer),
  });
  assertEquals((await env.run("ls", "-R", "Two")).code, 0);
  env.sandbox.clearFaults();
  const rewrite: FaultRule["rewrite"] = (answer) => ({ ...answer, body: other! });
  env.sandbox.addFault({ ...PAGES, path: childrenOf("Two/B"), rewrite });
  const { code, stdout, stderr } = await env.run("ls", "-R", "Two");
  assertEquals([code, stdout], [0, "Two/A/\nTwo/B/\nTwo/A/wanted.txt\nTwo/B/other.txt\n"], stderr);
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

Deno.test("ls decodes paths that the service encodes, and only those (PROTOCOL N8)", async () => {
  await using env = await startWithToken();
  const folder = "50% off/a%25b ä";
  for (
    const [name, asGiven] of [["50% off", false], [folder, false], [folder, true]] as const
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
