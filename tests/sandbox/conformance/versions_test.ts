/** Versions, thumbnails and permissions of the sandbox (PROTOCOL 4.4 and 14). */

import { assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { assertError, graphOf, libraryPath, type Reply, send } from "./testing.ts";

type Json = Reply["json"];

Deno.test("versions are listed newest first, and the content of former ones can be downloaded", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Log.txt:");
  for (const text of ["one", "three", "fifteen"]) await graph("PUT", `${path}/content`, text);
  // On SharePoint a change of the metadata adds a version (PROTOCOL U21).
  await graph("PATCH", path, { description: "The log" });

  const { json } = await graph("GET", `${path}/versions`);

  assertEquals(json.value.map(({ id, size }: Json) => `${id} ${size}`), ["4.0 7", "3.0 7", "2.0 5", "1.0 3"]);
  assertEquals(Object.keys(json.value[0]), ["id", "lastModifiedBy", "lastModifiedDateTime", "size"]);
  assertEquals(json.value[0].lastModifiedBy.user.displayName, "Adele Vance");
  const { status, headers } = await graph("GET", `${path}/versions/2.0/content`);
  assertEquals([status, (await send(headers.get("location")!)).text], [302, "three"]);
  assertEquals((await graph("GET", `${path}/versions/1.0`)).json.size, 3);
  assertError(await graph("GET", `${path}/versions/4.0/content`), 400, "invalidRequest");
  assertError(await graph("GET", `${path}/versions/9.0`), 404, "itemNotFound");
  assertEquals(
    await sandbox.tenant.bytes("Documents", "General/Log.txt"),
    new TextEncoder().encode("fifteen"),
  );
  await graph("DELETE", path);
  assertEquals((await send(headers.get("location")!)).status, 404);
});

Deno.test("a former version can be deleted, the current one cannot (PROTOCOL 4.4b)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Log.txt:");
  for (const text of ["one", "three"]) await graph("PUT", `${path}/content`, text);
  await graph("PATCH", path, { description: "The log" });

  assertEquals((await graph("DELETE", `${path}/versions/2.0`)).status, 204);

  const { json } = await graph("GET", `${path}/versions`);
  assertEquals(json.value.map(({ id, size }: Json) => `${id} ${size}`), ["3.0 5", "1.0 3"]);
  assertEquals(await sandbox.tenant.bytes("Documents", "General/Log.txt"), new TextEncoder().encode("three"));
  assertError(await graph("DELETE", `${path}/versions/3.0`), 400, "invalidRequest");
  assertError(await graph("DELETE", `${path}/versions/2.0`), 404, "itemNotFound");
});

Deno.test("thumbnails and conversions are not modelled, and the error says where they are documented", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  for (const path of ["thumbnails", "thumbnails/0/small/content", "content?format=pdf"]) {
    const reply = await graph("GET", libraryPath(sandbox, `root:/General/Report.docx:/${path}`));
    assertError(reply, 501, "sandboxNotImplemented");
    assertMatch(reply.json.error.message, /https:\/\/learn\.microsoft\.com\/graph\/api\/driveitem-/);
  }
});

Deno.test("permissions are those of the site and its links; others than owners see their own", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const create = await graph("POST", libraryPath(sandbox, "root:/General:/createLink"), {
    type: "edit",
    scope: "anonymous",
  });
  const path = libraryPath(sandbox, "root:/General/Agenda.md:/permissions");

  const { value } = (await graph("GET", path)).json;

  const [link, ...members] = value;
  assertEquals([link.id, link.roles, link.link.scope], [create.json.id, ["write"], "anonymous"]);
  assertEquals([link.inheritedFrom.name, link.link.webUrl], ["General", create.json.link.webUrl]);
  assertEquals(members.map(({ roles, grantedToV2 }: Json) => [grantedToV2.user.displayName, ...roles])[0], [
    "Adele Vance",
    "owner",
  ]);
  assertEquals(
    (await graph("GET", `${path}/${members[0].id}`)).json.grantedTo.user.displayName,
    "Adele Vance",
  );
  assertError(await graph("GET", `${path}/none`), 404, "itemNotFound");

  const marketing = "/sites/contoso.sharepoint.com:/sites/Marketing:/drive/root:/Logo.png:";
  await graphOf(sandbox, { as: "megan" })("POST", `${marketing}/createLink`, { type: "view" });
  const [shared, own, ...others] = (await graph("GET", `${marketing}/permissions`)).json.value;
  assertEquals([shared.link.scope, shared.link.webUrl, own.roles, others], [
    "organization",
    undefined,
    ["read"],
    [],
  ]);
});
