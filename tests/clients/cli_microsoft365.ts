/** CLI for Microsoft 365 (PnP), from npm: its commands for files, and its general request where they use SharePoint's API. */

import { basename, dirname } from "../../lib/std.ts";
import type { Actions, Client, Workplace } from "./client.ts";

const SITE = "https://contoso.sharepoint.com/sites/TestTeam";
const LIBRARY = `${SITE}/Shared Documents`;

/** A command line for administrators; it signs in with a device code. */
export const cliMicrosoft365: Client = {
  name: "cli-microsoft365",
  packages: { npm: ["@pnp/cli-microsoft365@11.11.0"] },
  drive: "Documents",
  resumes: false,
  actions,
};

function actions({ sandbox, run }: Workplace): Actions {
  const m365 = (...args: string[]) => run("m365", args);
  const address = (path: string) =>
    `@graph/drives/${sandbox.tenant.drive("Documents").id}/root:/${encodeURI(path)}`;
  let deltaLink = `@graph/drives/${sandbox.tenant.drive("Documents").id}/root/delta`;
  const names = new Map<string, string>();
  return {
    async signIn() {
      const app = ["--appId", sandbox.env["GRAPH_CLIENT_ID"]!, "--tenant", sandbox.env["GRAPH_TENANT_ID"]!];
      await m365("login", "--authType", "deviceCode", ...app);
    },
    async list(path) {
      const files = JSON.parse(
        await m365("file", "list", "--webUrl", SITE, "--folderUrl", `Shared Documents/${path}`),
      );
      return files.map(({ name }: { name: string }) => name);
    },
    upload: async (local, path) =>
      void await m365("file", "add", "--folderUrl", `${LIBRARY}/${dirname(path)}`, "--filePath", local),
    download: async (path, local) =>
      void await m365("request", "--url", `${address(path)}:/content`, "--filePath", local),
    remove: async (path) => void await m365("request", "--url", address(path), "--method", "delete"),
    async move(from, to) {
      const target = ["--targetUrl", `${LIBRARY}/${dirname(to)}`, "--newName", basename(to)];
      await m365("file", "move", "--webUrl", SITE, "--sourceUrl", `${LIBRARY}/${from}`, ...target);
    },
    async changes() {
      const ids: string[] = [];
      for (let url: string | undefined = deltaLink; url !== undefined;) {
        const page = JSON.parse(await m365("request", "--url", url));
        url = page["@odata.nextLink"];
        deltaLink = page["@odata.deltaLink"] ?? deltaLink;
        for (const { id, name } of page.value) {
          ids.push(id);
          // A deleted item may come without a name.
          if (name !== undefined) names.set(id, name);
        }
      }
      return ids.map((id) => names.get(id) ?? id);
    },
  };
}
