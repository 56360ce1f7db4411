/**
 * Parses what the user typed, without any request: `General/x.pdf`, `me:…`, `site:…`, `drive:…`, `id:…`.
 *
 * @module
 */
import { usageError } from "../errors.ts";
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

/** Whether a location may be outside the user's own OneDrive, which takes more permissions. */
export function leavesOwnDrive(
  { base }: Location,
  { site, drive }: { site: string | undefined; drive: string | undefined },
): boolean {
  if (base.kind === "me") return false;
  const isInDefaultDrive = base.kind === "default" || (base.kind === "item" && base.driveId === undefined);
  return !isInDefaultDrive || site !== undefined || drive !== undefined;
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

/**
 * Parses a location.
 *
 * @param siteHost Host of sites given by name only (`GRAPH_SITE_HOST`).
 * @throws {GraphError} `usage`, code `unknownLocation` or `illegalName`.
 */
export function parseLocation(text: LocationInput, siteHost?: string): Location {
  if (typeof text !== "string") return text;
  if (/^https?:\/\//i.test(text)) {
    throw usageError(
      `${text}: web addresses are not supported`,
      "write it as site:HOST/sites/NAME/PATH, me:PATH or id:DRIVE-ID/ITEM-ID",
      "unknownLocation",
    );
  }
  const [, scheme, rest = text] = /^(me|site|team|drive|id):(.*)$/s.exec(text) ?? [];
  const folder = /(^|\/)$/.test(rest);
  const names = rest.split("/").filter((name) => name !== "").map(remoteName);
  const { base, path } = baseOf(scheme, names, text, siteHost);
  checkAddress(path);
  return { text, base, path, folder };
}

function baseOf(
  scheme: string | undefined,
  names: string[],
  text: string,
  siteHost: string | undefined,
): { base: LocationBase; path: string[] } {
  const [first, second] = names;
  switch (scheme) {
    case undefined:
      return { base: { kind: "default" }, path: names };
    case "me":
      return { base: { kind: "me" }, path: names };
    case "site": {
      const { site, path } = splitSite(names, text, siteHost);
      return { base: { kind: "site", site }, path };
    }
    case "drive":
      if (first === undefined) {
        throw usageError(
          `${text}: the drive is missing`,
          "write drive:NAME/PATH or drive:ID/PATH",
          "unknownLocation",
        );
      }
      return { base: { kind: "drive", drive: first }, path: names.slice(1) };
    case "id":
      if (first === undefined || names.length > 2) {
        throw usageError(
          `${text}: not an item id`,
          "write id:ITEM-ID or id:DRIVE-ID/ITEM-ID",
          "unknownLocation",
        );
      }
      return {
        base: second === undefined
          ? { kind: "item", driveId: undefined, itemId: first }
          : { kind: "item", driveId: first, itemId: second },
        path: [],
      };
    default:
      throw usageError(
        `${text}: ${scheme}: locations are not supported`,
        "write it as site:HOST/sites/NAME/PATH",
        "unknownLocation",
      );
  }
}

/**
 * Parses a site: `contoso.sharepoint.com/sites/TestTeam`, with or without `https://`, or `TestTeam` with a host.
 *
 * @throws {GraphError} `usage`.
 */
export function parseSite(text: string, siteHost?: string): SiteName {
  const names = text.replace(/^https:\/\//i, "").split("/").filter((name) => name !== "");
  const [first] = names;
  if (first === undefined) throw noSite(text);
  // The whole text is the site here, so it may be a subsite of any depth.
  if (first.includes(".")) return { host: first.toLowerCase(), path: checkedPath(names.slice(1)) };
  if (!siteHost) throw noHost(text);
  return { host: siteHost.toLowerCase(), path: checkedPath(names.length === 1 ? ["sites", first] : names) };
}

/** Site collections are below `/sites` and `/teams`; all other paths of a host belong to its root site. */
function splitSite(
  names: string[],
  text: string,
  siteHost: string | undefined,
): { site: SiteName; path: string[] } {
  const [first, managed, name] = names;
  if (first === undefined) throw noSite(text);
  if (!first.includes(".")) {
    if (!siteHost) throw noHost(text);
    const host = siteHost.toLowerCase();
    // With a leading slash it is the path of a site on the default host: `site:/sites/NAME/…`.
    if (/^site:\/(sites|teams)\/./.test(text)) {
      return { site: { host, path: checkedPath(names.slice(0, 2)) }, path: names.slice(2) };
    }
    return { site: { host, path: checkedPath(["sites", first]) }, path: names.slice(1) };
  }
  const host = first.toLowerCase();
  if (name !== undefined && (managed === "sites" || managed === "teams")) {
    return { site: { host, path: checkedPath([managed, name]) }, path: names.slice(3) };
  }
  return { site: { host, path: "" }, path: names.slice(1) };
}

function checkedPath(names: string[]): string {
  checkAddress(names);
  return names.join("/");
}

function noSite(text: string) {
  return usageError(`${JSON.stringify(text)} is not a site`, "write HOST/sites/NAME", "unknownLocation");
}

function noHost(text: string) {
  return usageError(
    `${text}: the host of the site is unknown`,
    "write HOST/sites/NAME, or set GRAPH_SITE_HOST, for example to contoso.sharepoint.com",
    "unknownLocation",
  );
}
