/** Search, filters and counts of the sandbox (PROTOCOL 4.1 and 4.3). */

import { assertEquals } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { assertError, graphOf, libraryPath, type Reply } from "./testing.ts";

const namesOf = ({ json }: Reply): string[] => json.value.map(({ name }: { name: string }) => name);

Deno.test("search finds items by the words of their names, in a drive, a folder and a site", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  sandbox.tenant.addFile("Documents", "Plans/Agenda 'B', part/1.txt".replace("/1", " 1"), "x");
  const search = (path: string) => graph("GET", libraryPath(sandbox, path));

  assertEquals(namesOf(await search("root/search(q='AGENDA')")), ["Agenda.md", "Agenda 'B', part 1.txt"]);
  assertEquals(namesOf(await search("search(q='agenda md')")), ["Agenda.md"]);
  assertEquals(namesOf(await search("root:/Plans:/search(q='agenda')")), ["Agenda 'B', part 1.txt"]);
  assertEquals(namesOf(await search("root/search(q='''b''')")), ["Agenda 'B', part 1.txt"]);
  assertEquals(namesOf(await search("root/microsoft.graph.search(q='nothing')")), []);
  const site = await graph(
    "GET",
    "/sites/contoso.sharepoint.com:/sites/TestTeam:/drive/root/search(q='agenda')",
  );
  assertEquals(site.json.value.length, 2);
});

Deno.test("search has pages, and results without a path or download URL", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { json } = await graph("GET", libraryPath(sandbox, "root/search(q='note')?$top=400"));
  const next = (await graph("GET", json["@odata.nextLink"])).json;
  assertEquals([json.value.length, next.value.length], [400, 400]);
  assertEquals(next.value[0].name === json.value[0].name, false);
  const { searchResult, parentReference, ...item } = json.value[0];
  assertEquals([searchResult, parentReference.path, item["@microsoft.graph.downloadUrl"]], [
    {},
    undefined,
    undefined,
  ]);
  assertError(await graph("GET", libraryPath(sandbox, "root/search")), 400, "invalidRequest");
});

Deno.test("children take the filters that clients send, by back end", async () => {
  await using sandbox = await startSandbox();
  const list = (path: string, filter: string, as?: "robin") =>
    graphOf(sandbox, { ...(as ? { as } : {}) })(
      "GET",
      `${path}/children?$filter=${encodeURIComponent(filter)}`,
    );
  const general = libraryPath(sandbox, "root:/General:");

  assertEquals(namesOf(await list(general, "folder ne null")), ["Minutes"]);
  assertEquals(namesOf(await list(general, "name eq 'AGENDA.md'")), ["Agenda.md"]);
  assertError(await list(general, "file ne null"), 400, "notSupported");
  assertError(await list(general, "startswith(name,'A')"), 501, "sandboxNotImplemented");
  assertEquals(namesOf(await list("/me/drive/root", "folder ne null", "robin")), ["Documents", "Pictures"]);
  assertEquals(namesOf(await list("/me/drive/root:/Documents:", "file ne null", "robin")), [
    "Shopping list.txt",
  ]);
});

Deno.test("$count=true adds the number of all children, and $expand=children those of each", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { json } = await graph("GET", libraryPath(sandbox, "root:/Thousand:/children?$count=true&$top=1"));
  assertEquals([json["@odata.count"], json.value.length], [1000, 1]);
  const general = await graph("GET", libraryPath(sandbox, "root:/General:/children?$expand=children"));
  const minutes = general.json.value.find(({ name }: { name: string }) => name === "Minutes");
  assertEquals(minutes.children[0].name, "Minutes 2025-10.pdf");
});
