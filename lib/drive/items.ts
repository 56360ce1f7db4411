/**
 * Items of drives: facts, listings, and where an upload goes.
 *
 * @module
 */
import { type ItemAddress, itemUrl } from "./address.ts";
import { canonicalDriveId, type DriveItem, isDriveItem, isExpectedItem, itemKey } from "./drive_item.ts";
import type { Drives } from "./drives.ts";
import { GraphError, usageError } from "../errors.ts";
import type { GraphClient } from "../graph/client.ts";
import { type Location, type LocationInput, parseLocation } from "./location.ts";
import type { Settings } from "../settings.ts";
import { MAX_PATH, sameName } from "./names.ts";

export type { DriveItem };

/** Facts of a file or folder, as `ls --json` prints them. */
export interface Item {
  /** From the root of the drive, without a leading slash. */
  path: string;
  name: string;
  /** `package`: a OneNote notebook; `link`: a shortcut to an item of another drive. */
  type: "file" | "folder" | "package" | "link";
  /** Bytes; of a folder, all that is below it. */
  size: number;
  /** When its content was last changed where it was written, in UTC to the second; `null` when unknown. */
  modified: string | null;
  id: string;
  driveId: string;
  eTag: string | null;
  /** QuickXorHash in base64; `null` when the service gives none. */
  hash: string | null;
  webUrl: string | null;
}

/** What the operations on items need. */
export interface ItemContext {
  graph: GraphClient;
  drives: Drives;
  settings: Pick<Settings, "siteHost">;
}

/** An item as found: our facts, and all that the service said. */
export interface ResolvedItem {
  item: Item;
  driveItem: DriveItem;
}

/** A name and its slash take two characters of a path at least; a folder that was moved may lie somewhat deeper. */
const MAX_LEVELS = MAX_PATH;

// Without a selection every listed file carries a download URL, which is a secret.
const SELECTION =
  "$select=id,name,size,eTag,cTag,webUrl,file,folder,package,remoteItem,fileSystemInfo,lastModifiedDateTime,parentReference";

/**
 * The facts of an item.
 *
 * @throws {GraphError} `notFound`.
 */
export async function getItem(context: ItemContext, location: LocationInput): Promise<ResolvedItem> {
  const parsed = parseLocation(location, context.settings.siteHost);
  const { address } = await resolveLocation(context, parsed);
  return await followShortcut(context, await fetchItem(context, address, nameOf(parsed)));
}

/**
 * The items of a folder, page by page as they are asked for, or the item itself when it is not a folder.
 *
 * @param options.recursive Also what is below its folders; shortcuts are not followed, so it ends.
 * @throws {GraphError} At the end for entries that are no items, after all others.
 */
export async function* listItems(
  context: ItemContext,
  location: LocationInput,
  options: { recursive?: boolean } = {},
): AsyncGenerator<Item> {
  const parsed = parseLocation(location, context.settings.siteHost);
  const { item } = await getItem(context, parsed);
  if (item.type === "folder") {
    const invalid: GraphError[] = [];
    yield* listFolder(context, item, options.recursive ? new Set() : undefined, invalid);
    if (invalid[0]) throw invalid[0];
  } else if (parsed.folder && parsed.path.length > 0) throw notAFolderError(item);
  else yield item;
}

async function* listFolder(
  context: ItemContext,
  folder: Item,
  /** Folders listed already, when what is below is wanted, too. */
  above: Set<string> | undefined,
  invalid: GraphError[],
): AsyncGenerator<Item> {
  assertNotVisited(folder, above);
  for await (const found of listChildren(context, folder)) {
    if (found instanceof GraphError) {
      invalid.push(found);
      continue;
    }
    const { item } = found;
    yield item;
    if (above && item.type === "folder") yield* listFolder(context, item, above, invalid);
  }
}

/**
 * Notes that a folder is being listed.
 *
 * @throws {GraphError} `failed` when it was listed before, or lies deeper than any can: a walk would never end.
 */
export function assertNotVisited(folder: Item, listed: Set<string> | undefined): void {
  const key = itemKey(folder);
  const levels = folder.path.split("/").length;
  if (levels > MAX_LEVELS) {
    throw new GraphError(
      "failed",
      `listing of a folder ${levels} levels deep: the service has none so deep`,
      {
        code: "tooDeep",
        hint: "what is above it was listed; report it to Microsoft",
      },
    );
  }
  if (listed?.has(key)) {
    throw new GraphError("failed", `listing of ${folder.path}: the service shows a folder inside of itself`, {
      code: "folderLoop",
      hint: "list it without going into its folders",
    });
  }
  listed?.add(key);
}

/** What is directly in a folder, page by page; an error stands for an entry that is no item. */
export async function* listChildren(
  { graph }: Pick<ItemContext, "graph">,
  folder: Pick<Item, "driveId" | "id" | "path">,
): AsyncGenerator<ResolvedItem | GraphError> {
  // By id: links to further pages of listings by path have led to the root of the drive (PROTOCOL L7).
  const url = itemUrl({ driveId: folder.driveId, itemId: folder.id }, "children");
  const seen = new Set<string>();
  const what = `listing of ${folder.path || "the root folder"}`;
  const here = { driveId: folder.driveId, folderId: folder.path === "" ? undefined : folder.id };
  // A page of another folder is no page of this one; an entry that is no item costs itself alone.
  const fits = (entry: unknown): entry is unknown => !isDriveItem(entry) || isExpectedItem(entry, here);
  for await (const page of graph.pages(`${url}?$top=200&${SELECTION}`, what, fits)) {
    for (const driveItem of page) {
      if (!isDriveItem(driveItem)) {
        yield invalidEntry(what, driveItem);
        continue;
      }
      const path = [folder.path, driveItem.name ?? ""].filter(Boolean).join("/");
      const item = toItem(driveItem, folder.driveId, path);
      if (seen.has(item.id)) continue; // pages may repeat items (PROTOCOL L7)
      seen.add(item.id);
      yield { item, driveItem };
    }
  }
}

function invalidEntry(what: string, entry: unknown): GraphError {
  const name = entry && typeof entry === "object" && "name" in entry ? ` ${JSON.stringify(entry.name)}` : "";
  return new GraphError(
    "failed",
    `${what}: an entry${name.slice(0, 100)} is no item that the service can hold`,
    {
      code: "invalidItem",
      hint: "look at the folder in a browser; the other entries are not affected",
    },
  );
}

/** Type of the drive in which an item really lies. */
export function getDriveType(driveItem: DriveItem): string | undefined {
  return driveItem.parentReference?.driveType ?? undefined;
}

/** A location in messages. */
export function nameOf({ text }: Location): string {
  return text || "the root folder";
}

/** The address of a location. */
export async function resolveLocation(
  { drives }: ItemContext,
  location: Location,
): Promise<{ address: ItemAddress; driveType: string }> {
  const { base, path } = location;
  if (base.kind !== "item") {
    const located = await drives.locate(base, path);
    return { address: { driveId: located.drive.id, path: located.path }, driveType: located.drive.driveType };
  }
  const drive = base.driveId === undefined ? await drives.default() : await drives.named(base.driveId);
  return { address: { driveId: drive.id, itemId: base.itemId }, driveType: drive.driveType };
}

export async function fetchItem(
  { graph }: ItemContext,
  address: ItemAddress,
  what: string,
): Promise<ResolvedItem> {
  const { driveId } = address;
  // "root" is an id for every root.
  const id = "itemId" in address && address.itemId !== "root" ? { id: address.itemId } : {};
  const driveItem = await graph.requestJson<DriveItem>(itemUrl(address), {
    what,
    accepts: (value) => isExpectedItem(value, { driveId, ...id }),
  });
  const asked = "path" in address ? address.path.at(-1) : undefined;
  // Personal drives have served a similar name in rare cases (PROTOCOL 3.3).
  if (asked !== undefined && driveItem.name && !sameName(driveItem.name, asked)) {
    throw new GraphError("failed", `${what}: the service answered with another item, ${driveItem.name}`, {
      code: "otherItem",
      hint: "run the same command again, or address it by id",
    });
  }
  const path = "path" in address ? address.path.join("/") : pathOf(driveItem);
  return { driveItem, item: toItem(driveItem, address.driveId, path) };
}

/** A shortcut stands for an item of another drive. */
export async function followShortcut(context: ItemContext, found: ResolvedItem): Promise<ResolvedItem> {
  const remote = found.driveItem.remoteItem;
  if (!remote?.id || !remote.parentReference?.driveId) return found;
  const address = { driveId: remote.parentReference.driveId, itemId: remote.id };
  try {
    return await fetchItem(context, address, `target of the shortcut ${found.item.path}`);
  } catch (error) {
    if (!(error instanceof GraphError) || error.kind !== "refused") throw error;
    throw error.withMessage(error.message, {
      hint:
        `it lies in another drive, which needs the permission for other files: use drive:${address.driveId}/PATH or id:${address.driveId}/${address.itemId}`,
    });
  }
}

/** Facts of a driveItem. */
export function toItem(driveItem: DriveItem, driveId: string, path: string): Item {
  return {
    path,
    name: driveItem.name ?? "",
    type: typeOf(driveItem),
    size: driveItem.size ?? 0,
    modified: seconds(driveItem.fileSystemInfo?.lastModifiedDateTime ?? driveItem.lastModifiedDateTime),
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

function pathOf(driveItem: DriveItem): string {
  return driveItem.root ? "" : [...parentNames(driveItem), driveItem.name ?? ""].join("/");
}

/**
 * Names of the folders above an item. Live answers give the path as it is, others percent-encoded (PROTOCOL N8); the
 * parent's name, which is never encoded, and characters that encoding would have replaced tell which.
 */
function parentNames({ parentReference }: DriveItem): string[] {
  const path = parentReference?.path?.split("root:")[1] ?? "";
  const names = path.split("/").filter(Boolean);
  if (/[^\w\-.~!$&'()*+,;=:@%/]/.test(path)) return names;
  try {
    const decoded = names.map(decodeURIComponent);
    const { name } = parentReference!;
    return names.at(-1) === name && decoded.at(-1) !== name ? names : decoded;
  } catch {
    return names; // a percent sign that begins no code
  }
}

/** Zero to seven fractional digits, and the year 1 for "unknown", occur (PROTOCOL 4.1). */
function seconds(time: string | null | undefined): string | null {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) || ms < 0 ? null : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

export function notAFolderError(item: Item): GraphError {
  return usageError(
    `${item.path} is a ${item.type}, not a folder`,
    "leave out the slash at its end, or name its folder",
    "notAFolder",
  );
}
