import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { docx } from "../tenant/seed_documents.ts";
import { readZip } from "../tenant/zip.ts";
import {
  assertError,
  createSession,
  graphOf,
  libraryPath,
  patternBytes,
  raw,
  sendFragment,
  tenantOf,
  until,
} from "./testing.ts";

Deno.test("PUT content creates and replaces files, and updates versions and hashes (PROTOCOL 6d, 10.2b)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/note.txt");
  const created = await graph("PUT", `${path}:/content`, "hello", { "content-type": "image/png" });
  assertEquals([created.status, created.json.size], [201, 5]);
  assertEquals(created.json.file, {
    mimeType: "text/plain",
    hashes: { quickXorHash: "aCgDG9jwBgAAAAAABQAAAAAAAAA=" },
  });
  assertEquals(created.json.createdBy.application.id, sandbox.env["GRAPH_CLIENT_ID"]);
  const replaced = await graph(
    "PUT",
    `${path.replace("General/note", "GENERAL/NOTE")}:/content`,
    "hello again",
  );
  assertEquals([replaced.status, replaced.json.id, replaced.json.name], [200, created.json.id, "note.txt"]);
  assert(replaced.json.eTag !== created.json.eTag && replaced.json.cTag !== created.json.cTag);
  const byId = await graph("PUT", libraryPath(sandbox, `items/${created.json.id}/content`), "third");
  assertEquals(byId.status, 200);
  const info = sandbox.tenant.find("Documents", "General/note.txt")!;
  assertEquals([info.versions, info.size, info.modified.getTime() > Date.now() - 60_000], [3, 5, true]);
  assertEquals(
    new TextDecoder().decode(await sandbox.tenant.bytes("Documents", "General/note.txt")),
    "third",
  );
});

Deno.test("PUT content reads the conflict behavior only from the query", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Agenda.md:/content");
  const put = (conflict: string) =>
    graph("PUT", `${path}?@microsoft.graph.conflictBehavior=${conflict}`, "x");
  assertError(await put("fail"), 409, "nameAlreadyExists");
  const renamed = await put("rename");
  assertEquals([renamed.status, renamed.json.name], [201, "Agenda 1.md"]);
  assertEquals((await put("rename")).json.name, "Agenda 2.md");
  assertEquals((await put("replace")).status, 200);
  assertError(await put("overwrite"), 400, "invalidRequest", "invalidParameterFormat");
  assertEquals((await graph("PUT", path, "y", { "conflict-behavior": "fail" })).status, 200);
});

Deno.test("PUT content conflicts with folders and packages, and creates parents (PROTOCOL 3.4a, E7)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const put = (path: string) => graph("PUT", libraryPath(sandbox, `root:/${path}:/content`), "x");
  assertError(await put("General"), 409, "nameAlreadyExists");
  assertError(await put("General/Team%20Notebook"), 409, "nameAlreadyExists");
  assertError(await put("General/Agenda.md/x.txt"), 404, "itemNotFound");
  assertEquals((await put("A/B/c.txt")).status, 201);
  assertEquals(sandbox.tenant.find("Documents", "A/B")!.children, ["c.txt"]);
  sandbox.tenant.behavior.putCreatesParents = false;
  assertError(await put("C/d.txt"), 404, "itemNotFound");
  assertEquals(sandbox.tenant.find("Documents", "C"), undefined);
});

Deno.test("PUT content checks If-Match, Content-Type and quota", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Agenda.md:/content");
  const { eTag } = sandbox.tenant.find("Documents", "General/Agenda.md")!;
  assertEquals((await graph("PUT", path, "one", { "if-match": eTag })).status, 200);
  assertError(
    await graph("PUT", path, "two", { "if-match": eTag }),
    412,
    "resourceModified",
    "entityTagDoesNotMatch",
  );
  assertError(
    await graph("PUT", path, "two", { "if-match": "3" }),
    400,
    "invalidRequest",
    "malformedEntityTag",
  );
  const request = `PUT /v1.0${path} HTTP/1.1\nHost: graph\nAuthorization: Bearer ${sandbox.issueToken()}\n`;
  const untyped = await raw(sandbox.apiOrigin, `${request}Content-Length: 1\nConnection: close\n\nx`);
  assertMatch(untyped, /^HTTP\/1.1 400 [^]*must contain the Content-Type header declaration/);
  sandbox.tenant.drive("Documents").quotaBytes = tenantOf(sandbox).drive("Documents").root.size + 10;
  assertError(await graph("PUT", path, patternBytes(11)), 507, "quotaLimitReached");
  const { json } = await graph("GET", libraryPath(sandbox, "").slice(0, -1));
  assertEquals([json.quota.remaining, json.quota.state], [10, "critical"]);
});

Deno.test("PUT content rejects more than 262,144,000 bytes with 413 and SharePoint's text (PROTOCOL U18)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const reply = await graph("PUT", "/me/drive/root:/big.bin:/content", new Uint8Array(262_144_001));
  assertEquals(reply.status, 413);
  assertStringIncludes(reply.json.error.message, "does not allow messages larger than 262144000 bytes");
  assertStringIncludes(reply.json.error.code, "InvalidClientQueryException");
  assertEquals(
    (await graph("PUT", "/me/drive/root:/big.bin:/content", new Uint8Array(262_144_000))).status,
    201,
  );
});

Deno.test("requests without a length fail with 411 in HTML (PROTOCOL 6e)", async () => {
  await using sandbox = await startSandbox();
  const head = `Host: graph\nAuthorization: Bearer ${sandbox.issueToken()}\nConnection: close\n\n`;
  const text = await raw(
    sandbox.apiOrigin,
    `POST /v1.0/me/drive/root:/x.bin:/createUploadSession HTTP/1.1\n${head}`,
  );
  assertMatch(text, /^HTTP\/1.1 411 [^]*content-type: text\/html[^]*<html>/i);
});

Deno.test("interrupted PUT leaves a truncated file if chunked, and nothing if it had a length (PROTOCOL U12)", async () => {
  await using sandbox = await startSandbox();
  const head = (name: string) =>
    `PUT /v1.0/me/drive/root:/${name}:/content HTTP/1.1\nHost: graph\nAuthorization: Bearer ${sandbox.issueToken()}\n` +
    "Content-Type: text/plain\n";
  const sendBroken = async (text: string) => {
    const count = sandbox.requests.length;
    const connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(sandbox.apiOrigin).port),
    });
    await connection.write(new TextEncoder().encode(text.replaceAll("\n", "\r\n")));
    await until(() => sandbox.requests.length > count);
    connection.close();
    await until(() => sandbox.requests[count]!.requestBytes === 5);
  };
  await sendBroken(`${head("chunked.txt")}Transfer-Encoding: chunked\n\n5\nhello\n`);
  await sendBroken(`${head("counted.txt")}Content-Length: 10\n\nhello`);
  assertEquals(sandbox.tenant.find("me", "chunked.txt")?.size, 5);
  assertEquals(sandbox.tenant.find("me", "counted.txt"), undefined);
  assertEquals(sandbox.requests.map((request) => request.status), [0, 0]);
});

Deno.test("SharePoint rewrites Office files before or after the response (PROTOCOL U20)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const document: Uint8Array = docx("text");
  const put = (drive: string, name: string, bytes = document) =>
    graph("PUT", `/drives/${sandbox.tenant.drive(drive).id}/root:/${name}:/content`, bytes);
  const { behavior } = sandbox.tenant;
  behavior.rewriteOfficeFiles = "in-response";
  const { size } = (await put("Documents", "a.docx")).json;
  assert(size !== document.length);
  const parts = readZip(await sandbox.tenant.bytes("Documents", "a.docx"))!;
  assertEquals(
    parts.filter(({ name }) => /^(word|docProps|customXml\/item)/.test(name)).map(({ name }) => name),
    [
      "word/document.xml",
      "docProps/custom.xml",
      "customXml/item1.xml",
      "customXml/itemProps1.xml",
    ],
  );
  assertEquals((await put("Documents", "a.docx")).json.size, size, "the same of the same");
  assertEquals(
    (await put("Documents", "no.docx", patternBytes(1000))).json.size,
    1000,
    "what it cannot open",
  );
  assertEquals((await put("Documents", "a.bin")).json.size, document.length);
  assertEquals((await put("me", "a.docx")).json.size, document.length, "not in a OneDrive");
  behavior.rewriteOfficeFiles = "after-response";
  const { json } = await put("Documents", "b.docx");
  assertEquals(json.size, document.length);
  const later = (await graph("GET", libraryPath(sandbox, "root:/b.docx"))).json;
  assert(later.size !== json.size && later.cTag !== json.cTag);
  assert(later.file.hashes.quickXorHash !== json.file.hashes.quickXorHash);
});

Deno.test("a document that SharePoint rewrites keeps the client's time (PROTOCOL 11c)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  sandbox.tenant.behavior.rewriteOfficeFiles = "after-response";
  const fileSystemInfo = { lastModifiedDateTime: "2020-02-03T04:05:06Z" };
  const path = libraryPath(sandbox, "root:/c.docx");
  const url = await createSession(graph, path, { fileSystemInfo });
  const document = new Uint8Array(docx("text"));

  await sendFragment(url, document, 0, document.length);
  const { json } = await graph("GET", path);

  assert(json.size !== document.length);
  assertEquals(json.fileSystemInfo.lastModifiedDateTime, "2020-02-03T04:05:06Z");
});

Deno.test("new files lack their hash for some reads (PROTOCOL 10b)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  sandbox.tenant.behavior.readsWithoutHash = 2;
  const hashes = [(await graph("PUT", "/me/drive/root:/x.txt:/content", "hello")).json.file.hashes];
  for (let n = 0; n < 2; n++) hashes.push((await graph("GET", "/me/drive/root:/x.txt")).json.file.hashes);
  assertEquals(hashes, [{}, {}, { quickXorHash: "aCgDG9jwBgAAAAAABQAAAAAAAAA=" }]);
});

Deno.test("a document that was deleted before its rewrite stays deleted", async () => {
  await using sandbox = await startSandbox();
  sandbox.tenant.behavior.rewriteOfficeFiles = "after-response";
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Copy.docx");
  const bytes = await sandbox.tenant.bytes("Documents", "General/Report.docx");
  assertEquals((await graph("PUT", `${path}:/content`, bytes)).status, 201);
  sandbox.tenant.remove("Documents", "General/Copy.docx");
  assertError(await graph("GET", path), 404, "itemNotFound");
});
