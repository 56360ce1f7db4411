import { assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { assertError, graphOf, libraryPath, send } from "./testing.ts";
import { start } from "./testing_login.ts";

const GENERAL = "/me/drive/root:/Documents:";

Deno.test("Graph responds with 501 and a documentation page to what the sandbox does not model (PROTOCOL 17b)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const cases: [string, string, string][] = [
    ["GET", "/planner", "api/overview"],
    ["GET", "/", "traverse-the-graph"],
    ["GET", "/users", "api/user-list"],
    ["GET", "/sites?search=", "api/site-search"],
    ["GET", "/sites/getAllSites", "api/site-getallsites"],
    ["GET", "/shares/u!abc", "api/shares-get"],
    ["GET", "/me/drive/delta", "api/driveitem-delta"],
    ["GET", "/me/messages", "api/resources/message"],
    ["GET", "/me/messages/AAMk/attachments", "api/resources/message"],
    ["GET", "/me/drive/recent", "api/drive-recent"],
    ["GET", "/me/drive/special", "api/drive-get-specialfolder"],
    ["GET", "/me/drive/special/approot/children", "api/drive-get-specialfolder"],
    ["GET", "/sites/root/lists/Documents/items", "api/list-list"],
    ["GET", "/me/drive/root/thumbnails", "api/driveitem-list-thumbnails"],
    ["GET", "/me/drive/root/children('Documents')", "onedrive-addressing-driveitems"],
    ["POST", `${GENERAL}/invite`, "api/driveitem-invite"],
    ["POST", `${GENERAL}/microsoft.graph.checkout`, "api/driveitem-checkout"],
    ["DELETE", "/me", "api/overview"],
    ["GET", "/me/drive?$expand=root", "query-parameters"],
    ["GET", "/me/drives?$filter=driveType%20eq%20'business'", "query-parameters"],
    ["GET", "/sites?$search=x", "query-parameters"],
    ["GET", "/me?$select=aboutMe", "api/resources/user"],
    ["GET", "/me/drive/root?$select=sharepointIds", "api/resources/driveitem"],
    ["GET", "/me/drive/root?$select=file/mimeType", "query-parameters"],
    ["GET", "/me/drive/root?$select=*", "query-parameters"],
    ["GET", "/me/drive/root/delta?$deltatoken=x", "query-parameters"],
    ["GET", "/sites?search=*&$filter=siteCollection/root%20ne%20null", "query-parameters"],
    ["DELETE", `${GENERAL}?$select=id`, "query-parameters"],
    ["GET", `${GENERAL}/content?format=zip`, "api/driveitem-get-content-format"],
  ];
  for (const [method, path, page] of cases) {
    const reply = await graph(method, path);
    assertError(reply, 501, "sandboxNotImplemented");
    assertMatch(reply.json.error.message, /^The sandbox does not model \S/);
    assertEquals(
      reply.json.error.message.split(" See ")[1],
      `https://learn.microsoft.com/graph/${page}`,
      path,
    );
  }
});

Deno.test("Graph responds with 501 to properties of a body that the sandbox does not model", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const session = libraryPath(sandbox, "root:/General/x.bin:/createUploadSession");
  const cases: [string, string, unknown][] = [
    ["POST", libraryPath(sandbox, "root/children"), { name: "x", folder: {}, remoteItem: {} }],
    ["POST", libraryPath(sandbox, "root/children"), { name: "x.txt", file: {} }],
    ["POST", libraryPath(sandbox, "root:/General:/createLink"), { type: "view", password: "secret" }],
    ["POST", libraryPath(sandbox, "root:/General:/createLink"), { type: "blocksDownload" }],
    ["POST", libraryPath(sandbox, "root:/General:/createLink"), { scope: "organization" }],
    ["POST", libraryPath(sandbox, "root:/General:/createLink"), { type: "view", scope: "existingAccess" }],
    ["PATCH", libraryPath(sandbox, "root:/General/Agenda.md"), { retentionLabel: {} }],
    ["PUT", libraryPath(sandbox, "root:/General"), { "@microsoft.graph.sourceUrl": "https://contoso.com/x" }],
    ["POST", session, { item: { mediaSource: {} } }],
    ["POST", libraryPath(sandbox, "root:/General/Agenda.md:/copy"), { childrenOnly: true }],
  ];
  for (const [method, path, body] of cases) {
    assertError(await graph(method, path, body), 501, "sandboxNotImplemented");
  }
});

Deno.test("sign-in and storage respond with 501 to what the sandbox does not model", async () => {
  await using sandbox = await startSandbox();
  const login = await send(`${sandbox.loginOrigin}/common/oauth2/v2.0/logout`);
  const scope = await start(sandbox, { scope: "https://contoso.sharepoint.com/.default" });
  const headers = { authorization: `Bearer ${sandbox.issueToken()}` };
  const storage = await send(`${sandbox.storageOrigin}/sites/TestTeam/_api/web/lists`, { headers });
  const page = await send(`${sandbox.storageOrigin}/sites/TestTeam/_layouts/15/Doc.aspx`);

  assertEquals([login.status, login.json.error], [501, "sandboxNotImplemented"]);
  assertMatch(login.json.error_description, /See https:\/\/learn\.microsoft\.com\/entra\//);
  assertEquals([scope.status, scope.json.error], [501, "sandboxNotImplemented"]);
  assertError(storage, 501, "sandboxNotImplemented");
  assertError(page, 501, "sandboxNotImplemented");
  assertMatch(storage.json.error.message, /See https:\/\/learn\.microsoft\.com\/sharepoint\//);
});
