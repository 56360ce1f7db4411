/** Moves, copies and share links of the sandbox. */

import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { assertError, graphOf, libraryPath, send, until } from "./testing.ts";

Deno.test("PATCH moves an item into a folder of its drive, and into no other drive", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const target = sandbox.tenant.addFolder("Documents", "Archive/2025");
  const before = sandbox.tenant.find("Documents", "General/Minutes")!;
  const path = libraryPath(sandbox, "root:/General/Minutes");

  const moved = await graph("PATCH", path, { parentReference: { id: target.id }, name: "Old minutes" });

  assertEquals([moved.status, moved.json.name, moved.json.parentReference.id], [
    200,
    "Old minutes",
    target.id,
  ]);
  const after = sandbox.tenant.find("Documents", "Archive/2025/Old minutes")!;
  assertEquals([after.id, after.size, after.children], [before.id, before.size, before.children]);
  assertEquals(sandbox.tenant.find("Documents", "General/Minutes"), undefined);
  assertEquals(sandbox.tenant.find("Documents", "Archive")!.size, before.size);

  const move = (parentReference: unknown) =>
    graph("PATCH", libraryPath(sandbox, "root:/Archive"), { parentReference });
  assertError(await move({ id: target.id }), 400, "invalidRequest"); // into itself
  assertError(await move({ id: "01NOTHING" }), 404, "itemNotFound");
  const { id, driveId } = sandbox.tenant.find("me", "Documents")!;
  assertError(await move({ id, driveId }), 400, "invalidRequest");
  sandbox.tenant.addFolder("Documents", "General/Archive");
  const general = sandbox.tenant.find("Documents", "General")!;
  assertError(await move({ id: general.id }), 409, "nameAlreadyExists");
});

Deno.test("copy is accepted, then reported by a monitor that takes no token", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { id, driveId } = sandbox.tenant.find("me", "Documents")!;
  const copy = (body: unknown, query = "") =>
    graph("POST", libraryPath(sandbox, `root:/General/Minutes:/copy${query}`), body);

  const accepted = await copy({ parentReference: { id, driveId }, name: "Minutes 2026" });

  assertEquals([accepted.status, accepted.text], [202, ""]);
  const monitor = accepted.headers.get("location")!;
  assert(monitor.startsWith(sandbox.storageOrigin));
  const running = await send(monitor);
  assertEquals([running.status, running.json.status], [202, "inProgress"]);
  const { json } = await send(monitor);
  const copied = sandbox.tenant.find("me", "Documents/Minutes 2026")!;
  assertEquals([json.status, json.resourceId], ["completed", copied.id]);
  const original = sandbox.tenant.find("Documents", "General/Minutes")!;
  assertEquals([copied.size, copied.children], [original.size, original.children]);
  assertError(await send(monitor, { headers: { authorization: "Bearer x" } }), 401, "unauthenticated");

  const again = await copy({ parentReference: { id, driveId }, name: "Minutes 2026" });
  const location = again.headers.get("location")!;
  await send(location);
  const failed = await send(location);
  assertEquals([failed.json.status, failed.json.error.code], ["failed", "nameAlreadyExists"]);

  const query = "?@microsoft.graph.conflictBehavior=rename";
  assertEquals((await copy({ parentReference: { id, driveId }, name: "Minutes 2026" }, query)).status, 202);
  assert(sandbox.tenant.find("me", "Documents/Minutes 2026 1"));
  const inside = { id: original.id, driveId: original.driveId };
  assertError(await copy({ parentReference: inside }), 400, "invalidRequest");
});

Deno.test("createLink returns a link that /shares resolves, the same for the same kind", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const create = (body: unknown) =>
    graph("POST", libraryPath(sandbox, "root:/General/Agenda.md:/createLink"), body);

  const created = await create({ type: "view", scope: "organization" });

  const { roles, link } = created.json;
  assertEquals([created.status, roles, link.type, link.scope], [201, ["read"], "view", "organization"]);
  assertMatch(link.webUrl, /^https:\/\/contoso\.sharepoint\.com\/:u:\/s\/TestTeam\/E/);
  const token = `u!${btoa(link.webUrl).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  assertEquals((await graph("GET", `/shares/${token}/driveItem`)).json.name, "Agenda.md");
  const again = await create({ type: "view", scope: "organization" });
  assertEquals([again.status, again.json.id], [200, created.json.id]);
  const edit = (await create({ type: "edit", scope: "users" })).json;
  assertEquals([edit.roles, edit.link.webUrl === link.webUrl], [["write"], false]);
  assertError(await create({ type: "own" }), 400, "invalidRequest");
  assertError(await create({ type: "view", scope: "world" }), 400, "invalidRequest");
});

Deno.test("createLink on a personal OneDrive returns a short link that /shares resolves", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox, { as: "robin" });

  const { json } = await graph("POST", "/me/drive/root:/Documents/Shopping%20list.txt:/createLink", {
    type: "view",
    scope: "anonymous",
  });

  assertMatch(json.link.webUrl, /^https:\/\/1drv\.ms\/t\/c\/0a5f3c9e17d2b846\/E[\w-]+$/);
  const token = Buffer.from(json.link.webUrl).toString("base64url");
  assertEquals((await graph("GET", `/shares/u!${token}/driveItem`)).json.name, "Shopping list.txt");
});

Deno.test("PATCH sets a description, resolves taken names as asked, and takes a folder by its path", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const CONFLICT = "@microsoft.graph.conflictBehavior";
  for (const name of ["a", "b", "c"]) sandbox.tenant.addFile("Documents", `Box/${name}.txt`, name);
  const patch = (path: string, body: unknown) => graph("PATCH", libraryPath(sandbox, `root:/${path}`), body);

  const described = await patch("Box/a.txt", { description: "The first" });
  assertEquals([described.status, described.json.description], [200, "The first"]);
  assertError(await patch("Box/a.txt", { name: "b.txt" }), 409, "nameAlreadyExists");
  const renamed = await patch("Box/a.txt", { name: "b.txt", [CONFLICT]: "rename" });
  assertEquals([renamed.json.name, renamed.json.description], ["b 1.txt", "The first"]);
  const replaced = await patch("Box/c.txt", { name: "b.txt", [CONFLICT]: "replace" });
  assertEquals([replaced.status, sandbox.tenant.find("Documents", "Box")!.children], [200, [
    "b 1.txt",
    "b.txt",
  ]]);
  assertEquals(await sandbox.tenant.bytes("Documents", "Box/b.txt"), new TextEncoder().encode("c"));
  assertError(
    await patch("Box/b.txt", { name: "b 1.txt", [CONFLICT]: "overwrite" }),
    400,
    "invalidRequest",
    "invalidParameterFormat",
  );

  const moved = await patch("Box/b.txt", { parentReference: { path: "/drive/root:/General/Minutes" } });
  assertEquals(moved.json.parentReference.name, "Minutes");
  const { driveId } = sandbox.tenant.find("me", "Documents")!;
  const copied = await graph("POST", libraryPath(sandbox, "root:/General/Agenda.md:/copy"), {
    parentReference: { path: `/drives/${driveId}/root:/Documents` },
  });
  await send(copied.headers.get("location")!);
  assertEquals(sandbox.tenant.find("me", "Documents/Agenda.md")!.size, 30);
});

Deno.test("an item that is deleted before the body of a request has arrived is 404", async () => {
  await using sandbox = await startSandbox();
  const headers = {
    authorization: `Bearer ${sandbox.issueToken()}`,
    "content-type": "application/json",
  };
  const cases = [
    ["PATCH", "root:/Box/a.txt", '{"name":"b.txt"}'],
    ["POST", "root:/Box:/children", '{"name":"Folder","folder":{}}'],
    ["PUT", "root:/Box/c.txt:/content", '"text"'],
  ] as const;
  for (const [method, path, text] of cases) {
    sandbox.tenant.addFile("Documents", "Box/a.txt", "a");
    const { readable, writable } = new TransformStream();
    const url = `${sandbox.apiOrigin}/v1.0${libraryPath(sandbox, path)}`;
    const reply = send(url, { method, headers, body: readable });
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode(text.slice(0, 1)));
    await until(() => sandbox.requests.some((request) => request.method === method));

    sandbox.tenant.remove("Documents", "Box");
    await writer.write(new TextEncoder().encode(text.slice(1)));
    await writer.close();

    assertError(await reply, 404, "itemNotFound");
  }
});
