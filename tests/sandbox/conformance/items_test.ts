import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { assertError, graphOf, libraryPath, tenantOf } from "./testing.ts";

interface Listed {
  id: string;
  name: string;
  [facet: string]: unknown;
}

Deno.test("listing returns a thousand children in five pages of 200, each child once", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const seen = new Set<string>();
  const sizes: number[] = [];
  let next: string | undefined = libraryPath(sandbox, "root:/Thousand:/children?$select=id,name");
  while (next !== undefined) {
    const { json }: { json: { value: Listed[]; "@odata.nextLink"?: string } } = await graph("GET", next);
    for (const item of json.value) seen.add(item.id);
    sizes.push(json.value.length);
    assertEquals(Object.keys(json.value[0]!).sort(), ["@odata.etag", "id", "name"]);
    next = json["@odata.nextLink"];
  }
  assertEquals([seen.size, sizes], [1000, [200, 200, 200, 200, 200]]);
});

Deno.test("listing rejects an altered nextLink", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const link: string =
    (await graph("GET", libraryPath(sandbox, "root:/Thousand:/children?$top=10&$select=name")))
      .json["@odata.nextLink"];
  assertMatch(link, /\$skiptoken=/);
  const { json } = await graph("GET", link);
  assertEquals([json.value.length, json.value[0].name], [10, "Note 0011.txt"]);
  for (
    const altered of [
      link.replace("$top=10", "$top=11"),
      link.replace("$select=name", "$select=id"),
      link.replace(/\$top=10&(\$select=name)/, "$1&$$top=10"),
      link.replace("skiptoken=M", "skiptoken=N"),
      link.replace("Thousand", "General"),
      link.slice(0, -1),
    ]
  ) {
    assert(altered !== link);
    assertError(await graph("GET", altered), 400, "invalidRequest");
  }
});

Deno.test("listing continues after its last name when items were added or deleted", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const first = (await graph("GET", libraryPath(sandbox, "root:/Thousand:/children?$top=500"))).json;
  sandbox.tenant.remove("Documents", "Thousand/Note 0001.txt");
  sandbox.tenant.addFile("Documents", "Thousand/Note 0000.txt", "new");
  const second = (await graph("GET", first["@odata.nextLink"])).json;
  assertEquals([second.value[0].name, second.value.length], ["Note 0501.txt", 500]);
  assertEquals(second["@odata.nextLink"], undefined);
});

Deno.test("listing caps $top, rejects $skip, and is case-sensitive", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const list = (query: string) => graph("GET", libraryPath(sandbox, `root:/Thousand:/children?${query}`));
  assertEquals((await list("$top=1000")).json["@odata.nextLink"], undefined);
  sandbox.tenant.addFile("Documents", "Thousand/One more.txt", "1001");
  const capped = (await list("$top=5000")).json;
  assertEquals([capped.value.length, typeof capped["@odata.nextLink"]], [1000, "string"]);
  assertEquals((await list("top=3&select=name")).json.value.length, 3);
  assertEquals((await list("$orderby=name%20desc&$top=1")).json.value[0].name, "One more.txt");
  for (
    const query of [
      ...[
        "$skip=10",
        "$Top=5",
        "$top=0",
        "$top=x",
        "$top=-1",
      ],
      ...["$select=name,nonsense", "$top=1&select=name", "$orderby=size", "$skiptoken=x.y", "$top=1&$top=2"],
    ]
  ) assertError(await list(query), 400, "invalidRequest");
});

Deno.test("$select omits the download URL unless it is named", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const keys = async (query: string) =>
    Object.keys((await graph("GET", libraryPath(sandbox, `root:/General:/children${query}`))).json.value[0]);
  assert((await keys("")).includes("@microsoft.graph.downloadUrl"));
  assertEquals(await keys("?$select=id,eTag"), ["eTag", "id"]);
  assertEquals((await keys("?$select=id,eTag,@microsoft.graph.downloadUrl")).length, 3);
});

Deno.test("$expand=children adds the first page of children, with a selection and a link to the next", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const expanded = async (path: string, expand: string) =>
    (await graph("GET", libraryPath(sandbox, `${path}?$expand=${expand}`))).json;
  const general = await expanded("root:/General", "children");
  assertEquals([general.name, general.children.length], ["General", 6]);
  const thousand = await expanded("root:/Thousand", "children($select=id,name)");
  assertEquals(Object.keys(thousand.children[0]), ["@odata.etag", "id", "name"]);
  const next = (await graph("GET", thousand["children@odata.nextLink"])).json;
  assertEquals([thousand.children.length, next.value[0].name], [200, "Note 0201.txt"]);
  assertEquals((await expanded("root:/General/Agenda.md", "children")).children, []);
  assertError(
    await graph("GET", libraryPath(sandbox, "root?$expand=thumbnails")),
    501,
    "sandboxNotImplemented",
  );
});

Deno.test("files, folders, packages and shortcuts have their facets", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const root: Listed[] = (await graph("GET", "/me/drive/root/children")).json.value;
  const by = (name: string) => root.find((item) => item.name === name)!;
  assertEquals(by("Documents")["folder"], { childCount: 5 });
  assertMatch(String(by("Documents")["cTag"]), /^"c:\{[0-9A-F-]{36}\},0"$/);
  assertEquals(by("Documents")["file"], undefined);
  assertEquals(by("Adele @ Work")["package"], { type: "oneNote" });
  const link = by("Campaign 2026")["remoteItem"] as { id: string; parentReference: { driveId: string } };
  const marketing = sandbox.tenant.drive("Marketing");
  assertEquals(link.parentReference.driveId, marketing.id);
  const followed = await graph("GET", `/drives/${link.parentReference.driveId}/items/${link.id}/children`);
  assertEquals(followed.json.value[0].name, "Slogan.txt");
  const empty = (await graph("GET", "/me/drive/root:/Documents/Empty.txt")).json;
  assertEquals([empty.size, empty.file.hashes], [0, {}]);
  const { json } = await graph("GET", "/me/drive/root");
  assertEquals([json.root, json.size > 1000], [{}, true]);
  assertError(
    await graph("GET", `/me/drive/items/${by("Campaign 2026").id}/children`),
    400,
    "invalidRequest",
  );
  assertError(await graph("GET", "/me/drive/root:/Documents/Empty.txt:/children"), 400, "invalidRequest");
});

Deno.test("If-None-Match on item and children yields 304 until a change", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const folder = (await graph("GET", libraryPath(sandbox, "root:/General"))).json;
  const headers = { "if-none-match": folder.eTag };
  const list = () => graph("GET", libraryPath(sandbox, `items/${folder.id}/children`), undefined, headers);
  const item = () => graph("GET", libraryPath(sandbox, `items/${folder.id}`), undefined, headers);
  assertEquals([(await list()).status, (await item()).status], [304, 304]);
  sandbox.tenant.addFile("Documents", "General/Agenda.md", "changed");
  assertEquals([(await list()).status, (await item()).status], [200, 200]);
});

Deno.test("folder creation applies fail, replace and rename, ignoring case", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const make = (name: string, conflict?: string) =>
    graph("POST", libraryPath(sandbox, "root/children"), {
      name,
      folder: {},
      ...(conflict === undefined ? {} : { "@microsoft.graph.conflictBehavior": conflict }),
    });
  const made = await make("New");
  assertEquals([made.status, made.json.name, made.json.folder.childCount], [201, "New", 0]);
  const drive = sandbox.tenant.drive("Documents").id;
  assertEquals(made.json["@odata.context"].split("#")[1], `drives('${drive}')/items/$entity`);
  assertError(await make("new"), 409, "nameAlreadyExists");
  assertEquals((await make("NEW", "replace")).json.id, made.json.id);
  assertEquals((await make("New", "rename")).json.name, "New 1");
  assertError(await make("New", "overwrite"), 400, "invalidRequest", "invalidParameterFormat");
  assertError(await make("a*b"), 400, "invalidRequest", "nameContainsInvalidCharacters");
  assertError(await make("Forms"), 400, "invalidRequest", "nameContainsInvalidCharacters");
  assertError(
    await graph("POST", libraryPath(sandbox, "root:/None:/children"), { name: "x", folder: {} }),
    404,
    "itemNotFound",
  );
  assertError(
    await graph("POST", libraryPath(sandbox, "root/children"), { name: "x" }),
    501,
    "sandboxNotImplemented",
  );
  assertError(await graph("POST", libraryPath(sandbox, "root/children"), "x"), 400, "BadRequest");
});

Deno.test("PATCH changes name and timestamps, and adds a version to a file (PROTOCOL U21)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Agenda.md");
  const before = sandbox.tenant.find("Documents", "General/Agenda.md")!;
  const fileSystemInfo = { lastModifiedDateTime: "2020-02-03T04:05:06.789Z" };
  const { json } = await graph("PATCH", path, { name: "agenda.MD", fileSystemInfo });
  assertEquals([json.name, json.fileSystemInfo.lastModifiedDateTime], ["agenda.MD", "2020-02-03T04:05:06Z"]);
  const after = sandbox.tenant.find("Documents", "General/AGENDA.md")!;
  assertEquals([after.id, after.versions - before.versions, after.cTag], [before.id, 1, before.cTag]);
  assert(after.eTag !== before.eTag);
  assertError(await graph("PATCH", path, { name: "Report.docx" }), 409, "nameAlreadyExists");
  assertError(
    await graph("PATCH", path, { name: "a|b" }),
    400,
    "invalidRequest",
    "nameContainsInvalidCharacters",
  );
  assertError(await graph("PATCH", path, { size: 1 }), 501, "sandboxNotImplemented");
  assertError(
    await graph("PATCH", path, { fileSystemInfo: { lastModifiedDateTime: "yesterday" } }),
    400,
    "invalidRequest",
  );
  const stale = { "if-match": before.eTag };
  assertError(
    await graph("PATCH", path, { name: "x" }, stale),
    412,
    "resourceModified",
    "entityTagDoesNotMatch",
  );
  assertError(
    await graph("PATCH", path, { name: "x" }, { "if-match": "x" }),
    400,
    "invalidRequest",
    "malformedEntityTag",
  );
});

Deno.test("permanentDelete removes an item (PROTOCOL 14e)", async () => {
  await using sandbox = await startSandbox();

  const { status } = await graphOf(sandbox)(
    "POST",
    libraryPath(sandbox, "root:/General/Agenda.md:/permanentDelete"),
  );

  assertEquals([status, sandbox.tenant.find("Documents", "General/Agenda.md")], [204, undefined]);
});

Deno.test("DELETE removes a folder with its contents", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const minutes = sandbox.tenant.find("Documents", "General/Minutes/Minutes 2025-10.pdf")!;
  const used = tenantOf(sandbox).drive("Documents").root.size;
  assertEquals((await graph("DELETE", libraryPath(sandbox, "root:/General/Minutes"))).status, 204);
  assertError(await graph("GET", libraryPath(sandbox, `items/${minutes.id}`)), 404, "itemNotFound");
  assertEquals(tenantOf(sandbox).drive("Documents").root.size, used - minutes.size);
  assertError(await graph("DELETE", libraryPath(sandbox, "root:/General/Minutes")), 404, "itemNotFound");
  assertError(await graph("DELETE", libraryPath(sandbox, "root")), 400, "invalidRequest");
});
