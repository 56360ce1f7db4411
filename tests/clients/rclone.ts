/** rclone, from Debian. */

import { join } from "../../lib/std.ts";
import { approveInBrowser } from "./browser.ts";
import type { Actions, Client, Workplace } from "./client.ts";

/** The port where rclone waits for the browser. */
const REDIRECT = "http://localhost:53682/";

/** A folder synchronization and copy tool; it signs in with a browser. */
export const rclone: Client = {
  name: "rclone",
  packages: { debian: ["rclone"] },
  sandbox: { lenientStorage: true }, // it sends its token to pre-authenticated URLs, too
  drive: "me",
  resumes: true,
  actions,
};

function actions({ sandbox, folder, run }: Workplace): Actions {
  const config = join(folder, "rclone.conf");
  const rclone = (...args: string[]) => run("rclone", ["--config", config, "--retries", "1", ...args]);
  return {
    async signIn() {
      let page: Promise<unknown> | undefined;
      // Without a secret it would send the one of its own registration.
      const { clientId: id, clientSecret: secret } = sandbox.app;
      const args = ["authorize", "onedrive", id, secret, "--auth-no-open-browser", "--config", config];
      const printed = await run("rclone", args, (text) => {
        const start = /http:\/\/127\.0\.0\.1:53682\/auth\?state=\S+/.exec(text)?.[0];
        if (start) {
          page ??= approveInBrowser(start, REDIRECT).then((url) => fetch(url)).then((page) => page.text());
        }
      });
      await page;
      const token = /\{"access_token".*\}/.exec(printed)?.[0];
      if (token === undefined) throw new Error("rclone prints no token");
      const drive = sandbox.tenant.drive("me").id;
      const app = { client_id: id, client_secret: secret };
      const remote = { type: "onedrive", ...app, token, drive_id: drive, drive_type: "business" };
      const text = Object.entries(remote).map(([name, value]) => `${name} = ${value}\n`).join("");
      await Deno.writeTextFile(config, `[graph]\n${text}`);
    },
    list: async (path) => (await rclone("lsf", `graph:${path}`)).split("\n").filter(Boolean),
    upload: async (local, path) => void await rclone("copyto", local, `graph:${path}`),
    download: async (path, local) => void await rclone("copyto", `graph:${path}`, local),
    uploadFolder: async (local, path) => void await rclone("copy", local, `graph:${path}`),
    remove: async (path) => void await rclone("deletefile", `graph:${path}`),
    move: async (from, to) => void await rclone("moveto", `graph:${from}`, `graph:${to}`),
  };
}
