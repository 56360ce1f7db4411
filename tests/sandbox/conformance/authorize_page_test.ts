/**
 * The sign-in page in a real browser, between MSAL and its loopback address. Skipped with a notice without
 * Chromium.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import type { Page } from "npm:playwright-core@1.65.1";
import { startSandbox } from "../mod.ts";
import { CHROMIUM, withBrowserPage } from "./testing_browser.ts";
import { failure, nameOf, publicClient } from "./testing_msal.ts";

/** Presses a button of the page that MSAL opened; returns what the browser shows in the end. */
async function press(page: Page, url: string, decision: "approve" | "decline"): Promise<string> {
  await page.goto(url);
  await page.getByLabel(/Megan Bowen/).check();
  await page.locator(`button[value=${decision}]`).click();
  await page.waitForURL(/^http:\/\/localhost:/);
  return await page.locator("body").innerText();
}

Deno.test({
  name: "sign-in page works in a browser that enforces its content security policy",
  ignore: CHROMIUM === undefined,
  fn: () =>
    withBrowserPage(async (page) => {
      await using sandbox = await startSandbox();
      const client = publicClient(sandbox);
      let shown = "";
      const result = await client.acquireTokenInteractive({
        scopes: ["User.Read"],
        openBrowser: async (url) => void (shown = await press(page, url, "approve")),
      });
      assertMatch(shown, /Auth code was successfully acquired/);
      assertEquals(await nameOf(sandbox, result), "Megan Bowen");
    }),
});

Deno.test({
  name: "sign-in page reports a declined sign-in to the app by redirect",
  ignore: CHROMIUM === undefined,
  fn: () =>
    withBrowserPage(async (page) => {
      await using sandbox = await startSandbox();
      const declined = await failure(
        publicClient(sandbox).acquireTokenInteractive({
          scopes: ["User.Read"],
          openBrowser: async (url) => void await press(page, url, "decline"),
        }),
      );
      assertStringIncludes(declined.message, "AADSTS65004");
    }),
});
