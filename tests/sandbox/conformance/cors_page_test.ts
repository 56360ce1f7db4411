/** A page of another origin lists, downloads and uploads in a real browser. Skipped with a notice without Chromium. */

import { assertEquals } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { libraryPath } from "./testing.ts";
import { CHROMIUM, withBrowserPage } from "./testing_browser.ts";

/** Runs in the page, so it uses nothing from outside. */
async function useFiles({ folder, token }: { folder: string; token: string }) {
  const authorization = `Bearer ${token}`;
  const listing = await (await fetch(`${folder}:/children`, { headers: { authorization } })).json();
  const agenda = listing.value.find((item: { name: string }) => item.name === "Agenda.md");
  const text = await (await fetch(agenda["@microsoft.graph.downloadUrl"])).text();
  const session = await fetch(`${folder}/page.bin:/createUploadSession`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: "{}",
  });
  const { uploadUrl } = await session.json();
  const uploaded = await fetch(uploadUrl, {
    method: "PUT",
    headers: { "content-range": "bytes 0-3/4" },
    body: "page",
  });
  return { text, requestId: session.headers.get("request-id"), status: uploaded.status };
}

Deno.test({
  name: "a page lists, downloads and uploads from another origin",
  ignore: CHROMIUM === undefined,
  fn: () =>
    withBrowserPage(async (page) => {
      await using sandbox = await startSandbox();
      await using site = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
        new Response("<!DOCTYPE html><title>App</title>", { headers: { "content-type": "text/html" } }));
      await page.goto(`http://127.0.0.1:${site.addr.port}/`);

      const folder = `${sandbox.apiOrigin}/v1.0${libraryPath(sandbox, "root:/General")}`;
      const result = await page.evaluate(useFiles, { folder, token: sandbox.issueToken() });

      assertEquals([result.text.slice(0, 8), result.requestId?.length, result.status], ["# Agenda", 36, 201]);
      const methods = sandbox.requests.map(({ service, method }) =>
        `${service} ${method}`
      );
      assertEquals(methods, [
        ...["graph OPTIONS", "graph GET", "storage GET", "graph OPTIONS", "graph POST"],
        ...["storage OPTIONS", "storage PUT"],
      ]);
    }),
});
