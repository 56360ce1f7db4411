import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
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

const KIB_320 = 327_680;
const CONFLICT = "@microsoft.graph.conflictBehavior";

Deno.test("session receives fragments, reports the next expected range, and creates the file", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const bytes = patternBytes(3 * KIB_320 + 1);
  const created = await graph("POST", libraryPath(sandbox, "root:/General/big.bin:/createUploadSession"), {
    item: {
      [CONFLICT]: "fail",
      name: "big.bin",
      fileSystemInfo: {
        createdDateTime: "2020-01-01T00:00:00Z",
        lastModifiedDateTime: "2021-02-03T04:05:06.987Z",
      },
    },
  });
  const { uploadUrl, nextExpectedRanges, expirationDateTime } = created.json;
  assertEquals([created.status, nextExpectedRanges], [200, ["0-"]]);
  assert(uploadUrl.startsWith(`${sandbox.storageOrigin}/sites/TestTeam/_api/v2.0/drives/b!`));
  assertMatch(uploadUrl, /uploadSession\?guid='[0-9a-f-]{36}'&overwrite=/);
  const minutes = (Date.parse(expirationDateTime) - Date.now()) / 60_000;
  assert(minutes > 14 && minutes <= 15);
  const first = await sendFragment(uploadUrl, bytes, 0, 2 * KIB_320);
  assertEquals([first.status, first.json.nextExpectedRanges], [202, [`${2 * KIB_320}-`]]);
  assertEquals((await send(uploadUrl)).json.nextExpectedRanges, [`${2 * KIB_320}-`]);
  assertEquals(sandbox.tenant.openSessions().map((session) => session.keptBytes), [2 * KIB_320]);
  assert(
    !sandbox.tenant.find("Documents", "General")!.children.includes("big.bin"),
    "nothing half-done is visible",
  );
  const last = await sendFragment(uploadUrl, bytes, 2 * KIB_320, bytes.length);
  assertEquals([last.status, last.json.name, last.json.size], [201, "big.bin", bytes.length]);
  assert(last.json["@content.downloadUrl"].startsWith(sandbox.storageOrigin));
  assertEquals(last.json["@microsoft.graph.downloadUrl"], undefined);
  assertEquals(last.json.fileSystemInfo, {
    createdDateTime: "2020-01-01T00:00:00Z",
    lastModifiedDateTime: "2021-02-03T04:05:06Z",
  });
  assertEquals(await sandbox.tenant.bytes("Documents", "General/big.bin"), bytes);
  assertEquals(sandbox.tenant.openSessions(), []);
  assertError(await send(uploadUrl), 404, "itemNotFound");
});

Deno.test("session reads only properties inside `item`, and replaces by default (PROTOCOL U1, U2)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const bytes = patternBytes(10);
  const path = libraryPath(sandbox, "root:/General/Agenda.md");
  for (const body of [undefined, { [CONFLICT]: "fail" }, { item: {} }]) {
    const created = await graph("POST", `${path}:/createUploadSession`, body);
    assertEquals(created.status, 200, created.text);
    assertEquals((await sendFragment(created.json.uploadUrl, bytes, 0, 10)).status, 200);
  }
  const refused = await graph("POST", `${path}:/createUploadSession`, { item: { [CONFLICT]: "fail" } });
  assertError(refused, 409, "nameAlreadyExists");
  const url = await createSession(graph, path, { [CONFLICT]: "rename" });
  const renamed = await sendFragment(url, bytes, 0, 10);
  assertEquals([renamed.status, renamed.json.name], [201, "Agenda 1.md"]);
});

Deno.test("session rejects properties that SharePoint does not support (PROTOCOL U4, U25, 7.1b)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const create = (item: unknown) =>
    graph("POST", libraryPath(sandbox, "root:/x.bin:/createUploadSession"), { item });
  for (const extra of [{ fileSize: 1 }, { size: 1 }, { description: "x" }, { "@odata.type": "x" }]) {
    assertError(await create({ [CONFLICT]: "fail", ...extra }), 400, "invalidRequest");
  }
  assertError(await create({ [CONFLICT]: "overwrite" }), 400, "invalidRequest", "invalidParameterFormat");
  assertError(await create({ name: "y.bin" }), 400, "invalidRequest");
  assertError(await create({ fileSystemInfo: {}, [CONFLICT]: "fail" }), 400, "invalidRequest");
  assertError(await create({ fileSystemInfo: { lastModifiedDateTime: 5 } }), 400, "invalidRequest");
  assertError(await create("x"), 400, "invalidRequest");
  const untyped = await graph("POST", libraryPath(sandbox, "root:/x.bin:/createUploadSession"), "{}");
  assertError(untyped, 400, "BadRequest");
  assertEquals((await create({ [CONFLICT]: "fail", name: "X.bin" })).status, 200);
});

Deno.test("second session for a file fails with 409 until the first ends (PROTOCOL U9)", async () => {
  await using sandbox = await startSandbox({ uploadSessionLifeSeconds: 0.5 });
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/x.bin");
  const first = await createSession(graph, path);
  for (const conflict of ["replace", "rename", "fail"]) {
    const upper = path.replace("x.bin", "X.BIN");
    const reply = await graph("POST", `${upper}:/createUploadSession`, { item: { [CONFLICT]: conflict } });
    assertError(reply, 409, "nameAlreadyExists");
    assertStringIncludes(reply.json.error.message, "An upload session already exists");
  }
  assertEquals((await send(first, { method: "DELETE" })).status, 204);
  assertError(await send(first, { method: "DELETE" }), 404, "itemNotFound");
  const second = await createSession(graph, path);
  await new Promise((resolve) => setTimeout(resolve, 550));
  assertError(await send(second), 404, "itemNotFound");
  await createSession(graph, path);
});

Deno.test("session requires the path of a file in an existing folder", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const general = sandbox.tenant.find("Documents", "General")!.id;
  const create = (path: string) =>
    graph("POST", libraryPath(sandbox, path), { item: { [CONFLICT]: "replace" } });
  assertError(await create(`items/${general}/createUploadSession`), 400, "invalidRequest");
  assertError(await create("root/createUploadSession"), 400, "invalidRequest");
  assertError(await create("root:/None/x.bin:/createUploadSession"), 404, "itemNotFound");
  assertError(await create("root:/General:/createUploadSession"), 409, "nameAlreadyExists");
  assertError(await create("root:/General/Team%20Notebook:/createUploadSession"), 409, "nameAlreadyExists");
  assertEquals((await create(`items/${general}:/x.bin:/createUploadSession`)).status, 200);
  const file = sandbox.tenant.find("Documents", "General/Report.docx")!.id;
  assertEquals((await create(`items/${file}/createUploadSession`)).status, 200);
});

Deno.test("session request with verbose OData gets 200 with an error (PROTOCOL E2)", async () => {
  await using sandbox = await startSandbox();
  const headers = { accept: "application/json;odata=verbose" };
  const reply = await graphOf(sandbox)(
    "POST",
    libraryPath(sandbox, "root:/x:/createUploadSession"),
    {},
    headers,
  );
  assertEquals([reply.status, reply.json.error.code, reply.json.uploadUrl], [200, "notSupported", undefined]);
});

Deno.test("commit applies the conflict behavior to a file that appeared in the meantime", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const bytes = patternBytes(KIB_320 + 5);
  const outcomes: [number, string | undefined][] = [];
  for (const conflict of ["fail", "rename", "replace"]) {
    const name = `${conflict}.bin`;
    const url = await createSession(graph, libraryPath(sandbox, `root:/General/${name}`), {
      [CONFLICT]: conflict,
    });
    await sendFragment(url, bytes, 0, KIB_320);
    sandbox.tenant.addFile("Documents", `General/${name}`, "someone else's");
    const last = await sendFragment(url, bytes, KIB_320, bytes.length);
    outcomes.push([last.status, last.json.name ?? last.json.error.code]);
    if (conflict === "fail") {
      assertEquals((await send(url)).json.nextExpectedRanges, [], "the bytes stay until the session expires");
      assertEquals((await send(url, { method: "DELETE" })).status, 204);
    }
  }
  assertEquals(outcomes, [[409, "nameAlreadyExists"], [201, "rename 1.bin"], [200, "replace.bin"]]);
  assertEquals(await sandbox.tenant.bytes("Documents", "General/replace.bin"), bytes);
  assertEquals(sandbox.tenant.find("Documents", "General/replace.bin")!.versions, 2);
  assertEquals(
    await sandbox.tenant.bytes("Documents", "General/fail.bin"),
    new TextEncoder().encode("someone else's"),
  );
});

Deno.test("session ends when its folder is deleted", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const url = await createSession(graph, libraryPath(sandbox, "root:/General/Minutes/x.bin"));
  sandbox.tenant.remove("Documents", "General/Minutes");
  assertError(await sendFragment(url, patternBytes(9), 0, 9), 404, "itemNotFound");
});

Deno.test("upload URL expires although fragments extend the session (PROTOCOL U6)", async () => {
  await using sandbox = await startSandbox({ uploadUrlLifeSeconds: 0.5 });
  const graph = graphOf(sandbox);
  const bytes = patternBytes(3 * KIB_320);
  const url = await createSession(graph, libraryPath(sandbox, "root:/x.bin"));
  const before = sandbox.tenant.openSessions()[0]!.expires;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const first = await sendFragment(url, bytes, 0, KIB_320);
  assert(Date.parse(first.json.expirationDateTime) > before.getTime());
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertError(await sendFragment(url, bytes, KIB_320, 2 * KIB_320), 401, "unauthenticated", "expiredToken");
  assertError(await send(url), 401, "unauthenticated", "expiredToken");
  assertEquals(sandbox.tenant.openSessions().length, 1, "the session itself still lives");
});

Deno.test("storage requires the unaltered upload URL without a token, and treats ' and %27 alike", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const url = await createSession(graph, libraryPath(sandbox, "root:/it's.bin"));
  assertEquals((await send(url.replaceAll("'", "%27"))).status, 200);
  const { pathname, search } = new URL(url);
  assertStringIncludes(search, "%27");
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  const target = url.slice(sandbox.storageOrigin.length);
  assertStringIncludes(target, "guid='");
  await connection.write(
    new TextEncoder().encode(`GET ${target} HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n`),
  );
  const buffer = new Uint8Array(100);
  await connection.read(buffer);
  assertStringIncludes(new TextDecoder().decode(buffer), "200 OK");
  const headers = { authorization: `Bearer ${sandbox.issueToken()}` };
  assertError(await send(url, { headers }), 401, "unauthenticated");
  assertError(await send(url.replace("overwrite=True", "overwrite=False")), 401, "unauthenticated");
  const parts = search.slice(1).split("&");
  assertError(
    await send(`${sandbox.storageOrigin}${pathname}?${parts.reverse().join("&")}`),
    401,
    "unauthenticated",
  );
  assertError(await send(url, { method: "PATCH", body: "" }), 405, "notAllowed");
});

Deno.test("session with deferCommit waits for a POST", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const body = { item: { [CONFLICT]: "replace" }, deferCommit: true };
  const url = (await graph("POST", "/me/drive/root:/d.bin:/createUploadSession", body)).json.uploadUrl;
  assertError(await send(url, { method: "POST" }), 400, "invalidRequest", "uploadSessionIncomplete");
  const last = await sendFragment(url, patternBytes(7), 0, 7);
  assertEquals([last.status, last.json.nextExpectedRanges], [202, []]);
  assertEquals(sandbox.tenant.find("me", "d.bin"), undefined);
  assertEquals((await send(url, { method: "POST" })).status, 201);
  assertEquals(sandbox.tenant.find("me", "d.bin")!.size, 7);
});
