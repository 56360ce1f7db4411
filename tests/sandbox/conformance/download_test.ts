import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import {
  assertError,
  createSession,
  type Graph,
  graphOf,
  patternBytes,
  send,
  sendFragment,
} from "./testing.ts";

const LETTER = "/me/drive/root:/Documents/Letter.docx";

async function locationOf(graph: Graph, path: string): Promise<string> {
  const reply = await graph("GET", `${path}:/content`);
  assertEquals(reply.status, 302, reply.text);
  return reply.headers.get("location")!;
}

Deno.test("GET content redirects to storage, which rejects altered URLs (PROTOCOL D4)", async () => {
  await using sandbox = await startSandbox();
  const url = await locationOf(graphOf(sandbox), LETTER);
  assert(
    url.startsWith(
      `${sandbox.storageOrigin}/personal/adelev_contoso_com/_layouts/15/download.aspx?UniqueId=`,
    ),
  );
  const response = await fetch(url);
  assertEquals(
    new Uint8Array(await response.arrayBuffer()),
    await sandbox.tenant.bytes("me", "Documents/Letter.docx"),
  );
  assertMatch(response.headers.get("etag")!, /^"\{[0-9A-F-]{36}\},\d+"$/);
  const [base, query] = url.split("?") as [string, string];
  for (
    const altered of [
      `${base}?${query.split("&").reverse().join("&")}`,
      `${base}?${query}&x=1`,
      `${base}?${query.replace("Translate=false", "translate=false")}`,
      `${base}?${query.replace(/UniqueId=./, "UniqueId=x")}`,
      `${base}?${query.slice(0, -20).replace(/.$/, "_")}`,
      base,
    ]
  ) assertError(await send(altered), 401, "unauthenticated");
  assertError(await send(`${sandbox.storageOrigin}/elsewhere`), 501, "sandboxNotImplemented");
});

Deno.test("storage rejects any Authorization header (PROTOCOL D1, U5, 17a)", async () => {
  await using sandbox = await startSandbox();
  const url = await locationOf(graphOf(sandbox), LETTER);
  const headers = { authorization: `Bearer ${sandbox.issueToken()}` };
  assertError(await send(url, { headers }), 401, "unauthenticated");
});

Deno.test("storage ignores a bearer token for older clients, on request (PROTOCOL U5)", async () => {
  await using sandbox = await startSandbox({ lenientStorage: true });
  const graph = graphOf(sandbox);
  const authorization = `Bearer ${sandbox.issueToken()}`;
  assertEquals((await send(await locationOf(graph, LETTER), { headers: { authorization } })).status, 200);
  const upload = await createSession(graph, "/me/drive/root:/new.bin");
  assertEquals((await sendFragment(upload, patternBytes(5), 0, 5, { authorization })).status, 201);
});

Deno.test("storage rejects download URLs that have expired or whose item is deleted (PROTOCOL D3)", async () => {
  await using sandbox = await startSandbox({ downloadUrlLifeSeconds: 0.4 });
  const graph = graphOf(sandbox);
  const url = await locationOf(graph, LETTER);
  assertEquals((await send(url)).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 420));
  const reply = await send(url);
  assertError(reply, 401, "unauthenticated", "expiredToken");
  assertStringIncludes(reply.json.error.message, "It's valid from");
  const fresh = await locationOf(graph, LETTER);
  sandbox.tenant.remove("me", "Documents/Letter.docx");
  assertError(await send(fresh), 404, "itemNotFound");
});

Deno.test("storage honors ranges, and /content ignores them (PROTOCOL 18a)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const bytes = new TextEncoder().encode("0123456789");
  sandbox.tenant.addFile("me", "Documents/ten.txt", bytes);
  const path = "/me/drive/root:/Documents/ten.txt";
  assertEquals((await graph("GET", `${path}:/content`, undefined, { range: "bytes=2-3" })).status, 302);
  const url = await locationOf(graph, path);
  const cases: [string, number, string, string | null][] = [
    ["bytes=0-", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=4-", 206, "456789", "bytes 4-9/10"],
    ["bytes=2-3", 206, "23", "bytes 2-3/10"],
    ["bytes=8-100", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=5-4", 200, "0123456789", null],
    ["bytes=0-1,3-4", 200, "0123456789", null],
    ["lines=1-2", 200, "0123456789", null],
  ];
  for (const [range, status, text, contentRange] of cases) {
    const reply = await send(url, { headers: { range } });
    assertEquals(
      [reply.status, reply.text, reply.headers.get("content-range")],
      [status, text, contentRange],
      range,
    );
  }
  const conditional = { range: "bytes=4-", "if-range": '"another"', "if-match": '"another"' };
  assertEquals((await send(url, { headers: conditional })).status, 206);
  const head = await fetch(url, { method: "HEAD" });
  assertEquals([head.status, head.headers.get("content-length")], [200, "10"]);
  assertError(await send(url, { method: "POST", body: "" }), 405, "notAllowed");
});

Deno.test("GET content responds with 304 to a matching tag, an empty 404 to a folder, and no bytes for an empty file", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { eTag, cTag } = sandbox.tenant.find("me", "Documents/Letter.docx")!;
  for (const tag of [eTag, cTag]) {
    assertEquals((await graph("GET", `${LETTER}:/content`, undefined, { "if-none-match": tag })).status, 304);
  }
  const folder = await graph("GET", "/me/drive/root:/Documents:/content");
  assertEquals([folder.status, folder.text], [404, ""]);
  assertEquals(folder.headers.get("content-type"), "application/octet-stream");
  assertError(await graph("GET", "/me/drive/root:/Adele%20@%20Work:/content"), 400, "invalidRequest");
  assertError(await graph("GET", `${LETTER}:/content?format=pdf`), 501, "sandboxNotImplemented");
  const reply = await send(await locationOf(graph, "/me/drive/root:/Documents/Empty.txt"));
  assertEquals([reply.status, reply.headers.get("content-length"), reply.text], [200, "0", ""]);
});
