/** The overview page: as HTML, and in a real browser. Browser tests are skipped with a notice without Chromium. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import type { Page } from "npm:playwright-core@1.65.1";
import { type Sandbox, type SandboxOptions, startSandbox } from "../mod.ts";
import { createSession, graphOf, libraryPath, patternBytes, send, sendFragment } from "./testing.ts";
import { CHROMIUM, withBrowserPage } from "./testing_browser.ts";

async function overview(sandbox: Sandbox): Promise<string> {
  return (await send(`${sandbox.loginOrigin}/`)).text;
}

Deno.test("overview page shows drives and files, with their names escaped", async () => {
  await using sandbox = await startSandbox();
  sandbox.tenant.addFile("Documents", "General/<b>&'x.txt", "four");

  const { status, headers, text } = await send(`${sandbox.loginOrigin}/`);

  assertEquals(status, 200);
  assertMatch(headers.get("content-type")!, /^text\/html/);
  assertMatch(headers.get("content-security-policy")!, /default-src 'none'.*script-src 'sha256-/);
  assertStringIncludes(text, "OneDrive of Adele Vance");
  assertMatch(text, /&lt;b&gt;&amp;&#39;x\.txt <small class="quiet">4 B, /);
  assert(!text.includes("<b>&"));
  assertEquals((await send(`${sandbox.loginOrigin}/`, { method: "HEAD" })).text, "");
});

Deno.test("overview page counts what a folder holds beyond 200 items", async () => {
  await using sandbox = await startSandbox();
  for (let n = 0; n < 203; n++) sandbox.tenant.addFile("Archive", `Many/${n}.txt`, "");

  assertStringIncludes(await overview(sandbox), "and 3 items more");
});

Deno.test("overview page shows requests with status, newest first and without secrets, but not itself", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  await graph("GET", "/me");
  await graph("GET", "/me/drive/root:/<missing>");
  const path = libraryPath(sandbox, "root:/General/clip.bin");
  const bytes = patternBytes(400_000);
  await sendFragment(await createSession(graph, path), bytes, 0, 327_680);
  await overview(sandbox);

  const text = await overview(sandbox);

  assertEquals(sandbox.requests.length, 4);
  assertStringIncludes(text, "4 so far");
  assertMatch(
    text,
    /uploadSession\?guid=….*<td>202<\/td>[^]*GET <code title="[^"]*">\/v1\.0\/me<\/code><\/td><td>200</,
  );
  assertMatch(text, /root:\/(?:&lt;|%3C)missing.*<span class="bad">40\d<\/span>/);
  for (const secret of sandbox.tenant.secrets()) assert(!text.includes(secret));
});

Deno.test("overview page shows the last 200 requests", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  for (let n = 1; n <= 203; n++) await graph("GET", `/me?n=${n}`);

  const text = await overview(sandbox);

  assertStringIncludes(text, "203 so far");
  const shown = [...text.matchAll(/>\/v1\.0\/me\?n=(\d+)</g)].map(([, n]) => n);
  assertEquals([shown.length, shown[0], shown.at(-1)], [200, "203", "4"]);
});

Deno.test("overview page shows upload sessions with their progress", async () => {
  await using sandbox = await startSandbox();
  const url = await createSession(graphOf(sandbox), libraryPath(sandbox, "root:/General/clip.bin"));
  assertMatch(await overview(sandbox), /<code>General\/clip\.bin<\/code> in Documents.*nothing yet/);

  await sendFragment(url, patternBytes(655_360), 0, 327_680);
  assertMatch(await overview(sandbox), /value="327680" max="655360"[^]*320 KiB of 640 KiB/);

  await send(url, { method: "DELETE" });
  assert(!(await overview(sandbox)).includes("clip.bin</code> in"));
});

Deno.test("overview page shows faults, what they do, and how often they struck", async () => {
  await using sandbox = await startSandbox({ fault: ["throttled-with-retry-after", "public-client-off"] });
  sandbox.addFault({ name: "mine", service: "graph", path: "/me", status: 500, times: "always" });
  const struck = async () =>
    [...(await overview(sandbox)).matchAll(/<tr><td>([\w-]+)<\/td>.*<td class="number">(.*)<\/td><\/tr>/g)]
      .map(([, name, struck]) => `${name}: ${struck}`);
  const graph = graphOf(sandbox);
  assertEquals(await struck(), [
    "public-client-off: always on",
    ...Array(4).fill("throttled-with-retry-after: 0 of 1"), // one for each kind of request
    "mine: 0",
  ]);

  await graph("GET", "/me");
  await graph("GET", "/me/drive/root/children");

  assertEquals((await struck()).slice(1), [
    "throttled-with-retry-after: 1 of 1",
    ...Array(3).fill("throttled-with-retry-after: 0 of 1"),
    "mine: 1",
  ]);
  assertStringIncludes(await overview(sandbox), "429 with Retry-After: 2");
  assertStringIncludes(await overview(sandbox), '<span class="bad">mine</span>');
});

async function withOverview(
  options: SandboxOptions,
  act: (sandbox: Sandbox, page: Page) => Promise<void>,
): Promise<void> {
  await using sandbox = await startSandbox(options);
  await withBrowserPage(async (page) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(`${sandbox.loginOrigin}/`);
    await act(sandbox, page);
    assertEquals(errors, []);
  });
}

Deno.test({
  name: "overview page opens folders by keyboard, and keeps them open and focused when it updates",
  ignore: CHROMIUM === undefined,
  fn: () =>
    withOverview({}, async (sandbox, page) => {
      await page.locator("#drives summary", { hasText: "TestTeam: Documents" }).focus();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const focused = await page.evaluate<string>("document.activeElement.id");
      sandbox.tenant.addFile("Documents", "General/late arrival.txt", "now");

      await page.getByText("late arrival.txt").waitFor({ state: "visible" });

      assertMatch(focused, /^item-.*-name$/);
      assertEquals(await page.evaluate<string>("document.activeElement.id"), focused);
    }),
});

Deno.test({
  name: "overview page shows new requests without a reload, and says when the sandbox has stopped",
  ignore: CHROMIUM === undefined,
  fn: async () => {
    const sandbox = await startSandbox();
    try {
      await withBrowserPage(async (page) => {
        await page.goto(`${sandbox.loginOrigin}/`);
        await page.evaluate("globalThis.loaded = true");
        await graphOf(sandbox)("GET", "/me/drive");
        await page.locator("#requests code", { hasText: "/v1.0/me/drive" }).waitFor();
        assertEquals(await page.evaluate("loaded"), true);
        assertEquals(await page.getByRole("status").innerText(), "updates automatically");

        await sandbox.close();

        await page.getByText("the sandbox does not respond").waitFor();
      });
    } finally {
      await sandbox.close();
    }
  },
});
