/** A real browser for tests of the pages. */

import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";

/** The path of the local browser, if any. */
export const CHROMIUM: string | undefined = findChromium();
const ARGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

function findChromium(): string | undefined {
  for (const path of [Deno.env.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser"]) {
    try {
      if (path !== undefined && Deno.statSync(path).isFile) return path;
    } catch { /* try the next one */ }
  }
  // deno-lint-ignore no-console
  console.error(
    "SKIPPED: tests of the pages need Chromium; there is none at $CHROMIUM or /usr/bin/chromium",
  );
  return undefined;
}

/** Runs a function with a browser page, then closes the browser. */
export async function withBrowserPage(act: (page: Page) => Promise<void>): Promise<void> {
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM!, args: ARGS });
  try {
    await act(await browser.newPage({ javaScriptEnabled: true }));
  } finally {
    await browser.close();
  }
}
