/** Requests of scripts in web pages (PROTOCOL 8f). */

import { assertEquals } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { createSession, graphOf, libraryPath, send } from "./testing.ts";

const PAGE = { origin: "https://app.example" };

Deno.test("Graph and upload URLs answer preflight requests, download URLs do not", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const preflight = (url: string, method: string) =>
    send(url, {
      method: "OPTIONS",
      headers: {
        ...PAGE,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-range",
      },
    });
  const item = (await graph("GET", libraryPath(sandbox, "root:/General/Agenda.md"))).json;
  const download = item["@microsoft.graph.downloadUrl"];
  const upload = await createSession(graph, libraryPath(sandbox, "root:/General/new.bin"));

  for (const [url, method] of [[`${sandbox.apiOrigin}/v1.0/me`, "GET"], [upload, "PUT"]] as const) {
    const { status, headers } = await preflight(url, method);
    assertEquals([status, headers.get("access-control-allow-origin")], [200, "*"]);
    assertEquals(headers.get("access-control-allow-methods"), method);
    assertEquals(headers.get("access-control-allow-headers"), "authorization,content-range");
  }
  assertEquals((await preflight(download, "GET")).status, 405);
  const { status, headers } = await send(download, { headers: PAGE });
  assertEquals([status, headers.get("access-control-allow-origin")], [200, "*"]);
});

Deno.test("responses to a page expose their headers, those to other clients have none for pages", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const name = "access-control-expose-headers";
  assertEquals((await graph("GET", "/me", undefined, PAGE)).headers.get(name)!.includes("Retry-After"), true);
  assertEquals((await graph("GET", "/me")).headers.get(name), null);
});
