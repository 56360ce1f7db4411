/**
 * Parses what the user typed, without any request: `General/x.pdf`, `me:…`, `site:…`, `team:…`, `drive:…`, `id:…`, `https://…`.
 *
 * @module
 */
import { type GraphError, usageError } from "../errors.ts";
import { checkAddress, remoteName } from "./names.ts";
import { hasWildcards } from "./pattern.ts";
import { parseWebAddress } from "./web_address.ts";

/** Where a path begins. New forms of locations are parsed here, and found in `drives.ts`. */
export type LocationBase =
  /** Drive or site of the settings, else the user's own OneDrive. */
  | { kind: "default" }
  | { kind: "me" }
  | { kind: "site"; site: SiteName }
  /** A library of the default site by name, or any drive by id. */
  | { kind: "drive"; drive: string }
  | { kind: "item"; driveId: string | undefined; itemId: string }
  /** A path on a host of SharePoint, as a browser shows it: of the site, of a library, and in it. */
  | { kind: "web"; host: string }
  /** An address that only the service understands. */
  | { kind: "share"; url: string }
  /** A team, or a channel of it, whose files are in a library; by name, or from a link by id. */
  | { kind: "team"; team: NameOrId; channel: NameOrId | undefined };

/** How a team or channel is given. */
export type NameOrId = { name: string } | { id: string };

/** A site as `https://HOST/PATH`; the root site of a host has an empty path. */
export interface SiteName {
  /** Its host, as `contoso.sharepoint.com`. */
  host: string;
  /** Server-relative, without slashes at its ends: `sites/TestTeam`. */
  path: string;
}

/** What was found already: an item, or the result of a transfer. */
export interface ItemReference {
  /** Id of its drive. */
  driveId: string;
  /** Unique within its drive. */
  id: string;
  /** For messages. */
  path: string;
}

/** A location as typed, or parsed, or an item. */
export type LocationInput = string | Location | ItemReference;

/** A parsed location. */
export interface Location {
  /** As typed, for messages. */
  text: string;
  /** Where it begins. */
  base: LocationBase;
  /** Names below the base, outermost first. */
  path: string[];
  /** Names below the path, from the first with wildcards, as in `General/*.docx`. */
  pattern?: string[];
  /** Whether it ends with a slash, and so must be a folder. */
  folder: boolean;
}

type LocationPath = Pick<Location, "base" | "path">;

/** @throws {GraphError} `usage`, code `unknownLocation` or `illegalName`. */
export function parseLocation(text: LocationInput, siteHost?: string): Location {
  if (typeof text !== "string") return "base" in text ? text : locationOf(text);
  if (/^https?:\/\//i.test(text)) {
    const place = parseWebAddress(text);
    checkAddress(place.path);
    return { text, ...place };
  }
  const [, scheme, rest = text] = /^(me|site|team|drive|id):(.*)$/s.exec(text) ?? [];
  const names = rest.split("/").filter((name) => name !== "").map(remoteName);
  const { base, path: all } = parseBase(scheme, names, text, siteHost);
  checkAddress(all.map((name) => name.replaceAll(/[*?]/g, "x")));
  const first = all.findIndex(hasWildcards);
  const [path, pattern] = first < 0 ? [all, []] : [all.slice(0, first), all.slice(first)];
  const folder = rest === "" || rest.endsWith("/");
  return { text, base, path, ...(pattern.length > 0 ? { pattern } : {}), folder };
}

function locationOf({ driveId, id: itemId, path }: ItemReference): Location {
  if (itemId === "") throw usageError(`${path} was not made`, "a dry run makes nothing", "unknownLocation");
  return { text: path, base: { kind: "item", driveId, itemId }, path: [], folder: false };
}

function parseBase(
  scheme: string | undefined,
  names: string[],
  text: string,
  siteHost?: string,
): LocationPath {
  const [first] = names;
  switch (scheme) {
    case "me":
      return { base: { kind: "me" }, path: names };
    case "site":
      return splitSite(names, text, siteHost);
    case "team": {
      if (first === undefined) throw unknownLocation(text, "team:TEAM/CHANNEL/PATH");
      const [, channel, ...path] = names;
      return {
        base: {
          kind: "team",
          team: { name: first },
          channel: channel === undefined ? undefined : { name: channel },
        },
        path,
      };
    }
    case "drive":
      if (first === undefined) throw unknownLocation(text, "drive:NAME/PATH or drive:ID/PATH");
      return { base: { kind: "drive", drive: first }, path: names.slice(1) };
    case "id": {
      const [itemId, driveId] = names.toReversed();
      if (itemId === undefined || names.length > 2) {
        throw unknownLocation(text, "id:ITEM-ID or id:DRIVE-ID/ITEM-ID");
      }
      return { base: { kind: "item", driveId, itemId }, path: [] };
    }
    default:
      return { base: { kind: "default" }, path: names };
  }
}

/** Parses `contoso.sharepoint.com/sites/TestTeam`, with or without `https://`, or `TestTeam` with a host. */
export function parseSite(text: string, siteHost?: string): SiteName {
  const names = text.replace(/^https:\/\//i, "").split("/").filter((name) => name !== "");
  const { host, path } = splitHost(names, text, siteHost);
  return siteName(host, path); // the whole text is the site here, so it may be a subsite of any depth
}

/** Site collections are below `/sites` and `/teams`; all other paths of a host belong to its root site. */
function splitSite(names: string[], text: string, siteHost?: string): LocationPath {
  if (/^https?:$/i.test(names[0] ?? "")) names = names.slice(1);
  const { host, path } = splitHost(names, text, siteHost);
  const depth = isCollection(path) ? 2 : 0;
  return { base: { kind: "site", site: siteName(host, path.slice(0, depth)) }, path: path.slice(depth) };
}

/** The host of a site and the path on it; a name alone, without a host, is below `/sites`. */
function splitHost(names: string[], text: string, siteHost?: string) {
  const [first] = names;
  if (first?.includes(".")) return { host: first, path: names.slice(1) };
  if (first && siteHost) return { host: siteHost, path: isCollection(names) ? names : ["sites", ...names] };
  throw unknownLocation(
    text,
    "HOST/sites/NAME, or set GRAPH_SITE_HOST, for example to contoso.sharepoint.com",
  );
}

function isCollection([first, second]: string[]): boolean {
  return second !== undefined && /^(sites|teams)$/i.test(first!);
}

function siteName(host: string, path: string[]): SiteName {
  checkAddress(path);
  return { host: host.toLowerCase(), path: path.join("/") };
}

function unknownLocation(text: string, forms: string): GraphError {
  return usageError(`${JSON.stringify(text)} is not a location`, `write ${forms}`, "unknownLocation");
}
