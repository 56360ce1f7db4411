/** Items in the forms of recorded responses, by field names and shapes. */

import { assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { graphOf, libraryPath } from "./testing.ts";

const TAG = /^"\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\},\d+"$/;

Deno.test("a root refers to its drive, and has other tags than items (PROTOCOL 4.1l)", async () => {
  await using sandbox = await startSandbox();
  const business = await graphOf(sandbox)("GET", libraryPath(sandbox, "root"));
  const personal = await graphOf(sandbox, { as: "robin" })("GET", "/me/drive/root");

  assertEquals(business.json.parentReference, {
    driveType: "documentLibrary",
    driveId: sandbox.tenant.drive("Documents").id,
  });
  assertEquals([business.json.eTag, business.json.cTag, business.headers.get("etag")], [
    undefined,
    undefined,
    null,
  ]);
  assertEquals(personal.json.parentReference, {
    driveType: "personal",
    driveId: sandbox.tenant.drive("robin").id,
  });
  assertMatch(personal.json.eTag, TAG);
  assertEquals(personal.json.cTag, undefined);
  assertEquals(
    personal.json.id.endsWith(personal.json.eTag.toLowerCase().replaceAll(/[^0-9a-f]/g, "")),
    false,
  );
});

Deno.test("libraries of a site share the id of their root", async () => {
  await using sandbox = await startSandbox();
  const rootId = async (drive: string) =>
    (await graphOf(sandbox)("GET", `/drives/${sandbox.tenant.drive(drive).id}/root?$select=id`)).json.id;

  assertEquals(await rootId("Archive"), await rootId("Documents"));
});

Deno.test("migrated personal OneDrive has tags like business, and its own spelling of ids and paths (PROTOCOL 2.1)", async () => {
  await using sandbox = await startSandbox();
  sandbox.tenant.addFile("robin", "Documents/50% off/a b.txt", "x");
  const { json } = await graphOf(sandbox, { as: "robin" })(
    "GET",
    "/me/drive/root:/Documents/50%25%20off/a%20b.txt",
  );

  assertMatch(json.id, /^[1-9A-F][0-9A-F]{14}!s[0-9a-f]{32}$/);
  assertMatch(json.eTag, TAG);
  assertMatch(json.cTag, /^"c:\{/);
  const { driveId, path, siteId } = json.parentReference;
  assertEquals([driveId, path], [sandbox.tenant.drive("robin").id, "/drive/root:/Documents/50% off"]);
  assertMatch(driveId, /^0[0-9a-f]{15}$/);
  assertMatch(siteId, /^[0-9a-f-]{36}$/);
  for (
    const time of [json.createdDateTime, json.lastModifiedDateTime, ...Object.values(json.fileSystemInfo)]
  ) {
    assertMatch(String(time), /T\d\d:\d\d:\d\dZ$/);
  }
});

Deno.test("personal OneDrive has three hashes of a document, and one of a PDF (PROTOCOL 10a)", async () => {
  await using sandbox = await startSandbox();
  const hashes = async (name: string) => {
    sandbox.tenant.addFile("robin", name, "content");
    return (await graphOf(sandbox, { as: "robin" })("GET", `/me/drive/root:/${name}`)).json.file.hashes;
  };

  const document = await hashes("a.docx");
  assertEquals(Object.keys(document), ["quickXorHash", "sha1Hash", "sha256Hash"]);
  assertMatch(document.sha256Hash, /^[0-9A-F]{64}$/);
  assertEquals(Object.keys(await hashes("a.pdf")), ["quickXorHash"]);
});

Deno.test("webUrl of an Office file opens an editor, and works as a share (PROTOCOL 4.1m)", async () => {
  await using sandbox = await startSandbox();
  sandbox.tenant.addFile("robin", "Documents/a.docx", "x");
  const business = graphOf(sandbox);
  const personal = graphOf(sandbox, { as: "robin" });
  const document = (await business("GET", libraryPath(sandbox, "root:/General/Report.docx"))).json;
  const own = (await personal("GET", "/me/drive/root:/Documents/a.docx")).json;
  const note = (await business("GET", libraryPath(sandbox, "root:/General/Agenda.md"))).json;

  assertMatch(
    document.webUrl,
    /\/sites\/TestTeam\/_layouts\/15\/Doc\.aspx\?sourcedoc=%7B[0-9A-F-]{36}%7D&file=Report\.docx&/,
  );
  assertMatch(
    own.webUrl,
    /^https:\/\/onedrive\.live\.com\/personal\/[0-9a-f]{16}\/_layouts\/15\/doc\.aspx\?resid=/,
  );
  assertMatch(note.webUrl, /\/Shared%20Documents\/General\/Agenda\.md$/);
  for (const [graph, { id, webUrl }] of [[business, document], [personal, own], [business, note]] as const) {
    const token = `u!${btoa(webUrl).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
    assertEquals((await graph("GET", `/shares/${token}/driveItem`)).json?.id, id);
  }
});

Deno.test("a selection without eTag has it as an annotation on business (PROTOCOL 4.1n)", async () => {
  await using sandbox = await startSandbox();
  const keys = async (as: "adele" | "robin", path: string) =>
    Object.keys((await graphOf(sandbox, { as })("GET", `/me/drive/root:/${path}?$select=id,name`)).json);

  assertEquals(await keys("adele", "Documents"), ["@odata.context", "@odata.etag", "id", "name"]);
  assertEquals(await keys("robin", "Documents"), ["@odata.context", "id", "name"]);
});

Deno.test("personal folders have a view, and Documents is special (PROTOCOL 4.1o)", async () => {
  await using sandbox = await startSandbox();
  const { json } = await graphOf(sandbox, { as: "robin" })("GET", "/me/drive/root:/Documents");

  assertEquals([Object.keys(json.folder.view), json.specialFolder], [["sortBy", "sortOrder", "viewType"], {
    name: "documents",
  }]);
  assertEquals(Object.keys(json.createdBy.user), ["email", "id", "displayName"]);
});
