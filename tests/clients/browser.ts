/** The browser of a user who approves each sign-in at once. */

/** Follows a sign-in page's redirects up to the address of the app. @returns that address, with the code */
export async function approveInBrowser(page: string, app: string): Promise<string> {
  let url = page;
  for (let hop = 0; hop < 5; hop++) {
    const response = await fetch(url, { redirect: "manual" });
    const text = await response.text();
    const location = response.headers.get("location");
    if (location === null) {
      throw new Error(`no redirect: ${text.replaceAll(/<[^>]*>/g, " ").trim().slice(0, 400)}`);
    }
    url = new URL(location, url).href;
    if (url.startsWith(app)) return url;
  }
  throw new Error(`the sign-in page does not lead to ${app}`);
}
