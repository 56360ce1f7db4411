/**
 * Items of drives: resolving a location, reading an item.
 *
 * @module
 */
import { type GraphError, isGraphError, usageError } from "../errors.ts";
import { formatUtc } from "../format.ts";
import type { GraphClient } from "../graph/client.ts";
import type { Settings } from "../settings.ts";
import { type ItemAddress, itemUrl } from "./address.ts";
import { canonicalDriveId, type DriveItem, drivePath, isExpectedItem } from "./drive_item.ts";
import type { Drives } from "./drives.ts";
import { locate } from "./locate.ts";
import { type Location, type LocationInput, parseLocation } from "./location.ts";

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

/** Reads an item; of a shortcut, its target. */
export async function getItem(context: ItemContext, location: LocationInput): Promise<ResolvedItem> {
  const parsed = parseLocation(location, context.settings.siteHost);
  return await retryWithoutMemory(context, async () => {
    const { address } = await locate(context.drives, parsed);
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
