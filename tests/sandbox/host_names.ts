/** The names of the service, for clients that cannot be pointed elsewhere. */

import type { Service } from "./messages.ts";
import type { Origins } from "./state.ts";
import type { Drive } from "./tenant/drive.ts";

const LOGIN = "login.microsoftonline.com";
const GRAPH = "graph.microsoft.com";
/** A tenant's SharePoint and OneDrive, and personal OneDrives. */
const STORAGE = /^[\w-]+\.sharepoint\.com$|^my\.microsoftpersonalcontent\.com$/;

/** The service with the name in this Host header. */
export function serviceNamed(host: string): Service | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, "");
  if (name === LOGIN) return "login";
  if (name === GRAPH) return "graph";
  return STORAGE.test(name) ? "storage" : undefined;
}

/** Addresses under the names of the service; URLs of storage have the name of their site. */
export function namedOrigins(port: number): Origins {
  const origin = (name: string) => `https://${name}${port === 443 ? "" : `:${port}`}`;
  return { login: origin(LOGIN), graph: origin(GRAPH), storage: ({ hostname }) => origin(hostname) };
}

/** The lines that a hosts file needs: one for sign-in and Graph, one for storage. */
export function hostsLines(drives: readonly Drive[]): [string, string] {
  const storage = new Set(drives.map((drive) => drive.info.site.hostname));
  return [`127.0.0.1 ${LOGIN} ${GRAPH}`, `127.0.0.1 ${[...storage].join(" ")}`];
}
