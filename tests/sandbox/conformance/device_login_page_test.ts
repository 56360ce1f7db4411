/** The device login page in a real browser, by keyboard alone. Skipped with a notice without Chromium. */

import { assert, assertEquals, assertMatch } from "../../assert.ts";
import type { Page } from "npm:playwright-core@1.65.1";
import { type Sandbox, startSandbox } from "../mod.ts";
import { type Reply, send } from "./testing.ts";
import { CHROMIUM, withBrowserPage } from "./testing_browser.ts";
import { poll, start } from "./testing_login.ts";

/** Presses Tab until the element has focus. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 20; presses++) {
    if (await page.locator(selector).evaluate((element) => element === element.ownerDocument.activeElement)) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`${selector} cannot be reached by Tab`);
}

/** Types a code into the focused field and presses Enter. */
async function enterCode(page: Page, code: string): Promise<void> {
  await tabTo(page, "#code");
  await page.keyboard.type(code);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}

async function pressOn(page: Page, selector: string, key: "Enter" | "Space"): Promise<void> {
  await tabTo(page, selector);
  await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
}

async function withPage(
  act: (sandbox: Sandbox, page: Page, code: Reply["json"]) => Promise<void>,
): Promise<void> {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 0, pendingPolls: 0 });
  const code = (await start(sandbox, { scope: "User.Read Files.ReadWrite openid" })).json;
  await withBrowserPage(async (page) => {
    await page.goto(code.verification_uri);
    await act(sandbox, page, code);
  });
}

Deno.test({
  name: "device login page rejects a wrong code, and signs in Megan with the right one",
  ignore: CHROMIUM === undefined,
  fn: () =>
    withPage(async (sandbox, page, code) => {
      assert(
        await page.locator("#code").evaluate((element) => element === element.ownerDocument.activeElement),
      );
      assertEquals(await page.getByLabel("Code shown by your script").count(), 1);
      await enterCode(page, `<b>"wrong`);
      assertMatch(await page.getByRole("alert").innerText(), /did not work/);
      assertEquals(
        await page.locator("#code").inputValue(),
        `<b>"wrong`,
        "what was typed is kept, and escaped",
      );
      assertEquals(await page.locator("#code").getAttribute("aria-describedby"), "error");
      await page.keyboard.press("ControlOrMeta+a");
      const typed = code.user_code.toLowerCase();
      await enterCode(page, `${typed.slice(0, 4)}-${typed.slice(4, 6)} ${typed.slice(6)}`);
      assertEquals(await page.getByRole("heading").innerText(), "Sign in");
      assertMatch(await page.getByRole("list").innerText(), /User\.Read\s+Files\.ReadWrite/);
      assert(await page.getByLabel(/Adele Vance/).isChecked());
      await page.keyboard.press("ArrowDown");
      assert(await page.getByLabel(/Megan Bowen/).isChecked());
      assertEquals((await poll(sandbox, code.device_code)).json.error, "authorization_pending");
      await pressOn(page, "button[value=approve]", "Enter");
      assertMatch(await page.getByRole("status").innerText(), /signed in as Megan Bowen/);
      const { json } = await poll(sandbox, code.device_code);
      const headers = { authorization: `Bearer ${json.access_token}` };
      assertEquals((await send(`${sandbox.apiOrigin}/v1.0/me`, { headers })).json.displayName, "Megan Bowen");
    }),
});

Deno.test({
  name: "device login page declines with authorization_declined and invalidates the code",
  ignore: CHROMIUM === undefined,
  fn: () =>
    withPage(async (sandbox, page, code) => {
      await enterCode(page, code.user_code);
      await pressOn(page, "button[value=decline]", "Space");
      assertEquals(await page.getByRole("heading").innerText(), "Sign-in declined");
      assertEquals((await poll(sandbox, code.device_code)).json.error, "authorization_declined");
      await page.goto(code.verification_uri);
      await enterCode(page, code.user_code);
      assertMatch(await page.getByRole("alert").innerText(), /did not work/);
    }),
});

Deno.test("device login page works without a browser and rejects unknown accounts", async () => {
  await using sandbox = await startSandbox();
  const page = `${sandbox.loginOrigin}/devicelogin`;
  const form = (fields: Record<string, string>) =>
    send(page, { method: "POST", body: new URLSearchParams(fields) }).then((reply) => reply.text);
  const { json } = await start(sandbox, { scope: "User.Read" });
  assertMatch(await form({}), /Type the code that your script shows/);
  assertMatch(await form({ code: '"><script>alert(1)</script>' }), /value="&quot;&gt;&lt;script&gt;/);
  assertMatch(
    await form({ code: json.user_code, decision: "approve", person: "nobody" }),
    /Choose who signs in/,
  );
  assertEquals((await poll(sandbox, json.device_code)).json.error, "authorization_pending");
  assertEquals((await send(page, { method: "DELETE" })).status, 405);
  assertMatch((await send(page)).headers.get("content-security-policy")!, /default-src 'none'/);
});
