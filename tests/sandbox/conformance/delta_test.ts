/** Delta of the sandbox (PROTOCOL 4.2). */

import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { type Sandbox, startSandbox } from "../mod.ts";
import { assertError, type Graph, graphOf, libraryPath, type Reply } from "./testing.ts";

type Json = Reply["json"];

/** Follows the pages of an enumeration, and returns its items and its deltaLink. */
async function read(graph: Graph, path: string): Promise<{ items: Json[]; deltaLink: string }> {
  const items: Json[] = [];
  for (let next = path;;) {
    const { status, json, text } = await graph("GET", next);
    assertEquals(status, 200, text);
    items.push(...json.value);
    if (json["@odata.deltaLink"]) return { items, deltaLink: json["@odata.deltaLink"] };
    next = json["@odata.nextLink"];
  }
}

/** The names of changes, and the ids of what is gone after a minus. */
function shown(items: Json[]): string[] {
  return items.map((item) => item.deleted ? `-${item.id}` : item.name);
}

async function begin(scope = "root"): Promise<{ sandbox: Sandbox; graph: Graph; start: string }> {
  const sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { json } = await graph("GET", libraryPath(sandbox, `${scope}/delta?token=latest`));
  assertEquals(json.value, []);
  return { sandbox, graph, start: json["@odata.deltaLink"] };
}

Deno.test("delta enumerates a drive in pages, parents before their children", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);

  const { items, deltaLink } = await read(graph, libraryPath(sandbox, "root/delta"));

  assert(items[0].root, "the root comes first");
  assert(items.length > 1000 && sandbox.requests.length > 5);
  const seen = new Set<string>();
  for (const { id, parentReference, root } of items) {
    assert(root || seen.has(parentReference.id), `${id} comes before its parent`);
    seen.add(id);
  }
  assertEquals(seen.size, items.length);
  assertMatch(deltaLink, /\/v1\.0\/drives\/[^?]+\/root\/delta\?token=[\w-]+$/);
  const file = items.find(({ name }) => name === "Agenda.md");
  assertEquals([file.cTag, file.parentReference.path, file["@microsoft.graph.downloadUrl"]], [
    undefined,
    undefined,
    undefined,
  ]);
  assert(file.eTag && file.file.hashes.quickXorHash && file.parentReference.driveId);
});

Deno.test("deltaLink shows new, changed, renamed, moved and deleted items once, with the folders above", async () => {
  const { sandbox, graph, start } = await begin();
  await using _ = sandbox;
  const minutes = sandbox.tenant.find("Documents", "General/Minutes")!;
  const minutesFile = sandbox.tenant.find("Documents", "General/Minutes/Minutes 2025-10.pdf")!;
  const id = sandbox.tenant.find("Documents", "General/Agenda.md")!.id;
  sandbox.tenant.addFile("Documents", "New/A.txt", "1");
  sandbox.tenant.addFile("Documents", "New/A.txt", "two");
  await graph("PATCH", libraryPath(sandbox, `items/${id}`), { name: "Plan.md" });

  const first = await read(graph, start);

  assertEquals(shown(first.items).sort(), ["A.txt", "General", "New", "Plan.md", "root"]);
  assertEquals(first.items.find(({ name }) => name === "A.txt").size, 3);
  const own = await graph("GET", start, undefined, { prefer: "deltaExcludeParent" });
  assertEquals(shown(own.json.value).sort(), ["A.txt", "New", "Plan.md", "root"]);
  assertEquals(shown((await read(graph, first.deltaLink)).items), ["root"]);

  const target = sandbox.tenant.find("Documents", "New")!.id;
  await graph("PATCH", libraryPath(sandbox, `items/${minutes.id}`), { parentReference: { id: target } });
  const moved = await read(graph, first.deltaLink);
  // Nothing below a moved folder is reported, and its new parent comes before it.
  assertEquals(shown(moved.items), ["root", "General", "New", "Minutes"]);

  await graph("DELETE", libraryPath(sandbox, `items/${target}`));
  const deleted = await read(graph, moved.deltaLink);
  const gone = deleted.items.filter((item) => item.deleted);
  assertEquals(gone.length, 4);
  const ids = gone.map((item) => item.id);
  assert([target, minutes.id, minutesFile.id].every((id) => ids.includes(id)));
  assertEquals(Object.keys(gone[0]).sort(), [
    "deleted",
    "fileSystemInfo",
    "folder",
    "id",
    "parentReference",
    "size",
  ]);
  const fresh = await read(graph, libraryPath(sandbox, "root/delta"));
  assertEquals(fresh.items.filter((item) => item.deleted), []);
});

Deno.test("changes during an enumeration are in it, and again in the next one", async () => {
  const { sandbox, graph, start } = await begin();
  await using _ = sandbox;
  for (const name of ["A", "B", "C", "D"]) sandbox.tenant.addFile("Documents", `Run/${name}.txt`, name);
  const page = (await graph("GET", `${start}&$top=3`)).json;
  assertEquals(page.value.map(({ name }: Json) => name), ["root", "Run", "A.txt"]);

  sandbox.tenant.addFile("Documents", "Run/C.txt", "changed");
  sandbox.tenant.remove("Documents", "Run/B.txt");

  const rest = await read(graph, page["@odata.nextLink"]);
  assertEquals(rest.items.map(({ name, deleted }) => name ?? deleted.state), ["C.txt", "D.txt", "deleted"]);
  const later = await read(graph, rest.deltaLink);
  const { size } = later.items.find(({ name }) => name === "C.txt");
  assertEquals([size, later.items.filter((item) => item.deleted).length], [7, 1]);
});

Deno.test("delta of a folder shows only what is below it, and what enters or leaves it", async () => {
  const { sandbox, graph, start } = await begin("root:/General:");
  await using _ = sandbox;
  sandbox.tenant.addFile("Documents", "Elsewhere/X.txt", "x");
  sandbox.tenant.addFile("Documents", "Elsewhere/Deep/Y.txt", "y");
  sandbox.tenant.addFile("Documents", "General/Z.txt", "z");
  const idOf = (path: string) => sandbox.tenant.find("Documents", path)!.id;
  const move = (path: string, to: string) =>
    graph("PATCH", libraryPath(sandbox, `root:/${path}`), { parentReference: { id: idOf(to) } });

  const first = await read(graph, start);
  assertEquals(shown(first.items), ["General", "Z.txt"]);

  const agenda = idOf("General/Agenda.md");
  await move("General/Agenda.md", "Elsewhere");
  await move("Elsewhere/Deep", "General");
  const second = await read(graph, first.deltaLink);
  assertEquals(shown(second.items), ["General", `-${agenda}`, "Deep", "Y.txt"]);
});

Deno.test("a token that is too old gives 410 with a link that reads everything again", async () => {
  const { sandbox, graph, start } = await begin();
  await using _ = sandbox;
  sandbox.addFault({ path: "/delta", sideEffect: "changes-forgotten" });

  const reply = await graph("GET", start);

  assertError(reply, 410, "resyncRequired", "resyncChangesApplyDifferences");
  const { items } = await read(graph, reply.headers.get("location")!);
  assert(items[0].root && items.length > 1000);
});

Deno.test("delta takes a token as argument, keeps the options, and rejects what it does not know", async () => {
  const { sandbox, graph, start } = await begin();
  await using _ = sandbox;
  sandbox.tenant.addFile("Documents", "A.txt", "a");
  const token = new URL(start).searchParams.get("token");
  const path = libraryPath(sandbox, "root");

  for (const call of [`delta(token='${token}')`, `microsoft.graph.delta(token='${token}')`]) {
    assertEquals(shown((await read(graph, `${path}/${call}`)).items), ["root", "A.txt"]);
  }
  const selected = (await graph("GET", `${path}/delta?select=id,deleted&token=${token}&top=1`)).json;
  assertEquals(Object.keys(selected.value[0]), ["id"]);
  assert(selected["@odata.nextLink"].includes("select=id,deleted&top=1&token="));
  assertError(await graph("GET", `${path}/delta?token=nonsense`), 400, "invalidRequest");
  const time = await graph("GET", `${path}/delta?token=2026-01-01T00:00:00Z`);
  assertError(time, 501, "sandboxNotImplemented");
  assertError(
    await graph("GET", libraryPath(sandbox, "root:/General/Agenda.md:/delta")),
    400,
    "invalidRequest",
  );
  const other = sandbox.tenant.drive("megan").id;
  assertError(await graph("GET", `/drives/${other}/root/delta`), 403, "accessDenied");
});

Deno.test("delta of a business drive has paths in its older form (4.2d)", async () => {
  await using sandbox = await startSandbox({ olderForms: true });
  const graph = graphOf(sandbox);
  sandbox.tenant.addFile("Documents", "A b/c.txt", "c");
  const { items } = await read(graph, `${libraryPath(sandbox, "root")}/delta`);
  const file = items.find(({ name }) => name === "c.txt")!;
  assertMatch(file.parentReference.path, /^\/drives\/b![^/]+\/root:\/A( |%20)b$/);
});

Deno.test("delta of a personal drive has paths and cTags, also of what is gone", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox, { as: "robin" });
  const { items, deltaLink } = await read(graph, "/me/drive/root/delta");
  const file = items.find(({ name }) => name === "Shopping list.txt");
  assertMatch(file.parentReference.path, /\/root:\/Documents$/);
  assert(file.cTag && file.parentReference.name === undefined);
  sandbox.tenant.remove("robin", "Documents/Shopping list.txt");
  const [gone] = (await read(graph, deltaLink)).items.filter((item) => item.deleted);
  assertEquals([gone.id, gone.name, gone.eTag, gone.size, gone.deleted.state], [
    ...[file.id, undefined, undefined, 0],
    "deleted",
  ]);
  assert(gone.cTag && gone.parentReference.id && gone.parentReference.path === undefined);
});
