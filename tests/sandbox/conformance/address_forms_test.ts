/** Forms of requests that clients send to the live service. */

import { assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { siteId } from "../tenant/directory.ts";
import { assertError, createSession, graphOf, libraryPath, raw, tenantOf } from "./testing.ts";

Deno.test("keys in parentheses, drives of an owner, trailing slashes and /ME reach the same resource (PROTOCOL 3.1)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const drive = sandbox.tenant.drive("Documents").id;
  const own = sandbox.tenant.drive("me").id;
  const file = sandbox.tenant.find("Documents", "General/Report.docx")!;
  const letter = sandbox.tenant.find("me", "Documents/Letter.docx")!;
  const [, testTeam] = tenantOf(sandbox).directory.sites;
  const team = tenantOf(sandbox).directory.teams[0]!;
  const cases: [string, string][] = [
    [`/drives/${drive}/items('${file.id}')`, file.id],
    [`/drives('${drive}')/items('${file.id}')/`, file.id],
    [`/drives/${drive}/items/${file.id}/`, file.id],
    [`/drives/${drive}/items/${file.id}:/`, file.id],
    [`/drives/${drive}/root:/General/Report.docx/`, file.id],
    [`/drives/${drive}/root:/General%2FReport.docx`, file.id],
    [`/drives/${drive}/root:/.%2FGeneral%2FReport.docx`, file.id],
    [`/sites/${siteId(testTeam!)}/drives/${drive}/items/${file.id}`, file.id],
    [`/sites('${siteId(testTeam!)}')/drives('${drive}')/root:/General/Report.docx`, file.id],
    [`/groups/${team.id}/drives/${drive}/items/${file.id}`, file.id],
    [`/me/drives/${own}/items/${letter.id}`, letter.id],
    [`/ME/drive/items/${letter.id}`, letter.id],
    [`/Me/Drive/Root:/Documents/Letter.docx`, letter.id],
  ];
  for (const [path, id] of cases) {
    const { status, json } = await graph("GET", path);
    assertEquals([status, json?.id], [200, id], path);
  }
  const folders = await graph("GET", `/drives/${drive}/items('root')/children?$filter=folder%20ne%20null`);
  assertEquals(folders.json.value.map(({ name }: { name: string }) => name), ["General", "Thousand"]);
  assertEquals((await graph("GET", `/drives/${drive}/?select=quota`)).json.quota.state, "normal");
  assertEquals((await graph("GET", "/sites/contoso.sharepoint.com:/")).json.displayName, "Contoso");
  assertError(await graph("GET", `/sites/root/drives/${drive}/root`), 404, "itemNotFound");
  assertError(await graph("GET", `/drives/${drive}/root:/`), 400, "BadRequest");
});

Deno.test("%2F in a name separates folders in a write as well (PROTOCOL 3.2c)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { status, json } = await graph("PUT", libraryPath(sandbox, "root:/General%2Fa.txt:/content"), "a");
  assertEquals([status, json.name], [201, "a.txt"]);
  assertEquals(sandbox.tenant.find("Documents", "General/a.txt")!.size, 1);
});

Deno.test("@name.conflictBehavior is the older name of the annotation (PROTOCOL U3)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Agenda.md");
  const older = { "@name.conflictBehavior": "rename" };
  const put = await graph("PUT", `${path}:/content?@name.conflictBehavior=fail`, "x");
  assertError(put, 409, "nameAlreadyExists");
  const folder = await graph("POST", libraryPath(sandbox, "root/children"), {
    name: "General",
    folder: {},
    ...older,
  });
  assertEquals([folder.status, folder.json.name], [201, "General 1"]);
  const session = await graph("POST", `${path}:/createUploadSession`, {
    item: { "@name.conflictBehavior": "fail" },
  });
  assertError(session, 409, "nameAlreadyExists");
  const moved = await graph("PATCH", path, { name: "Report.docx", ...older });
  assertEquals(moved.json.name, "Report 1.docx");
});

Deno.test("an empty file needs no Content-Type (PROTOCOL U19)", async () => {
  await using sandbox = await startSandbox();
  const text = await raw(
    sandbox.apiOrigin,
    `PUT /v1.0/me/drive/root:/Documents/none.txt:/content HTTP/1.1\nHost: graph\nConnection: close\n` +
      `Authorization: Bearer ${sandbox.issueToken()}\nContent-Length: 0\n\n`,
  );
  assertMatch(text, /^HTTP\/1.1 201 /);
});

Deno.test("a type annotation is accepted, except in an upload session of SharePoint (PROTOCOL U4)", async () => {
  await using sandbox = await startSandbox({ signInAudience: "AzureADandPersonalMicrosoftAccount" });
  const type = { "@odata.type": "microsoft.graph.driveItem" };
  const folder = { ...type, name: "Typed", folder: { "@odata.type": "microsoft.graph.folder" } };
  const made = await graphOf(sandbox)("POST", libraryPath(sandbox, "root/children"), folder);
  assertEquals(made.status, 201);
  const item = { "@odata.type": "microsoft.graph.driveItemUploadableProperties" };
  await createSession(graphOf(sandbox, { as: "robin" }), "/me/drive/root:/typed.bin", item);
});

Deno.test("a new folder takes times and a description", async () => {
  await using sandbox = await startSandbox();
  const fileSystemInfo = {
    createdDateTime: "2020-01-02T03:04:05Z",
    lastModifiedDateTime: "2021-02-03T04:05:06Z",
  };
  const folder = { name: "Dated", folder: {}, description: "old", fileSystemInfo };
  const { json } = await graphOf(sandbox)("POST", "/me/drive/root/children", folder);
  assertEquals([json.fileSystemInfo, json.description], [fileSystemInfo, "old"]);
});

Deno.test("personal OneDrive orders by size and time, business by name only (PROTOCOL 4.1d)", async () => {
  await using sandbox = await startSandbox();
  for (const [name, text] of [["a.txt", "aaa"], ["b.txt", "b"]] as const) {
    sandbox.tenant.addFile("robin", name, text);
  }
  const list = (as: "adele" | "robin", order: string) =>
    graphOf(sandbox, { as })("GET", `/me/drive/root/children?$orderby=${order}`);

  const bySize = (await list("robin", "size%20desc")).json.value.map(({ name }: { name: string }) => name);
  assertEquals(bySize.slice(-2), ["a.txt", "b.txt"]);
  assertEquals((await list("robin", "lastModifiedDateTime")).status, 200);
  assertError(await list("adele", "size"), 400, "invalidRequest");
});
