import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { createHash } from "node:crypto";
import { startSandbox } from "../mod.ts";
import { assertError, createSession, graphOf, patternBytes, send, sendFragment } from "./testing.ts";

const ROOT = "/me/drive/root:";

Deno.test("personal OneDrive that is not migrated has its own formats of ids, tags and hashes", async () => {
  await using sandbox = await startSandbox({ olderForms: true });
  const graph = graphOf(sandbox, { as: "robin" });
  const drive = (await graph("GET", "/me/drive")).json;
  assertEquals([drive.driveType, drive.owner.user.displayName], ["personal", "Robin Hale"]);
  assertMatch(drive.id, /^[0-9a-f]{16}$/);
  const { json, headers } = await graph("GET", `${ROOT}/Documents/Shopping%20list.txt`);
  assertMatch(json.id, /^[1-9A-F][0-9A-F]{14}!\d+$/);
  assertMatch(json.eTag, /^a[A-Za-z0-9_-]+$/);
  assertEquals(headers.get("etag"), json.eTag);
  const bytes = await sandbox.tenant.bytes("robin", "Documents/Shopping list.txt");
  assertEquals(json.file.hashes.sha1Hash, createHash("sha1").update(bytes).digest("hex").toUpperCase());
  assertEquals(json.file.hashes.quickXorHash.length, 28);
  assertEquals([json.parentReference.driveType, json.parentReference.siteId], ["personal", undefined]);
  assertEquals((await graph("GET", `/me/drive/items/${json.id}`)).json.name, "Shopping list.txt");
  const business = (await graphOf(sandbox)("GET", `${ROOT}/Documents/Letter.docx`)).json;
  assertEquals(Object.keys(business.file.hashes), ["quickXorHash"]);
});

Deno.test("personal drive id works in each spelling (PROTOCOL N9)", async () => {
  await using sandbox = await startSandbox({ olderForms: true });
  const graph = graphOf(sandbox, { as: "robin" });
  const drive = (await graph("GET", "/me/drive")).json;
  const item = (await graph("GET", `${ROOT}/Documents`)).json;
  const { driveId } = item.parentReference;
  assert(driveId !== drive.id);
  assertEquals(driveId.toLowerCase().padStart(16, "0"), drive.id);
  for (const id of [driveId, drive.id, drive.id.toUpperCase()]) {
    assertEquals((await graph("GET", `/drives/${id}/items/${item.id}/children`)).json.value.length, 1);
  }
  assertError(await graph("GET", "/drives/0000000000000001"), 404, "itemNotFound");
});

Deno.test("/me/drives lists an inaccessible system drive first (PROTOCOL L2)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox, { as: "robin" });
  const [phantom, own] = (await graph("GET", "/me/drives")).json.value;
  assertEquals([phantom.driveType, own.id], ["personal", (await graph("GET", "/me/drive")).json.id]);
  for (const path of ["", "/root/children"]) {
    assertError(await graph("GET", `/drives/${phantom.id}${path}`), 400, "invalidRequest");
  }
});

Deno.test("unquoted tags work in If-Match, and every change creates a new one", async () => {
  await using sandbox = await startSandbox({ olderForms: true });
  const graph = graphOf(sandbox, { as: "robin" });
  const path = `${ROOT}/Documents/Shopping%20list.txt`;
  const before = (await graph("GET", path)).json;
  const putIfMatch = (tag: string) => graph("PUT", `${path}:/content`, "milk", { "if-match": tag });
  const after = await putIfMatch(before.eTag);
  assertEquals(after.status, 200);
  assert(after.json.eTag !== before.eTag && after.json.cTag !== before.cTag);
  assertError(await putIfMatch(before.eTag), 412, "resourceModified", "entityTagDoesNotMatch");
  assertEquals((await putIfMatch(`"${after.json.eTag}"`)).status, 200);
});

Deno.test("timestamps keep fractions of a second, and changing them adds no version (PROTOCOL U21)", async () => {
  await using sandbox = await startSandbox({ olderForms: true });
  const graph = graphOf(sandbox, { as: "robin" });
  const fileSystemInfo = { lastModifiedDateTime: "2025-06-07T08:09:10.220Z" };
  const { json } = await graph("PATCH", `${ROOT}/Documents/Shopping%20list.txt`, { fileSystemInfo });
  assertEquals(json.fileSystemInfo.lastModifiedDateTime, "2025-06-07T08:09:10.22Z");
  assertEquals(sandbox.tenant.find("robin", "Documents/Shopping list.txt")!.versions, 1);
});

Deno.test("upload session keeps the received part of a fragment when the connection breaks", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox, { as: "robin" });
  const bytes = patternBytes(1_000_000);
  const url = await createSession(graph, `${ROOT}/Documents/part.bin`);
  assert(url.startsWith(sandbox.storageOrigin), "the same hosts as ever");
  sandbox.addFault({ service: "storage", method: "PUT", nth: 1, dropAfterBytes: 400_000 });
  let broke = false;
  await sendFragment(url, bytes, 0, 655_360).catch(() => broke = true);
  assert(broke);
  const [next] = (await send(url)).json.nextExpectedRanges;
  const kept = parseInt(next);
  assert(kept > 0 && kept <= 400_000, `kept ${kept}`);
  const second = await sendFragment(url, bytes, kept, 655_360);
  assertEquals([second.status, second.json.nextExpectedRanges], [202, ["655360-999999"]]);
  assertEquals((await sendFragment(url, bytes, 655_360, bytes.length)).status, 201);
  assertEquals(await sandbox.tenant.bytes("robin", "Documents/part.bin"), bytes);
});

Deno.test("upload session accepts description and fileSize, and rejects a file above the quota (PROTOCOL 7.1c)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox, { as: "robin" });
  const item = { description: "A list", fileSize: 10 };
  const url = await createSession(graph, `${ROOT}/Documents/a.bin`, item);
  await sendFragment(url, patternBytes(10), 0, 10);
  assertEquals((await graph("GET", `${ROOT}/Documents/a.bin`)).json.description, "A list");
  sandbox.tenant.drive("robin").quotaBytes = 1000;
  const reply = await graph("POST", `${ROOT}/Documents/b.bin:/createUploadSession`, {
    item: { fileSize: 1_000_000 },
  });
  assertError(reply, 507, "quotaLimitReached");
  const business = await graphOf(sandbox)("POST", `${ROOT}/Documents/a.bin:/createUploadSession`, { item });
  assertError(business, 400, "invalidRequest");
});
