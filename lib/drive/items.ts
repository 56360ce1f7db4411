/**
 * Items of drives: resolving a location, reading an item, listing folders.
 *
 * @module
 */
import { GraphError, isGraphError, usageError } from "../errors.ts";
import { formatUtc } from "../format.ts";
import type { GraphClient } from "../graph/client.ts";
import type { Settings } from "../settings.ts";
import { type ItemAddress, itemUrl } from "./address.ts";
import { canonicalDriveId, type DriveItem, drivePath, isExpectedItem, itemKey } from "./drive_item.ts";
import type { Drives } from "./drives.ts";
import { type Location, type LocationInput, parseLocation } from "./location.ts";
import { joinRemote } from "./names.ts";
import { Filter, type FilterOptions, matchesBelow, matchesPattern } from "./pattern.ts";

/** A file or folder, as `ls --json` prints it. */
export interface Item {
  /** From the root of the drive, without a leading slash. */
  path: string;
  /** The last segment of the path. */
  name: string;
  /** `package`: a OneNote notebook; `link`: a shortcut to an item of another drive. */
  type: "file" | "folder" | "package" | "link";
  /** Bytes; for a folder, of everything below it. */
  size: number;
  /** When the content was last modified, as its writer says, in UTC to the second; `null` when unknown. */
  modified: string | null;
  /** Unique within its drive. */
  id: string;
  /** Id of its drive. */
  driveId: string;
  /** Its version; `null` when unknown. */
  eTag: string | null;
  /** QuickXorHash in base64; `null` where the service has none. */
  hash: string | null;
  /** Its address in a browser. */
  webUrl: string | null;
}

/** What the operations on items need of a connection. */
export interface ItemContext {
  /** @internal */
  graph: GraphClient;
  /** @internal */
  drives: Drives;
  /** @internal */
  settings: Pick<Settings, "siteHost">;
}

/** An item in our form and in that of the service. */
export interface ResolvedItem {
  /** As the scripts print it. */
  item: Item;
  /** @internal */
  driveItem: DriveItem;
}

// Without a selection every listed file carries a download URL, which is a secret.
const SELECTION =
  "$select=id,name,size,eTag,cTag,webUrl,file,folder,package,remoteItem,fileSystemInfo,lastModifiedDateTime,parentReference";

/** Reads an item; of a shortcut, its target. */
export async function getItem(context: ItemContext, location: LocationInput): Promise<ResolvedItem> {
  const parsed = parseLocation(location, context.settings.siteHost);
  return await retryWithoutMemory(context, async () => {
    const { address } = await context.drives.locate(parsed);
    return await fetchItem(context, address, locationLabel(parsed));
  });
}

/** Repeats work that failed with a drive that an earlier run had found. */
export async function retryWithoutMemory<T>(
  { drives }: Pick<ItemContext, "drives">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isGraphError(error) || !["notFound", "refused"].includes(error.kind)) throw error;
    if (!await drives.forget()) throw error;
    return await work();
  }
}

/**
 * Lists a folder, page by page on demand; yields the item itself if it is not a folder, and the items that match a location
 * with wildcards.
 *
 * @param options.recursive Whether to list subfolders as well. Shortcuts are not followed. @default false
 * @param options.include Of the contents of a folder, only files that match.
 */
export async function* listItems(
  context: ItemContext,
  location: LocationInput,
  { recursive = false, ...filterOptions }: { recursive?: boolean } & FilterOptions = {},
): AsyncGenerator<Item> {
  const filter = new Filter(filterOptions);
  const parsed = parseLocation(location, context.settings.siteHost);
  for await (const { item } of findItems(context, parsed, recursive)) {
    const isFolder = item.type === "folder";
    if (parsed.pattern || !isFolder) {
      if (!isFolder && parsed.folder && parsed.path.length > 0) throw notAFolderError(item);
      yield item;
    }
    if (isFolder && (recursive || !parsed.pattern)) {
      yield* listFolder(context, item, filter, recursive ? new Set() : undefined);
    }
  }
}

async function* listFolder(
  context: ItemContext,
  folder: Item,
  filter: Filter,
  visited?: Set<string>,
  below = "",
): AsyncGenerator<Item> {
  for await (const { item } of listChildren(context, folder, visited)) {
    const path = joinRemote(below, item.name);
    const isFolder = item.type === "folder";
    if (!filter.takes(path, isFolder)) continue;
    if (!isFolder || filter.keepsEmptyFolders) yield item;
    if (visited && isFolder) yield* listFolder(context, item, filter, visited, path);
  }
}

/**
 * Finds the item at a location, or all that match its wildcards.
 *
 * @param whole Whether a folder that matches stands for its contents, which are not searched then.
 * @throws {GraphError} `notFound`, code `noMatch`.
 */
export async function* findItems(
  context: ItemContext,
  { pattern, ...location }: Location,
  whole: boolean,
): AsyncGenerator<ResolvedItem> {
  const found = await getItem(context, location);
  if (!pattern) return yield found;
  const visited = new Set<string>();
  let isEmpty = true;
  const search = async function* (folder: Item, below: string): AsyncGenerator<ResolvedItem> {
    for await (const child of listChildren(context, folder, visited)) {
      const path = joinRemote(below, child.item.name);
      const isFolder = child.item.type === "folder";
      const isMatch = matchesPattern(pattern, path) && (isFolder || !location.folder);
      if (isMatch) {
        isEmpty = false;
        yield child;
      }
      if (isFolder && matchesBelow(pattern, path) && !(isMatch && whole)) yield* search(child.item, path);
    }
  };
  if (found.item.type === "folder") yield* search(found.item, "");
  if (isEmpty) throw new GraphError("notFound", `${location.text} matches nothing`, { code: "noMatch" });
}

/**
 * Lists the direct children of a folder, page by page.
 *
 * @throws {GraphError} `failed`, code `folderLoop`, for a folder that was visited before.
 */
export async function* listChildren(
  { graph }: Pick<ItemContext, "graph">,
  folder: Pick<Item, "driveId" | "id" | "path">,
  visited = new Set<string>(),
): AsyncGenerator<ResolvedItem> {
  const what = `listing of ${folder.path || "the root folder"}`;
  const key = itemKey(folder);
  if (visited.has(key)) {
    throw new GraphError("failed", `${what}: the service shows a folder inside itself`, {
      code: "folderLoop",
      hint: "list it without its subfolders",
    });
  }
  visited.add(key);
  // By id, since next links of listings by path have led to the root of the drive (PROTOCOL L7).
  const url = itemUrl({ driveId: folder.driveId, itemId: folder.id }, "children");
  const parent = { driveId: folder.driveId, folderId: folder.path === "" ? undefined : folder.id };
  const isChild = (entry: unknown) => isExpectedItem(entry, parent);
  const seen = new Set<string>();
  for await (const page of graph.pages<DriveItem>(`${url}?$top=200&${SELECTION}`, what, isChild)) {
    for (const driveItem of page) {
      const item = toItem(driveItem, folder.driveId, joinRemote(folder.path, driveItem.name ?? ""));
      if (seen.has(item.id)) continue; // pages may repeat items (PROTOCOL L7)
      seen.add(item.id);
      yield { item, driveItem };
    }
  }
}

/** Type of the drive in which an item is stored. */
export function getDriveType(driveItem: DriveItem): string | undefined {
  return driveItem.parentReference?.driveType ?? undefined;
}

/** A location in messages. */
export function locationLabel({ text }: Location): string {
  return text || "the root folder";
}

/**
 * Reads the item at an address; a shortcut is not followed.
 *
 * @param what What is being read, for error messages.
 * @throws {GraphError} `notFound`; `failed`, code `invalidAnswer`, if the service responds with another item.
 */
export async function fetchItself(
  context: Pick<ItemContext, "graph">,
  address: ItemAddress,
  what: string,
): Promise<ResolvedItem> {
  const { driveId } = address;
  const expected = "path" in address
    ? { driveId, name: address.path.at(-1) } // personal drives have served an item of a similar name (PROTOCOL 3.3e)
    : { driveId, id: address.itemId === "root" ? undefined : address.itemId }; // every root is "root" as well
  const driveItem = await context.graph.requestJson<DriveItem>(itemUrl(address), {
    what,
    accepts: (value) => isExpectedItem(value, expected),
  });
  const path = "path" in address ? address.path.join("/") : drivePath(driveItem);
  return { driveItem, item: toItem(driveItem, driveId, path) };
}

/** Reads the item at an address like {@linkcode fetchItself}; of a shortcut, its target in another drive. */
export async function fetchItem(
  context: Pick<ItemContext, "graph">,
  address: ItemAddress,
  what: string,
): Promise<ResolvedItem> {
  const found = await fetchItself(context, address, what);
  const { id, parentReference } = found.driveItem.remoteItem ?? {};
  if (!id || !parentReference?.driveId) return found;
  const target = { driveId: parentReference.driveId, itemId: id };
  try {
    return await fetchItem(context, target, `target of the shortcut ${found.item.path}`);
  } catch (error) {
    if (!isGraphError(error) || error.kind !== "refused") throw error;
    const form = `id:${target.driveId}/${target.itemId}`;
    const hint = `it is in another drive, which takes more permissions: use ${form}`;
    throw error.withMessage(error.message, { hint });
  }
}

/** Converts a driveItem; `driveId` is where it was found, for responses that do not name its drive. */
export function toItem(driveItem: DriveItem, driveId: string, path: string): Item {
  return {
    path,
    name: driveItem.name ?? "",
    type: typeOf(driveItem),
    size: driveItem.size ?? 0,
    modified: toUtcSeconds(driveItem.fileSystemInfo?.lastModifiedDateTime ?? driveItem.lastModifiedDateTime),
    id: driveItem.id ?? "",
    driveId: canonicalDriveId(driveItem.parentReference?.driveId ?? driveId),
    eTag: driveItem.eTag ?? null,
    hash: driveItem.file?.hashes?.quickXorHash ?? null,
    webUrl: driveItem.webUrl ?? null,
  };
}

function typeOf(driveItem: DriveItem): Item["type"] {
  if (driveItem.remoteItem) return "link";
  if (driveItem.package) return "package";
  return driveItem.folder || driveItem.root ? "folder" : "file";
}

/** Zero to seven fractional digits, and the year 1 for "unknown", occur (PROTOCOL 4.1). */
function toUtcSeconds(time: string | null | undefined): string | null {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) || ms < 0 ? null : formatUtc(ms);
}

/** The error of a trailing slash, or of a listing, for an item that is not a folder. */
export function notAFolderError(item: Item): GraphError {
  const hint = "omit the trailing slash, or name its folder";
  return usageError(`${item.path} is a ${item.type}, not a folder`, hint, "notAFolder");
}
