/** Moving, removing and sharing items. */

import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { createLink, list, listDrives, listSites, move, remove, stat, walk } from "../../lib/mod.ts";
import type { GraphError } from "../../lib/errors.ts";
import { startManageEnv } from "./manage_env.ts";

/** The code of the error with which work fails. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(() => "none", (error: GraphError) => `${error.kind} ${error.code}`);
}

Deno.test("stat(), list(), walk(), listSites() and listDrives() show what is there", async () => {
  await using env = await startManageEnv();
  const { connection } = env;

  const names = async (items: AsyncIterable<{ name: string }>) =>
    (await Array.fromAsync(items)).map(({ name }) => name);

  const general = await stat(connection, "General");
  assertEquals([general.type, general.path], ["folder", "General"]);
  assertMatch(general.webUrl!, /^https:\/\/contoso\.sharepoint\.com\//);
  assert((await names(list(connection, general))).includes("Minutes"));
  assertEquals(await names(list(connection, "General/Minutes")), ["Minutes 2025-10.pdf"]);
  assert((await names(walk(connection, general))).includes("Minutes 2025-10.pdf"));
  assert((await names(listSites(connection, "Test"))).length > 0);
  assertEquals(await names(await listDrives(connection) as unknown as AsyncIterable<{ name: string }>), [
    "Documents",
    "Archive",
  ]);
  assert((await listDrives(connection, "contoso.sharepoint.com/sites/Marketing")).length > 0);
});

Deno.test("an item is used without being looked for again, and without more permissions", async () => {
  await using env = await startManageEnv();
  const own = await stat(env.connection, "me:Documents");

  const [file] = await Array.fromAsync(list(env.connection, own));
  await move(env.connection, file!, "me:Pictures");

  assertEquals(env.requests().filter((request) => /drives\/[^/]+$/.test(request)), []);
  const { scopes } = await env.connection.session.info();
  assertEquals(scopes.filter((scope) => scope.endsWith(".All")), []);
});

Deno.test("move() means what mv means, and replaces nothing", async () => {
  const cases: [source: string, target: string, result: string][] = [
    ["General/Agenda.md", "General/Minutes", "General/Minutes/Agenda.md"],
    ["General/Agenda.md", "General/Minutes/", "General/Minutes/Agenda.md"],
    ["General/Agenda.md", "General/Plan.md", "General/Plan.md"],
    ["General/Agenda.md", "General/AGENDA.md", "General/AGENDA.md"],
    ["General/Agenda.md", "General/Minutes/Plan.md", "General/Minutes/Plan.md"],
    ["General/Minutes", "Thousand", "Thousand/Minutes"],
    ["General/Team Notebook", "General/Minutes/", "General/Minutes/Team Notebook"],
    ["General/Agenda.md", "General/Logo.png", "conflict nameAlreadyExists"],
    ["General/Agenda.md", "Nowhere/", "notFound folderNotFound"],
    ["General/Agenda.md", "Nowhere/Agenda.md", "notFound folderNotFound"],
    ["General/Missing.md", "General/Plan.md", "notFound itemNotFound"],
    ["General/Agenda.md/", "General/Plan.md", "usage notAFolder"],
    ["General/Agenda.md", "me:Documents", "usage otherDrive"],
    ["General", "General/Minutes", "failed invalidRequest"],
    ["drive:Documents/", "General", "usage rootFolder"],
    ["General/Agenda.md", "General/a:b.md", "usage illegalName"],
  ];
  for (const [source, target, expected] of cases) {
    await using env = await startManageEnv();
    const before = env.sandbox.tenant.find("Documents", source)?.id;

    const result = await move(env.connection, source, target)
      .then(({ path }) => path, (error: GraphError) => `${error.kind} ${error.code}`);

    assertEquals(result, expected, `${source} to ${target}`);
    if (!result.includes("/")) continue;
    assertEquals(env.sandbox.tenant.find("Documents", result)?.id, before);
    assertEquals(env.sandbox.tenant.find("Documents", result)?.name, result.split("/").at(-1));
  }
});

Deno.test("move() and remove() concern a shortcut itself, not what it leads to", async () => {
  await using env = await startManageEnv();
  const { tenant } = env.sandbox;

  await move(env.connection, "me:Campaign 2026", "me:Documents/Campaign");
  assertEquals(tenant.find("me", "Documents/Campaign")!.kind, "link");
  await remove(env.connection, "me:Documents/Campaign");

  assertEquals(tenant.find("me", "Documents/Campaign"), undefined);
  assert(tenant.find("Marketing", "Campaign 2026/Slogan.txt"));
});

Deno.test("remove() removes files and folders, but neither a root nor what has changed since it was listed", async () => {
  await using env = await startManageEnv();
  const { connection, sandbox: { tenant } } = env;
  const listed = await stat(connection, "General/Agenda.md");
  tenant.addFile("Documents", "General/Agenda.md", "# A new agenda\n");

  assertEquals(await codeOf(remove(connection, listed)), "conflict entityTagDoesNotMatch");
  assertEquals(await codeOf(remove(connection, "")), "usage rootFolder");
  for (const pattern of ["*", "General/*", "General/**/*.md"]) {
    assertEquals(await codeOf(remove(connection, pattern)), "usage illegalName");
    assertEquals(await codeOf(move(connection, pattern, "Thousand")), "usage illegalName");
  }
  assertEquals(await codeOf(remove(connection, await stat(connection, ""))), "usage rootFolder");
  assertEquals(await codeOf(remove(connection, "General/Missing.md")), "notFound itemNotFound");
  await remove(connection, "General/Agenda.md");
  const folder = await stat(connection, "General/Minutes");
  tenant.addFile("Documents", "General/Minutes/New.txt", "new");
  await remove(connection, folder);

  assertEquals(tenant.find("Documents", "General/Agenda.md"), undefined);
  assertEquals(tenant.find("Documents", "General/Minutes"), undefined);
});

Deno.test("move(), remove() and createLink() succeed although a response is lost", async () => {
  await using env = await startManageEnv();
  const lost = (method: string) =>
    env.sandbox.addFault({ service: "graph", method, path: "/items/", when: "after", drop: true });
  for (const method of ["PATCH", "DELETE", "POST"]) lost(method);

  const { path } = await move(env.connection, "General/Agenda.md", "General/Plan.md");
  const { webUrl } = await createLink(env.connection, path);
  await remove(env.connection, path);

  assertEquals(webUrl.startsWith("https://contoso.sharepoint.com/"), true);
  assertEquals(env.sandbox.tenant.find("Documents", "General/Plan.md"), undefined);
  const faults = env.sandbox.requests.filter(({ fault }) => fault).map(({ method }) => method);
  assertEquals([...new Set(faults)], ["PATCH", "POST", "DELETE"]);
});

Deno.test("createLink() returns a link that is a location", async () => {
  await using env = await startManageEnv();

  const link = await createLink(env.connection, "General/Agenda.md");

  assertEquals([link.type, link.scope], ["view", "organization"]);
  const shared = await stat(env.connection, link.webUrl);
  assertEquals(shared.id, env.sandbox.tenant.find("Documents", "General/Agenda.md")!.id);
  const edit = await createLink(env.connection, shared, { type: "edit", scope: "anonymous" });
  assertEquals([edit.type, edit.scope], ["edit", "anonymous"]);
});

Deno.test("changes fail where the user may only read", async () => {
  await using env = await startManageEnv();
  const site = "site:contoso.sharepoint.com/Welcome.txt";
  for (const change of [remove(env.connection, site), createLink(env.connection, site)]) {
    const error = await assertRejects(() => change) as GraphError;
    assertEquals([error.kind, error.exitCode], ["refused", 5]);
  }
});
