/**
 * From a location to its drive and the address in it: libraries of sites, addresses of browsers, share links, channels of teams.
 *
 * @module
 */
import { GraphError, ifFound, isGraphError, usageError } from "../errors.ts";
import type { Channel, Team } from "../graph/types.ts";
import { hasId } from "../json.ts";
import { decodeName, type ItemAddress, itemUrl } from "./address.ts";
import { canonicalDriveId, type DriveItem, drivePath, isDriveItem } from "./drive_item.ts";
import { type DriveInfo, type Drives, isCalled, suggestion, urlSegment } from "./drives.ts";
import type { Location, NameOrId, SiteName } from "./location.ts";
import { checkAddress, sameName } from "./names.ts";

/** Where an item is, or could be. */
interface Located {
  address: ItemAddress;
  driveType: string;
}

/** Sites below a site collection; deeper ones are rare, and each costs two requests. */
const MAX_SUBSITES = 4;

/** Names of the path that are a site collection: `sites/NAME`; none for the root site. */
function siteDepth(path: readonly string[]): number {
  return path.length >= 2 && /^(sites|teams|personal)$/i.test(path[0]!) ? 2 : 0;
}

function isPersonalSite(path: readonly string[]): boolean {
  return path.length >= 2 && /^personal$/i.test(path[0]!);
}

function noLibrary({ host, path }: SiteName, segment: string, libraries: DriveInfo[]): GraphError {
  const names = libraries.map(({ webUrl }) => urlSegment(webUrl));
  return new GraphError("notFound", `${host}/${path} has no library or subsite called ${segment}`, {
    code: "libraryNotFound",
    hint: suggestion(segment, names, `it has the libraries: ${names.join(", ")}`),
  });
}

/**
 * Finds the drive of a location, and the address of the item in it; the item need not exist.
 *
 * @throws {GraphError} `notFound`; `usage` with the candidates if a name is ambiguous.
 */
export async function locate(drives: Drives, location: Location): Promise<Located> {
  checkAddress(location.pattern ?? []); // wildcards only find what is there
  const located = await find(drives, location);
  drives.context.explain?.(`${location.text || "the root folder"} is ${itemUrl(located.address)}`);
  return located;
}

async function find(drives: Drives, { base, path }: Location): Promise<Located> {
  switch (base.kind) {
    case "me":
      return addressIn(await drives.own(), path);
    case "drive":
      return addressIn(await drives.named(base.drive), path);
    case "site":
      return await locateInSite(drives, base.site, path);
    case "team":
      return await locateInTeam(drives, base.team, base.channel, path);
    case "web":
      return await locateInWeb(drives, base.host, path);
    case "share":
      return await locateShare(drives, base.url);
    case "default":
      return addressIn(await drives.default(), path);
    case "item": {
      const { id, driveType } = base.driveId ? await drives.named(base.driveId) : await drives.default();
      return { address: { driveId: id, itemId: base.itemId }, driveType };
    }
  }
}

/** The first name of a path may be a library of the site; otherwise the path is in the default library. */
async function locateInSite(drives: Drives, site: SiteName, path: string[]) {
  const [first, ...rest] = path;
  if (first === undefined) return addressIn(await drives.ofSite(site), path);
  const [main, all] = await Promise.all([drives.ofSite(site), drives.allOfSite(site)]);
  const libraries = all.filter((drive) => isCalled(drive, first));
  if (libraries.length === 0) return addressIn(main, path);
  const isFolder = await exists(drives, main, first);
  if (libraries.length === 1 && !isFolder) return addressIn(libraries[0]!, rest);
  const candidates = [
    ...libraries.map(({ id }) => `drive:${id}/${rest.join("/")}`),
    ...(isFolder ? [`drive:${main.id}/${path.join("/")}`] : []),
  ];
  const problem = `${first} names more than one library or folder of the site: ${candidates.join(" or ")}`;
  throw usageError(problem, "use one of these", "ambiguousLocation");
}

/** A path as a browser shows it: site, perhaps sites below it, library, and the path in it. */
async function locateInWeb(drives: Drives, host: string, path: string[]): Promise<Located> {
  const own = isPersonalSite(path) ? await ownDriveAt(drives, host, path) : undefined;
  if (own) return own;
  for (let depth = siteDepth(path);; depth++) {
    const site: SiteName = { host, path: path.slice(0, depth).join("/") };
    if (path.length === depth) return addressIn(await drives.ofSite(site), []);
    const libraries = await drives.allOfSite(site);
    const segment = path[depth]!;
    const library = libraries.find(({ webUrl }) => sameName(urlSegment(webUrl), segment));
    if (library) return addressIn(library, path.slice(depth + 1));
    if (depth === siteDepth(path) + MAX_SUBSITES) throw noLibrary(site, segment, libraries);
    try {
      await drives.findSite({ host, path: path.slice(0, depth + 1).join("/") });
    } catch (error) {
      if (!isGraphError(error) || error.code !== "siteNotFound") throw error;
      throw noLibrary(site, segment, libraries);
    }
  }
}

/** The user's own OneDrive takes the fewest permissions; that of another user is a site. */
async function ownDriveAt(drives: Drives, host: string, path: string[]): Promise<Located | undefined> {
  const own = await drives.own();
  const url = URL.parse(own.webUrl);
  const root = (url?.pathname ?? "").split("/").filter(Boolean).map(decodeName);
  if (url?.host.toLowerCase() !== host) return undefined;
  if (!root.slice(0, 2).every((name, index) => sameName(name, path[index] ?? ""))) return undefined;
  const isInLibrary = path.length === 2 || sameName(path[2]!, root[2] ?? "");
  return isInLibrary ? addressIn(own, path.slice(root.length)) : undefined;
}

/** An item that another user has shared, or that a page names by a parameter (https://learn.microsoft.com/graph/api/shares-get). */
async function locateShare(drives: Drives, url: string): Promise<Located> {
  const { graph, session } = drives.context;
  session?.include("allDrives");
  const token = `u!${new TextEncoder().encode(url).toBase64({ alphabet: "base64url", omitPadding: true })}`;
  const shared = `/shares/${token}/driveItem?$select=id,name,size,root,parentReference`;
  const request = () =>
    graph.requestJson<DriveItem>(shared, { what: "the item of this link", accepts: isInDrive });
  const { id, parentReference } = await drives.once(shared, async () => {
    try {
      return await request();
    } catch (error) {
      // Permission to read may suffice, but the service does not promise it.
      if (!isGraphError(error) || error.status !== 403 || !session) throw error;
      session.include("links");
      return await request();
    }
  });
  const { driveId, driveType } = parentReference!;
  return { address: { driveId: canonicalDriveId(driveId!), itemId: id! }, driveType: driveType ?? "" };
}

/** The files of a channel are in a folder of the team's library, or in a library of their own. */
async function locateInTeam(
  drives: Drives,
  team: NameOrId,
  channel: NameOrId | undefined,
  path: string[],
): Promise<Located> {
  const { session } = drives.context;
  await drives.prepareForSites("team");
  if ("name" in team || (channel && "name" in channel)) session?.include("teams");
  const found = await choose<Team>(drives, "team", "/me/joinedTeams", team);
  if (!channel) {
    const drive = await drives.get(
      `/groups/${encodeURIComponent(found.id)}/drive`,
      `library of team ${found.displayName}`,
    );
    return addressIn(drive, path);
  }
  const channels = `/teams/${encodeURIComponent(found.id)}/channels`;
  const { id, displayName } = await choose<Channel>(drives, "channel", channels, channel);
  const what = `files of channel ${displayName}`;
  const url = `${channels}/${encodeURIComponent(id)}/filesFolder`;
  const folder = await drives.once(url, async () => {
    try {
      return await drives.context.graph.requestJson<DriveItem>(url, { what, accepts: isInDrive });
    } catch (error) {
      // The service makes the folder when a user opens the tab (PROTOCOL L6).
      if (!isGraphError(error) || error.kind !== "notFound") throw error;
      throw error.withMessage(`${what}: their folder is not ready`, {
        code: "channelNotReady",
        hint: "open its Files tab in Teams once",
      });
    }
  });
  const { driveId, driveType } = folder.parentReference!;
  const names = drivePath(folder).split("/").filter(Boolean);
  return {
    address: { driveId: canonicalDriveId(driveId!), path: [...names, ...path] },
    driveType: driveType ?? "documentLibrary",
  };
}

/** @throws {GraphError} `notFound`, or `usage`, with the candidates. */
async function choose<T extends { id?: string; displayName?: string | null }>(
  drives: Drives,
  kind: string,
  url: string,
  wanted: NameOrId,
): Promise<{ id: string; displayName: string }> {
  if ("id" in wanted) return { id: wanted.id, displayName: wanted.id };
  const all = await drives.once(url, async () => {
    const pages = await Array.fromAsync(drives.context.graph.pages<T>(url, `${kind}s`, hasId));
    return pages.flat().map(({ id, displayName }) => ({ id: id ?? "", displayName: displayName ?? "" }));
  });
  const matches = all.filter(({ displayName }) => sameName(displayName, wanted.name));
  if (matches.length === 1) return matches[0]!;
  const candidates = (matches.length ? matches : all).map(({ displayName, id }) => `${displayName} (${id})`);
  const hint = `there are: ${candidates.join(", ") || "none"}`;
  if (matches.length === 0) {
    throw new GraphError("notFound", `you are in no ${kind} called ${wanted.name}`, {
      code: `${kind}NotFound`,
      hint: suggestion(wanted.name, all.map(({ displayName }) => displayName), hint),
    });
  }
  throw usageError(`several ${kind}s are called ${wanted.name}`, hint, `ambiguousLocation`);
}

async function exists(drives: Drives, drive: DriveInfo, name: string): Promise<boolean> {
  const url = `${itemUrl({ driveId: drive.id, path: [name] })}?$select=id`;
  return await ifFound(drives.context.graph.requestJson(url, { what: name })) !== undefined;
}

function isInDrive(value: unknown): value is DriveItem {
  return isDriveItem(value) && Boolean(value.parentReference?.driveId);
}

function addressIn({ id, driveType }: DriveInfo, path: string[]) {
  return { address: { driveId: id, path }, driveType };
}
