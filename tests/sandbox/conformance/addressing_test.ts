import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { driveId, guidBytes, itemId, ROOT_ITEM_GUID } from "../tenant/ids.ts";
import { assertError, type Graph, graphOf, libraryPath, raw, tenantOf } from "./testing.ts";

function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")
  );
  return Uint8Array.from(bits.join("").match(/.{8}/g)!, (byte) => parseInt(byte, 2));
}

Deno.test("ids follow the formats of PROTOCOL 2.1", async () => {
  // The fixture pair of PROTOCOL 2.1.
  const [site, web] = ["ea49a393-e3e6-4760-a1b2-e96539e15372", "66e2861c-96d9-4418-a75c-0ed1bca68b42"];
  assert(driveId(site, web, ROOT_ITEM_GUID).startsWith("b!k6NJ6ubj"));
  assertEquals(
    itemId(Uint8Array.of(0, 0x44, 0x32, 0x0c), ROOT_ITEM_GUID).slice(9),
    "6Y2GOVW7725BZO354PWSELRRZ",
  );
  await using sandbox = await startSandbox();
  const { json } = await graphOf(sandbox)("GET", libraryPath(sandbox, "root:/General/Report.docx"));
  assertMatch(json.parentReference.driveId, /^b![A-Za-z0-9_-]{64}$/);
  assertMatch(json.id, /^01[A-Z2-7]{32}$/);
  const guid = /^"\{([0-9A-F-]{36})\},\d+"$/.exec(json.eTag)![1]!;
  assertEquals([...fromBase32(json.id.slice(2)).subarray(4)], [...guidBytes(guid.toLowerCase())]);
  assert(json.cTag.startsWith(`"c:{${guid}},`));
});

Deno.test("all address forms of PROTOCOL 3.1 reach the same item", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const drive = sandbox.tenant.drive("Documents");
  const general = sandbox.tenant.find("Documents", "General")!;
  const file = sandbox.tenant.find("Documents", "General/Report.docx")!;
  const team = tenantOf(sandbox).directory.teams[0]!;
  for (
    const path of [
      `/drives/${drive.id}/items/${file.id}`,
      `/drives/${drive.id}/root:/General/Report.docx`,
      `/drives/${drive.id}/root:/General/Report.docx:`,
      `/drives/${drive.id}/root:/general/REPORT.docx`,
      `/drives/${drive.id}/items/${general.id}:/Report.docx`,
      `/drives/${drive.id}/items/root:/General/Report.docx`,
      `/groups/${team.id}/drive/root:/General/Report.docx`,
      `/sites/contoso.sharepoint.com:/sites/TestTeam:/drive/items/${file.id}`,
      `/sites/contoso.sharepoint.com:/sites/testteam:/drive/root:/General/Report.docx`,
    ]
  ) {
    const { json, status } = await graph("GET", path);
    assertEquals([status, json.id, json.name], [200, file.id, "Report.docx"], path);
  }
  const letter = sandbox.tenant.find("me", "Documents/Letter.docx")!;
  const adele = tenantOf(sandbox).directory.users[0]!;
  for (
    const path of [
      "/me/drive/root:/Documents/Letter.docx",
      "/me/drive/special/documents:/Letter.docx",
      `/users/${adele.id}/drive/root:/Documents/Letter.docx`,
      `/users/${adele.userPrincipalName}/drive/items/${letter.id}`,
    ]
  ) assertEquals((await graph("GET", path)).json.id, letter.id, path);
});

Deno.test("Graph splits the path at raw colons, then decodes it once", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const folder = "/me/drive/root:/Documents/Awkward%20names";
  for (const name of sandbox.tenant.find("me", "Documents/Awkward names")!.children) {
    const { json, status } = await graph("GET", `${folder}/${encodeURIComponent(name)}`);
    assertEquals([status, json?.name], [200, name]);
  }
  assertEquals((await graph("GET", `${folder}/Q1+Q2.csv`)).json.name, "Q1+Q2.csv", "raw + stays a plus");
  assertError(await graph("GET", `${folder}/Fish+%26+Chips.txt`), 404, "itemNotFound");
  assertError(await graph("GET", `${folder}/50%25%20off.txt`), 404, "itemNotFound");
  const { json } = await graph("GET", `${folder}/${encodeURIComponent("#1")}/plan.txt`);
  assertMatch(json.parentReference.path, /root:\/Documents\/Awkward names\/#1$/);
});

Deno.test("a colon in a name, encoded or not, causes a misleading 400 (PROTOCOL N1, N2)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  for (
    const [method, path] of [
      ["GET", "/me/drive/root:/Documents/a%3Ab.txt"],
      ["PUT", "/me/drive/root:/Documents/a:b.txt:/content"],
      ["PUT", "/me/drive/root:/Documents/a%3ab.txt:/content"],
      ["PUT", "/me/drive/root:/Documents/new.txt/content"],
      ["GET", "/me/drive/root:/:/children"],
    ] as const
  ) {
    const reply = await graph(method, path, method === "PUT" ? "x" : undefined);
    assertError(reply, 400, "BadRequest");
    assertMatch(reply.json.error.message, /JSON Content-Type header/);
  }
});

Deno.test("Graph rejects the names of PROTOCOL 3.3, N5 and N7", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const put = (path: string) => graph("PUT", `/me/drive/root:/${path}:/content`, "x");
  const refused = [
    "a*b",
    "a<b",
    "a>b",
    "a?b",
    "a|b",
    "a\\b",
    'a"b',
    " a",
    "a ",
    "a.",
    "~$a.docx",
    ".lock",
    "CON",
  ];
  refused.push("nul.txt", "COM1", "lpt9.log", "desktop.ini", "x_vti_y", "a&#b", "a\u0085b", "a\u0001b");
  for (const name of refused) {
    assertError(
      await put(`Documents/${encodeURIComponent(name)}`),
      400,
      "invalidRequest",
      "nameContainsInvalidCharacters",
    );
  }
  assertError(await put("~folder/x.txt"), 400, "invalidRequest", "nameContainsInvalidCharacters");
  assertError(await put("Forms/x.txt"), 400, "invalidRequest", "nameContainsInvalidCharacters");
  assertError(await put("Documents//x.txt"), 400, "invalidRequest", "invalidPath");
  assertError(await put("a".repeat(256)), 400, "invalidRequest", "pathIsTooLong");
  const deep = Array.from({ length: 5 }, () => "d".repeat(80)).join("/");
  assertError(await put(`${deep}/x.txt`), 400, "invalidRequest", "pathIsTooLong");
  for (const name of ["#", "100%", "~a.txt", "a;b", "forms.txt", "Forms", "ä\u0308", "'", "a&b"]) {
    assertEquals((await put(`Documents/${encodeURIComponent(name)}`)).status, 201, name);
  }
});

Deno.test("Graph rejects dot segments from clients that do not normalize paths (PROTOCOL 3.2b)", async () => {
  await using sandbox = await startSandbox();
  const headers = `Host: graph\nAuthorization: Bearer ${sandbox.issueToken()}\nConnection: close\n\n`;
  const text = await raw(
    sandbox.apiOrigin,
    `GET /v1.0/me/drive/root:/Documents/../Pictures HTTP/1.1\n${headers}`,
  );
  assertMatch(text, /^HTTP\/1.1 400 [^]*"invalidPath"/);
});

Deno.test("Graph rejects unknown items, users and versions with its usual error", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const id = sandbox.tenant.drive("me").id;
  const cases: [string, string, number, string][] = [
    ["GET", "/me/drive/items/01AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 404, "itemNotFound"],
    ["GET", "/me/drive/root:/no%20such%20file", 404, "itemNotFound"],
    ["GET", "/me/drive/special/none", 404, "itemNotFound"],
    ["GET", `/drives/b!${"A".repeat(64)}`, 404, "itemNotFound"],
    ["GET", `/drives/${id.toLowerCase()}/root`, 404, "itemNotFound"],
    ["GET", "/me/drive/root:/%FF", 400, "invalidRequest"],
    ["GET", "/users/nobody@contoso.com", 404, "Request_ResourceNotFound"],
  ];
  for (const [method, path, status, code] of cases) assertError(await graph(method, path), status, code);
  assertError(await graph("GET", "/drives/xyz"), 400, "invalidRequest");
  assertError(await graph("GET", `${sandbox.apiOrigin}/v2.0/me`), 400, "BadRequest");
});

Deno.test("Graph adds diagnostic headers to every response", async () => {
  await using sandbox = await startSandbox();
  const id = crypto.randomUUID();
  const check = async (graph: Graph, path: string) => {
    const { headers, json } = await graph("GET", path, undefined, { "client-request-id": id });
    assertMatch(headers.get("request-id")!, /^[0-9a-f-]{36}$/);
    assertEquals(headers.get("client-request-id"), id);
    assert(headers.get("date"));
    assert(JSON.parse(headers.get("x-ms-ags-diagnostic")!).ServerInfo.DataCenter);
    assertMatch(headers.get("content-type")!, /^application\/json; odata\.metadata=minimal;.*charset=utf-8$/);
    return json;
  };
  await check(graphOf(sandbox), "/me");
  const { error } = await check(graphOf(sandbox), "/drives/none");
  assertEquals(error.innerError["client-request-id"], id);
  assertMatch(error.innerError.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
});
