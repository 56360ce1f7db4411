/**
 * Parses what the user typed, without any request: `General/x.pdf`, `me:…`, `site:…`, `drive:…`, `id:…`.
 *
 * @module
 */
import { type GraphError, usageError } from "../errors.ts";
import { checkAddress, remoteName } from "./names.ts";

/** Where a path begins. New forms of locations are parsed here, and found in `drives.ts`. */
export type LocationBase =
  /** Drive or site of the settings, else the user's own OneDrive. */
  | { kind: "default" }
  | { kind: "me" }
  | { kind: "site"; site: SiteName }
  /** A library of the default site by name, or any drive by id. */
  | { kind: "drive"; drive: string }
  | { kind: "item"; driveId: string | undefined; itemId: string };

/** A site as `https://HOST/PATH`; the root site of a host has an empty path. */
export interface SiteName {
  host: string;
  /** Server-relative, without slashes at its ends: `sites/TestTeam`. */
  path: string;
}

/** A location as typed or parsed. */
export type LocationInput = string | Location;

/** A parsed location. */
export interface Location {
  /** As typed, for messages. */
  text: string;
  base: LocationBase;
  /** Names below the base, outermost first. */
  path: string[];
  /** Whether it ends with a slash, and so must be a folder. */
  folder: boolean;
}

type LocationPath = Pick<Location, "base" | "path">;

/**
 * Parses a location.
 *
 * @param siteHost Host of sites given by name only (`GRAPH_SITE_HOST`).
 * @throws {GraphError} `usage`, code `unknownLocation` or `illegalName`.
 */
export function parseLocation(text: LocationInput, siteHost?: string): Location {
  if (typeof text !== "string") return text;
  if (/^https?:\/\//i.test(text)) {
    const forms = "write it as site:HOST/sites/NAME/PATH, me:PATH or id:DRIVE-ID/ITEM-ID";
    throw unknownLocation(`${text}: web addresses are not supported`, forms);
  }
  const [, scheme, rest = text] = /^(me|site|team|drive|id):(.*)$/s.exec(text) ?? [];
  const names = rest.split("/").filter((name) => name !== "").map(remoteName);
  const { base, path } = parseBase(scheme, names, text, siteHost);
  checkAddress(path);
  return { text, base, path, folder: rest === "" || rest.endsWith("/") };
}

function parseBase(
  scheme: string | undefined,
  names: string[],
  text: string,
  siteHost?: string,
): LocationPath {
  const [first] = names;
  switch (scheme) {
    case undefined:
      return { base: { kind: "default" }, path: names };
    case "me":
      return { base: { kind: "me" }, path: names };
    case "site":
      return splitSite(names, text, siteHost);
    case "drive":
      if (first === undefined) {
        throw unknownLocation(`${text}: the drive is missing`, "write drive:NAME/PATH or drive:ID/PATH");
      }
      return { base: { kind: "drive", drive: first }, path: names.slice(1) };
    case "id": {
      const [itemId, driveId] = names.toReversed();
      if (itemId === undefined || names.length > 2) {
        throw unknownLocation(`${text}: not an item id`, "write id:ITEM-ID or id:DRIVE-ID/ITEM-ID");
      }
      return { base: { kind: "item", driveId, itemId }, path: [] };
    }
    default: {
      const form = "write it as site:HOST/sites/NAME/PATH";
      throw unknownLocation(`${text}: ${scheme}: locations are not supported`, form);
    }
  }
}

/**
 * Parses a site: `contoso.sharepoint.com/sites/TestTeam`, with or without `https://`, or `TestTeam` with a host.
 *
 * @throws {GraphError} `usage`, code `unknownLocation` or `illegalName`.
 */
export function parseSite(text: string, siteHost?: string): SiteName {
  const names = text.replace(/^https:\/\//i, "").split("/").filter((name) => name !== "");
  const { host, isNamed, path } = splitHost(names, text, siteHost);
  // The whole text is the site here, so it may be a subsite of any depth.
  return siteName(host, !isNamed && path.length === 1 ? ["sites", ...path] : path);
}

/** Site collections are below `/sites` and `/teams`; all other paths of a host belong to its root site. */
function splitSite(names: string[], text: string, siteHost?: string): LocationPath {
  const { host, isNamed, path } = splitHost(names, text, siteHost);
  // `site:NAME/…`; with a leading slash it is a path on the default host: `site:/sites/NAME/…`.
  if (!isNamed && !/^site:\/(sites|teams)\/./.test(text)) path.unshift("sites");
  const depth = path.length > 1 && ["sites", "teams"].includes(path[0]!) ? 2 : 0;
  return { base: { kind: "site", site: siteName(host, path.slice(0, depth)) }, path: path.slice(depth) };
}

/** Takes the host off the names of a site, if the first of them is one. */
function splitHost(names: string[], text: string, siteHost?: string) {
  const [first] = names;
  if (first === undefined) {
    throw unknownLocation(`${JSON.stringify(text)} is not a site`, "write HOST/sites/NAME");
  }
  if (first.includes(".")) return { host: first, isNamed: true, path: names.slice(1) };
  if (siteHost) return { host: siteHost, isNamed: false, path: [...names] };
  throw unknownLocation(
    `${text}: the host of the site is unknown`,
    "write HOST/sites/NAME, or set GRAPH_SITE_HOST, for example to contoso.sharepoint.com",
  );
}

function siteName(host: string, path: string[]): SiteName {
  checkAddress(path);
  return { host: host.toLowerCase(), path: path.join("/") };
}

function unknownLocation(problem: string, hint: string): GraphError {
  return usageError(problem, hint, "unknownLocation");
}
