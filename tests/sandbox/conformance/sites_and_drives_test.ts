import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { type Sandbox, startSandbox } from "../mod.ts";
import { assertError, graphOf, send, tenantOf } from "./testing.ts";

Deno.test("/me has eleven properties and supports $select (PROTOCOL 1a, 1b)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { json } = await graph("GET", "/me");
  assertEquals(Object.keys(json).length, 12);
  assertEquals([json.displayName, json.mobilePhone], ["Adele Vance", null]);
  assertStringIncludes(json["@odata.context"], "$metadata#users/$entity");
  const selected = (await graph("GET", "/me?$select=id,mySite")).json;
  assertEquals(Object.keys(selected).sort(), ["@odata.context", "id", "mySite"]);
});

Deno.test("users, sites and groups have drives", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const mine = (await graph("GET", "/me/drive")).json;
  assertEquals([mine.driveType, mine.owner.user.displayName], ["business", "Adele Vance"]);
  assertEquals(mine.quota.total - mine.quota.used, mine.quota.remaining);
  assertEquals((await graph("GET", "/me/drives")).json.value.map((drive: { id: string }) => drive.id), [
    mine.id,
  ]);
  assertEquals((await graph("GET", `/drives/${mine.id}`)).json.id, mine.id);
  const site = (await graph("GET", "/sites/contoso.sharepoint.com:/sites/TestTeam")).json;
  const drives = (await graph("GET", `/sites/${site.id}/drives`)).json.value;
  const names = drives.map((
    drive: { name: string; webUrl: string },
  ) => [drive.name, drive.webUrl.split("/").at(-1)]);
  assertEquals(names, [["Documents", "Shared%20Documents"], ["Archive", "Archive"]]);
  assertEquals((await graph("GET", `/sites/${site.id}/drive`)).json.id, drives[0].id);
  assertEquals(drives[0].driveType, "documentLibrary");
  const team = (await graph("GET", "/me/joinedTeams")).json.value[0];
  assertEquals((await graph("GET", `/groups/${team.id}/drive`)).json.id, drives[0].id);
  assertEquals((await graph("GET", `/groups/${team.id}/drives`)).json.value.length, 2);
});

Deno.test("lists of drives and sites have pages", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const lists = ["/sites/contoso.sharepoint.com:/sites/TestTeam:/drives?", "/sites?search=*&"];
  for (const list of lists) {
    const all = (await graph("GET", list.slice(0, -1))).json.value;
    const first = (await graph("GET", `${list}$top=1`)).json;
    const second = (await graph("GET", first["@odata.nextLink"])).json;

    assertEquals([...first.value, ...second.value], all.slice(0, 2), list);
  }
});

Deno.test("sites are found by path, id, host and search (PROTOCOL 2.3a)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const byPath = (await graph("GET", "/sites/contoso.sharepoint.com:/sites/TestTeam")).json;
  assertMatch(byPath.id, /^contoso\.sharepoint\.com,[0-9a-f-]{36},[0-9a-f-]{36}$/);
  assertEquals(byPath.webUrl, "https://contoso.sharepoint.com/sites/TestTeam");
  assertEquals((await graph("GET", `/sites/${byPath.id}`)).json.id, byPath.id);
  const root = (await graph("GET", "/sites/root")).json;
  assertEquals((await graph("GET", "/sites/contoso.sharepoint.com")).json.id, root.id);
  const found = (await graph("GET", "/sites?search=test")).json.value;
  assertEquals(found.map((site: { name: string }) => site.name), ["TestTeam", "TestTeam-Leads"]);
  assertEquals((await graph("GET", "/sites?search=*")).json.value.length, 4);
  assertEquals((await graph("GET", "/sites?search=adelev")).json.value, []);
  const library = "/sites/contoso.sharepoint.com:/sites/TestTeam/Shared%20Documents";
  for (const path of ["/sites/contoso.sharepoint.com:/sites/None", library]) {
    const reply = await graph("GET", path);
    assertError(reply, 404, "itemNotFound");
    assertStringIncludes(reply.json.error.message, "does not represent a site");
  }
  assertError(await graph("GET", "/sites/fabrikam.sharepoint.com:/sites/TestTeam"), 400, "invalidRequest");
  assertError(await graph("GET", "/sites"), 403, "accessDenied");
});

Deno.test("channels have a folder only after someone has opened the Files tab (PROTOCOL L6)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const team = (await graph("GET", "/me/joinedTeams")).json.value[0];
  assertEquals(Object.keys(team).sort(), ["description", "displayName", "id"]);
  const channels = (await graph("GET", `/teams/${team.id}/channels`)).json.value;
  const [general, planning] = channels as { id: string; displayName: string }[];
  for (const id of [general!.id, encodeURIComponent(general!.id)]) {
    const folder = (await graph("GET", `/teams/${team.id}/channels/${id}/filesFolder`)).json;
    assertEquals([folder.name, folder.createdDateTime], ["General", "0001-01-01T00:00:00Z"]);
    assertEquals(folder.parentReference.driveId, sandbox.tenant.drive("Documents").id);
  }
  const path = `/teams/${team.id}/channels/${planning!.id}/filesFolder`;
  assertError(await graph("GET", path), 404, "NotFound");
  sandbox.tenant.openFilesTab("Planning");
  assertEquals((await graph("GET", path)).json.name, "Planning");
});

Deno.test("Graph responds with 401 and a challenge without a valid token", async () => {
  await using sandbox = await startSandbox();
  const expired = sandbox.issueToken({ lifeSeconds: -1 });
  for (
    const authorization of [
      undefined,
      "Bearer",
      "Bearer abc",
      "Bearer a.b.c",
      "Bearer Bearer x",
      `Bearer ${expired}`,
    ]
  ) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const reply = await send(`${sandbox.apiOrigin}/v1.0/me`, { headers });
    assertError(reply, 401, "InvalidAuthenticationToken");
    assertMatch(reply.headers.get("www-authenticate")!, /^Bearer realm="", authorization_uri="http/);
  }
});

/** The status of each path for a token with these scopes. */
async function statuses(sandbox: Sandbox, scopes: string[], paths: string[]): Promise<number[]> {
  const graph = graphOf(sandbox, { scopes });
  const replies = [];
  for (const path of paths) replies.push((await graph("GET", path)).status);
  return replies;
}

Deno.test("each request requires a scope of PROTOCOL 2.2", async () => {
  await using sandbox = await startSandbox();
  const team = tenantOf(sandbox).directory.teams[0]!;
  const paths = [
    "/me",
    "/me/drive/root/children",
    `/drives/${sandbox.tenant.drive("Documents").id}/root`,
    "/sites/contoso.sharepoint.com:/sites/TestTeam",
    "/me/joinedTeams",
    `/teams/${team.id}/channels`,
  ];
  assertEquals(await statuses(sandbox, [], paths), [403, 403, 403, 403, 403, 403]);
  assertEquals(await statuses(sandbox, ["User.Read"], paths), [200, 403, 403, 403, 403, 403]);
  assertEquals(await statuses(sandbox, ["Files.Read"], paths), [403, 200, 403, 403, 403, 403]);
  assertEquals(await statuses(sandbox, ["Files.ReadWrite"], paths), [403, 200, 403, 403, 403, 403]);
  assertEquals(await statuses(sandbox, ["Files.Read.All"], paths), [403, 200, 200, 403, 403, 403]);
  assertEquals(await statuses(sandbox, ["Sites.Read.All"], paths), [403, 200, 200, 200, 403, 403]);
  assertEquals(await statuses(sandbox, ["Team.ReadBasic.All"], paths), [403, 403, 403, 403, 200, 403]);
  assertEquals(await statuses(sandbox, ["Channel.ReadBasic.All"], paths), [403, 403, 403, 403, 403, 200]);
});

Deno.test("writing requires a write scope and the user's own rights", async () => {
  await using sandbox = await startSandbox();
  const put = async (scopes: string[], drive: string, as: "adele" | "megan" = "adele") => {
    const path = `/drives/${sandbox.tenant.drive(drive).id}/root:/x.txt:/content`;
    return (await graphOf(sandbox, { scopes, as })("PUT", path, "x")).status;
  };
  assertEquals(await put(["Files.Read", "Files.Read.All", "Sites.Read.All"], "me"), 403);
  assertEquals(await put(["Files.ReadWrite"], "me"), 201);
  assertEquals(await put(["Files.ReadWrite"], "Documents"), 403);
  assertEquals(await put(["Files.ReadWrite.All"], "Documents"), 201);
  assertEquals(await put(["Sites.ReadWrite.All"], "Documents"), 200);
  assertEquals(await put(["Files.ReadWrite.All"], "Marketing"), 403, "Adele is a visitor there");
  assertEquals(await put(["Files.ReadWrite.All"], "Marketing", "megan"), 201);
  assertEquals(await put(["Files.ReadWrite.All"], "megan"), 403, "another user's OneDrive");
  const graph = graphOf(sandbox);
  assertError(
    await graph("GET", `/drives/${sandbox.tenant.drive("megan").id}/root/children`),
    403,
    "accessDenied",
  );
  assert(
    (await graph("GET", `/drives/${sandbox.tenant.drive("Marketing").id}/root/children`)).status === 200,
  );
});

Deno.test("libraries of a site have roots with the same id but different items", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const [first, second] = ["Documents", "Archive"].map((name) => sandbox.tenant.drive(name).id);
  const roots = await Promise.all(
    [first, second].map(async (id) => (await graph("GET", `/drives/${id}/root`)).json),
  );
  assertEquals(roots[0].id, roots[1].id);
  sandbox.tenant.addFile("Archive", "only-here.txt", "x");
  const names = async (drive: string | undefined) =>
    (await graph("GET", `/drives/${drive}/items/${roots[0].id}/children`)).json.value
      .map((item: { name: string }) => item.name);
  assertEquals((await names(first)).includes("only-here.txt"), false);
  assertEquals((await names(second)).includes("only-here.txt"), true);
});
