/**
 * The national clouds of Microsoft 365 (https://learn.microsoft.com/graph/deployments). They share no tokens.
 *
 * @module
 */

/** Origins and hosts of one cloud. */
export interface Cloud {
  loginOrigin: string;
  apiOrigin: string;
  /** Environment name under which MSAL keeps its tokens. */
  cacheEnvironment: string;
  /** Hosts of upload and download URLs (PROTOCOL 15). */
  storageHosts: readonly string[];
}

/** The name of a cloud, as in the setting `cloud`. */
export type CloudName = "global" | "usgov" | "usdod" | "china";

export const CLOUDS: Record<CloudName, Cloud> = {
  global: {
    loginOrigin: "https://login.microsoftonline.com",
    apiOrigin: "https://graph.microsoft.com",
    cacheEnvironment: "login.windows.net",
    storageHosts: [
      "*.sharepoint.com",
      "my.microsoftpersonalcontent.com",
      "api.onedrive.com",
      "*.up.1drv.com",
      "*.files.1drv.com",
      "*.livefilestore.com",
      "*.storage.live.com",
    ],
  },
  usgov: {
    loginOrigin: "https://login.microsoftonline.us",
    apiOrigin: "https://graph.microsoft.us",
    cacheEnvironment: "login.microsoftonline.us",
    storageHosts: ["*.sharepoint.us"],
  },
  usdod: {
    loginOrigin: "https://login.microsoftonline.us",
    apiOrigin: "https://dod-graph.microsoft.us",
    cacheEnvironment: "login.microsoftonline.us",
    storageHosts: ["*.sharepoint-mil.us"],
  },
  china: {
    loginOrigin: "https://login.partner.microsoftonline.cn",
    apiOrigin: "https://microsoftgraph.chinacloudapi.cn",
    cacheEnvironment: "login.partner.microsoftonline.cn",
    storageHosts: ["*.sharepoint.cn"],
  },
};

/** A host, with or without a port. URLs take more, such as `$(x)` and `a,b`, which means more to shells and permissions. */
export const HOST = /^([a-z0-9._-]+|\[[0-9a-f:]+\])(:\d+)?$/i;

/** Whether secrets may be sent to a URL: by `https:`, or by `http:` to this machine. */
export function isSecure({ protocol, hostname }: URL): boolean {
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
  return protocol === "https:" || (protocol === "http:" && isLoopback);
}
