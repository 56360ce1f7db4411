/**
 * Addresses that users copy from a browser, parsed without any request: pages of SharePoint and OneDrive, file links of Teams.
 * An address that only the service understands, such as a share link, stays as it is.
 *
 * @module
 */
import { usageError } from "../errors.ts";
import { decodeName } from "./address.ts";
import type { Location } from "./location.ts";

type Place = Pick<Location, "base" | "path" | "folder">;

/** Between the host and a path or share token, for example `/:w:/r/`: an icon, and how the rest is to be read. */
const LINK = /^\/:[a-z]:\/([a-z])\//i;
/** Pages that show a folder; its path may be in a parameter. */
const FOLDER_PAGE = /\/(?:forms\/[^/]+|_layouts\/15\/onedrive|_layouts\/15\/allitems)\.aspx$/i;
/** Pages below this show one document, whose id is in a parameter. */
const PAGES = /\/_layouts\/15\/[^/]+\.aspx$/i;
const DOCUMENT_PARAMETERS = ["sourcedoc", "UniqueId", "share", "docid"];
const TEAMS_HOSTS = ["teams.microsoft.com", "teams.cloud.microsoft", "teams.live.com"];
const PERSONAL_HOSTS = ["onedrive.live.com", "1drv.ms"];

/** @throws {GraphError} `usage`, code `unknownLocation`. */
export function parseWebAddress(text: string): Place {
  const url = URL.parse(text);
  if (!url) throw unknownAddress(text, "it is not a valid URL");
  const host = url.hostname.toLowerCase();
  if (TEAMS_HOSTS.includes(host)) return parseTeamsLink(url, text);
  if (PERSONAL_HOSTS.includes(host)) return parsePersonalLink(url);
  return parseSharePointAddress(url, text);
}

function parseSharePointAddress(url: URL, text: string): Place {
  const { host, pathname, searchParams } = url;
  const [, way] = LINK.exec(pathname) ?? [];
  const isShareToken = way !== undefined && way.toLowerCase() !== "r";
  const isDocument = PAGES.test(pathname) &&
    DOCUMENT_PARAMETERS.some((name) => parameter(searchParams, name));
  if (isShareToken || isDocument) return share(url);
  const path = pathname.replace(LINK, "/");
  if (FOLDER_PAGE.test(path)) {
    const shown = parameter(searchParams, "id") ?? parameter(searchParams, "RootFolder");
    return shown === undefined
      ? web(host, encodedNames(path.replace(FOLDER_PAGE, "")), true)
      : web(host, names(shown), !parameter(searchParams, "parent"));
  }
  if (/\.aspx$/i.test(path) && /\/(?:SitePages|_layouts|Lists|Pages)\//i.test(path)) {
    throw unknownAddress(text, "it is the address of a page, not of a file or folder");
  }
  return web(host, encodedNames(path), path.endsWith("/"));
}

/** `…/l/file/…?objectUrl=…` names a file in SharePoint, `…/l/channel/ID/NAME?groupId=…` a channel. */
function parseTeamsLink(url: URL, text: string): Place {
  const target = parameter(url.searchParams, "objectUrl");
  if (target !== undefined) return parseWebAddress(target);
  const [, channelId] = /^\/l\/channel\/([^/]+)/i.exec(url.pathname) ?? [];
  const teamId = parameter(url.searchParams, "groupId");
  if (channelId === undefined || teamId === undefined) {
    throw unknownAddress(text, "it is a link of Teams to something else than a file or channel");
  }
  const base = { kind: "team", team: { id: teamId }, channel: { id: decodeName(channelId) } } as const;
  return { base, path: [], folder: true };
}

/** The id of an item of a personal OneDrive, unless only a share link grants access to it. */
function parsePersonalLink(url: URL): Place {
  const { searchParams } = url;
  const id = parameter(searchParams, "resid") ?? parameter(searchParams, "id");
  const [, driveId] = /^([0-9a-f]{13,16})![\w.-]+$/i.exec(id ?? "") ?? [];
  if (
    id === undefined || driveId === undefined || parameter(searchParams, "authkey") ||
    parameter(searchParams, "e")
  ) {
    return share(url);
  }
  return { base: { kind: "item", driveId, itemId: id }, path: [], folder: false };
}

/** The service ignores the case of parameters. */
function parameter(parameters: URLSearchParams, name: string): string | undefined {
  for (const [key, value] of parameters) {
    if (key.toLowerCase() === name.toLowerCase() && value !== "") return value;
  }
  return undefined;
}

function web(host: string, path: string[], folder: boolean): Place {
  return { base: { kind: "web", host: host.toLowerCase() }, path, folder: folder || path.length === 0 };
}

function share({ href }: URL): Place {
  return { base: { kind: "share", url: href }, path: [], folder: false };
}

function names(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

function encodedNames(path: string): string[] {
  return names(path).map(decodeName);
}

function unknownAddress(text: string, why: string) {
  return usageError(
    `${text}: ${why}`,
    "copy the address of a file or folder, or a share link",
    "unknownLocation",
  );
}
