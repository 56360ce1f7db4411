/** Uploads, errors and headers in the forms of recorded responses, by field names and shapes. */

import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import {
  assertError,
  createSession,
  graphOf,
  libraryPath,
  patternBytes,
  send,
  sendFragment,
} from "./testing.ts";

const ITEM = "root:/General/new.txt";

Deno.test("upload URL names the future item, and the finished upload has SharePoint's form (PROTOCOL 7.1e, 7.3h)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const url = await createSession(graph, libraryPath(sandbox, ITEM));
  const replacing = await createSession(graph, libraryPath(sandbox, "root:/General/Agenda.md"));

  const done = await sendFragment(url, patternBytes(47), 0, 47);

  const id = /\/items\/([^/]+)\/uploadSession\?guid=/.exec(url)![1];
  assertEquals([done.status, done.json.id], [201, id]);
  assert(
    replacing.includes(`/items/${sandbox.tenant.find("Documents", "General/Agenda.md")!.id}/uploadSession`),
  );
  assertMatch(done.json["@odata.context"], /\/sites\/TestTeam\/_api\/v2\.0\/\$metadata#items\/\$entity$/);
  assertMatch(done.json.eTag, /\},2"$/);
  assertMatch(done.json.cTag, /\},2"$/);
  assertEquals(Object.keys(done.json.file).sort(), [
    "hashes",
    "irmEffectivelyEnabled",
    "irmEnabled",
    "mimeType",
  ]);
  assertEquals(Object.keys(done.json.shared), ["effectiveRoles", "scope"]);
  assertMatch(done.headers.get("content-type")!, /^application\/json;odata\.metadata=minimal;/);
  const now = (await graph("GET", libraryPath(sandbox, ITEM))).json;
  assertEquals([now.eTag, Object.keys(now.file)], [done.json.eTag, ["mimeType", "hashes"]]);
});

Deno.test("older forms: the upload URL names a staging file, and the finished upload is Graph's item", async () => {
  await using sandbox = await startSandbox({ olderForms: true });
  const url = await createSession(graphOf(sandbox), libraryPath(sandbox, ITEM));

  const done = await sendFragment(url, patternBytes(47), 0, 47);

  assertMatch(url, /uploadSession\?guid='[0-9a-f-]{36}'&path='~tmp/);
  assert(done.json["@microsoft.graph.downloadUrl"]);
  assertEquals(done.json["@content.downloadUrl"], undefined);
});

Deno.test("a read that finds nothing has no innerError on business (PROTOCOL 9b)", async () => {
  const keys = async (olderForms: boolean, as: "adele" | "robin", method = "GET") => {
    await using sandbox = await startSandbox({ olderForms });
    const reply = await graphOf(sandbox, { as })(method, "/me/drive/root:/none.txt");
    assertError(reply, 404, "itemNotFound");
    assert(reply.headers.get("request-id"));
    return Object.keys(reply.json.error);
  };

  assertEquals(await keys(false, "adele"), ["code", "message"]);
  assertEquals(await keys(false, "adele", "DELETE"), ["code", "message", "innerError"]);
  assertEquals(await keys(false, "robin"), ["code", "message", "innerError"]);
  assertEquals(await keys(true, "adele"), ["code", "message", "innerError"]);
});

Deno.test("a malformed id is 404 in a read, and 400 for a new upload session (PROTOCOL 7.1d)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);

  assertError(await graph("GET", libraryPath(sandbox, "items/none/content")), 404, "itemNotFound");
  const path = libraryPath(sandbox, "items/none:/a.txt:/createUploadSession");
  assertError(await graph("POST", path, { item: {} }), 400, "invalidRequest");
  const unknown = libraryPath(sandbox, `items/01${"A".repeat(32)}:/a.txt:/createUploadSession`);
  assertError(await graph("POST", unknown, { item: {} }), 404, "itemNotFound");
});

Deno.test("headers of reads, writes, errors and redirects differ (PROTOCOL 9f)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const headers = async (method: string, path: string, body?: unknown) => {
    const reply = await graph(method, libraryPath(sandbox, path), body);
    return ["content-type", "cache-control", "odata-version"].map((name) =>
      reply.headers.get(name)?.split("odata.")[0]
    );
  };

  assertEquals(await headers("GET", "root"), ["application/json; ", "no-cache", undefined]);
  const folder = { name: "New", folder: {} };
  assertEquals(await headers("POST", "root/children", folder), [
    "application/json;",
    "no-store, no-cache",
    "4.0",
  ]);
  assertEquals(await headers("POST", "root/children", folder), [
    "application/json",
    "no-store, no-cache",
    undefined,
  ]);
  const [type] = await headers("GET", "root:/General/Agenda.md:/content");
  assertEquals(type, "application/octet-stream");
});

Deno.test("times of upload sessions have no trailing zeros", async () => {
  await using sandbox = await startSandbox();
  const url = await createSession(graphOf(sandbox), libraryPath(sandbox, ITEM));

  assertMatch((await send(url)).json.expirationDateTime, /T\d\d:\d\d:\d\d(?:\.\d{0,2}[1-9])?Z$/);
});

Deno.test("each token that is missing, malformed or expired has its own text (PROTOCOL A9)", async () => {
  await using sandbox = await startSandbox();
  const expired = sandbox.issueToken({ lifeSeconds: 0 });
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /^Access token is empty\.$/],
    [{ authorization: "Bearer" }, /^CompactToken parsing failed/],
    [{ authorization: "Bearer none" }, /^IDX14100: /],
    [{ authorization: "Bearer a.b.c" }, /^CompactToken parsing failed/],
    [{ authorization: `Bearer ${expired}` }, /^Lifetime validation failed/],
  ];
  for (const [headers, text] of cases) {
    const reply = await send(`${sandbox.apiOrigin}/v1.0/me`, { headers });
    assertError(reply, 401, "InvalidAuthenticationToken");
    assertMatch(reply.json.error.message, text);
    assertMatch(reply.headers.get("www-authenticate")!, /^Bearer /);
  }
});

Deno.test("an unknown personal drive is an error with a text for the user (PROTOCOL 9b)", async () => {
  await using sandbox = await startSandbox();

  const { status, json } = await graphOf(sandbox, { as: "robin" })("GET", "/drives/0123456789abcdef");

  assertEquals([status, Object.keys(json.error)], [404, [
    "code",
    "message",
    "localizedMessage",
    "innerError",
  ]]);
});

Deno.test("a taken name, a malformed drive id and a folder's path and cTag have their recorded form (PROTOCOL 4.1i, N8)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const children = libraryPath(sandbox, "root/children");
  const folder = { name: "50% of all", folder: {} };
  const made = await graph("POST", children, folder);
  const inside = await graph("POST", libraryPath(sandbox, `items/${made.json.id}/children`), folder);

  const taken = await graph("POST", children, folder);
  const malformed = await graph("GET", "/drives/none");

  assertEquals([taken.status, taken.json.error.message], [409, "Name already exists"]);
  assertError(malformed, 400, "invalidRequest");
  assertMatch(made.json.cTag, /^"c:\{[0-9A-F-]{36}\},0"$/);
  assertMatch(inside.json.parentReference.path, /\/root:\/50% of all$/);
});
