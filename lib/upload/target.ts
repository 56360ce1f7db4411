/**
 * Where an upload goes.
 *
 * @module
 */
import { childUrl, type ItemAddress } from "../drive/address.ts";
import { type DriveItem, type ExpectedItem, isExpectedItem } from "../drive/drive_item.ts";
import { GraphError, ifFound, isGraphError, usageError } from "../errors.ts";
import {
  fetchItem,
  getDriveType,
  type Item,
  type ItemContext,
  locationLabel,
  notAFolderError,
  type ResolvedItem,
  retryWithoutMemory,
} from "../drive/items.ts";
import { type Location, type LocationInput, parseLocation } from "../drive/location.ts";
import type { GraphClient } from "../graph/client.ts";
import { checkNewName, joinRemote } from "../drive/names.ts";

/** Attempts in a folder that the service does not find yet. */
const MAX_ATTEMPTS = 5;

export interface UploadTarget {
  folder: ItemAddress;
  /** Id of the folder that currently has this address. */
  folderId: string;
  /** For messages and results: the folder's path from the root of its drive. */
  folderPath: string;
  /** The name that the file is to have. */
  name: string;
  /** The item that currently has the name; `undefined`: there is none. */
  existing: DriveItem | undefined | "unknown";
  /** Type of the drive, which decides whether the service may rewrite files. */
  driveType: string;
  /** The folder was created by this run: the service may not find it yet. */
  fresh?: boolean;
}

/** The item that has the name of a target; `undefined` when there is none. */
export function findItem(graph: GraphClient, target: UploadTarget): Promise<DriveItem | undefined> {
  return ifFound(graph.requestJson<DriveItem>(childUrl(target.folder, target.name), {
    what: pathOf(target),
    isProgress: false,
    accepts: (value) => isExpectedItem(value, expectedItem(target)),
  }));
}

export function pathOf({ folderPath, name }: UploadTarget): string {
  return joinRemote(folderPath, name);
}

/** What a response must be to describe the item of a target. @param named `false` with "rename", which may change the name. */
export function expectedItem({ folder, folderPath, name }: UploadTarget, named = true): ExpectedItem {
  // An address by path may lead to another folder by now, so only one by id is compared.
  const folderId = "itemId" in folder && folderPath !== "" ? folder.itemId : undefined;
  return { driveId: folder.driveId, ...(named ? { name } : {}), folderId };
}

/** Where a local folder goes. */
export interface FolderTarget {
  base: ResolvedItem;
  /** Name of the copy below it; `undefined`: the base itself. */
  name: string | undefined;
  driveType: string;
}

/**
 * Resolves where a local file goes: into the location if that is a folder, otherwise to the location itself.
 *
 * @param localName The file's name in a folder; `undefined` for standard input, which has none and cannot go into a folder.
 * @throws {GraphError} `notFound` when the folder is missing.
 */
export async function findTarget(
  context: ItemContext,
  like: LocationInput,
  localName: string | undefined,
): Promise<UploadTarget> {
  const location = parseLocation(like, context.settings.siteHost);
  return await retryWithoutMemory(context, () => resolveTarget(context, location, localName));
}

async function resolveTarget(
  context: ItemContext,
  location: Location,
  localName: string | undefined,
): Promise<UploadTarget> {
  const last = location.path.at(-1);
  // Before any request, where the name is known already.
  if (!location.folder && last !== undefined) checkNewName(last);
  const { address, driveType, found } = await find(context, location);
  if (found?.item.type === "folder") {
    if (localName === undefined) {
      const message = `${locationLabel(location)} is a folder, and standard input has no name`;
      throw usageError(message, "name the file after its folder, as in FOLDER/NAME", "noName");
    }
    checkNewName(localName);
    return targetIn(found, localName, driveType, address, "unknown");
  }
  if (location.folder) throw found ? notAFolderError(found.item) : noFolder(location.text);
  if (found) return targetOf(found, driveType, address);
  const { base, name, parent } = await folderAbove(context, address);
  return targetIn(base, name, driveType, parent, undefined);
}

/** Resolves a location; `found` is its item, with shortcuts followed, or `undefined` if there is none yet. */
async function find(context: ItemContext, location: Location) {
  const { address, driveType } = await context.drives.locate(location);
  const fetched = fetchItem(context, address, locationLabel(location));
  const found = "path" in address ? await ifFound(fetched) : await fetched; // an id always has an item
  return { address, driveType: (found && getDriveType(found.driveItem)) ?? driveType, found };
}

/** The parent folder of a new item. */
async function folderAbove(
  context: ItemContext,
  address: ItemAddress,
): Promise<{ base: ResolvedItem; name: string; parent: ItemAddress }> {
  const { driveId, path } = address as { driveId: string; path: string[] };
  const parent = { driveId, path: path.slice(0, -1) };
  const parentPath = parent.path.join("/");
  const base = await ifFound(fetchItem(context, parent, `folder ${parentPath}`));
  // The service would create missing folders, even for a misspelled name (PROTOCOL 3.4).
  if (!base) throw noFolder(parentPath);
  if (base.item.type !== "folder") throw notAFolderError(base.item);
  return { base, name: path.at(-1)!, parent };
}

/**
 * Resolves where a local folder goes: into the location, under its own name, if that ends with a slash or is a root;
 * otherwise it becomes the location, which is created if missing.
 *
 * @throws {GraphError} `notFound` when the parent folder is missing, `usage` when the target is not a folder.
 */
export async function findFolderTarget(
  context: ItemContext,
  like: LocationInput,
  localName: string,
): Promise<FolderTarget> {
  const location = parseLocation(like, context.settings.siteHost);
  return await retryWithoutMemory(context, async () => {
    const { address, driveType, found } = await find(context, location);
    if (found && found.item.type !== "folder") throw notAFolderError(found.item);
    const inside = location.folder || ("path" in address && address.path.length === 0);
    if (inside) checkNewName(localName);
    if (found) return { base: found, name: inside ? localName : undefined, driveType };
    if (location.folder) throw noFolder(location.text);
    const { base, name } = await folderAbove(context, address);
    checkNewName(name);
    return { base, name, driveType: getDriveType(base.driveItem) ?? driveType };
  });
}

/** Replaces a file, under its current name in its folder. */
function targetOf({ driveItem, item }: ResolvedItem, driveType: string, address: ItemAddress): UploadTarget {
  const parentId = driveItem.parentReference?.id;
  if (!parentId) throw noFolder(`of ${item.path}`);
  // By path if possible: the journal key of an upload must not change once the file exists.
  const folder = isAt(address, item)
    ? { driveId: item.driveId, path: address.path.slice(0, -1) }
    : { driveId: item.driveId, itemId: parentId };
  return {
    folder,
    folderId: parentId,
    folderPath: item.path.split("/").slice(0, -1).join("/"),
    name: item.name,
    existing: driveItem,
    driveType,
  };
}

/** Goes into a folder. */
function targetIn(
  { item: folder, driveItem }: ResolvedItem,
  name: string,
  driveType: string,
  address: ItemAddress,
  existing: UploadTarget["existing"],
): UploadTarget {
  return {
    folder: isAt(address, folder) ? address : { driveId: folder.driveId, itemId: folder.id },
    folderId: folder.id,
    folderPath: folder.path,
    name,
    existing,
    driveType: getDriveType(driveItem) ?? driveType,
  };
}

/** Whether a typed path is the item's own; after a shortcut to another drive it is not. */
function isAt(
  address: ItemAddress,
  { driveId, path }: Item,
): address is { driveId: string; path: readonly string[] } {
  return "path" in address && address.driveId === driveId && address.path.join("/") === path;
}

function noFolder(path: string): GraphError {
  return new GraphError("notFound", `the folder ${path} does not exist`, { code: "folderNotFound" });
}

/** Retries work in a folder that this run has created, which the service may not find at first (PROTOCOL E3). */
export async function retryUntilVisible<T>(
  { graph: { http } }: ItemContext,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isNew = isGraphError(error) && error.status === 404;
      if (!isNew || attempt === MAX_ATTEMPTS) throw error;
      if (!await http.backOff(attempt - 1, "the folder is new")) throw error;
    }
  }
}
