/** JSON batches of the sandbox (PROTOCOL 4.5). */

import { assertEquals } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { assertError, graphOf, type Reply } from "./testing.ts";

const JSON_HEADERS = { "Content-Type": "application/json" };

Deno.test("$batch serves its requests in order, each with status, headers and body", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const { id } = sandbox.tenant.find("me", "Documents/Letter.docx")!;
  const requests = [
    { id: "1", method: "GET", url: "/me?$select=displayName" },
    {
      id: "folder",
      method: "POST",
      url: "me/drive/root/children",
      headers: JSON_HEADERS,
      body: { name: "New", folder: {} },
    },
    {
      id: "3",
      method: "PUT",
      url: "/me/drive/root:/New/a.txt:/content",
      headers: { "content-type": "text/plain" },
      body: btoa("Hello"),
    },
    { id: "4", method: "GET", url: `/me/drive/items/${id}/content` },
    { id: "5", method: "GET", url: "/me/drive/root:/none" },
    { id: "6", method: "DELETE", url: "/me/drive/root:/New/a.txt" },
  ];

  const { status, json } = await graph("POST", "/$batch", { requests });

  const responses: Reply["json"][] = json.responses;
  assertEquals([status, ...responses.map(({ id, status }) => `${id} ${status}`)], [
    200,
    ...["1 200", "folder 201", "3 201", "4 302", "5 404", "6 204"],
  ]);
  assertEquals([responses[0].body.displayName, responses[1].body.name, responses[2].body.size], [
    "Adele Vance",
    "New",
    5,
  ]);
  assertEquals(responses[3].headers["Location"].startsWith(sandbox.storageOrigin), true);
  assertEquals([responses[4].body.error.code, responses[5].body], ["itemNotFound", undefined]);
  assertEquals(sandbox.requests.length, 1);
});

Deno.test("a request that depends on a failed one is not served, nor one that names a version", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const requests = [
    { id: "a", method: "DELETE", url: "/me/drive/root:/none" },
    { id: "b", method: "DELETE", url: "/me/drive/root:/Documents", dependsOn: ["A"] },
    { id: "c", method: "GET", url: "/me", dependsOn: ["b"] },
    { id: "d", method: "GET", url: "/me" },
    { id: "e", method: "GET", url: "/v1.0/me" },
  ];

  const { json } = await graph("POST", "/$batch", { requests });

  assertEquals(json.responses.map(({ status }: { status: number }) => status), [404, 424, 424, 200, 400]);
  assertEquals(sandbox.tenant.find("me", "Documents")!.name, "Documents");
});

Deno.test("$batch rejects more than 20 requests, repeated ids, unknown dependencies and odd forms", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const step = { id: "1", method: "GET", url: "/me" };
  const cases: unknown[] = [
    { requests: Array.from({ length: 21 }, (_, n) => ({ ...step, id: String(n) })) },
    { requests: [step, step] },
    { requests: [{ ...step, dependsOn: ["2"] }, { ...step, id: "2" }] },
    { requests: [{ ...step, dependsOn: "2" }] },
    { requests: [step, { ...step, id: "2", dependsOn: [null] }] },
    { requests: [{ ...step, method: "POST", body: {} }] },
    { requests: [{ id: 1, method: "GET", url: "/me" }] },
    { requests: [{ ...step, url: "https://graph.microsoft.com/v1.0/me" }] },
    { requests: [] },
    {},
  ];
  for (const body of cases) assertError(await graph("POST", "/$batch", body), 400, "BadRequest");
  assertError(await graph("GET", "/$batch"), 405, "Request_BadRequest");
  const { status } = await graph("POST", "/$batch", { requests: [step] }, { authorization: "Bearer no.t" });
  assertEquals(status, 401);
});
