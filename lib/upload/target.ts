/**
 * Where an upload goes.
 *
 * @module
 */
import { childUrl, type ItemAddress } from "../drive/address.ts";
import { type DriveItem, type ExpectedItem, isExpectedItem } from "../drive/drive_item.ts";
import { ifFound, usageError } from "../errors.ts";
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
import { locate } from "../drive/locate.ts";
import { type Location, type LocationInput, parseLocation } from "../drive/location.ts";
import type { GraphClient } from "../graph/client.ts";
import { checkNewName, joinRemote } from "../drive/names.ts";
import { type FolderContext, FolderFinder, type NewFolder, noFolder } from "./folders.ts";

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
  base: NewFolder;
  /** Name of the copy below it; `undefined`: the base itself. */
  name: string | undefined;
  driveType: string;
}

/**
 * Resolves where a local file goes: into the location if that is a folder, otherwise to the location itself.
 *
 * @param localName The file's name in a folder; `undefined` for standard input, which has none and cannot go into a folder.
 * @param folders Makes missing folders. @default a missing folder is an error
 * @throws {GraphError} `notFound` when the folder is missing.
 */
export async function findTarget(
  context: FolderContext,
  like: LocationInput,
  localName: string | undefined,
  folders = new FolderFinder(context),
): Promise<UploadTarget> {
  const location = parseLocation(like, context.settings.siteHost);
  return await retryWithoutMemory(context, () => resolveTarget(context, location, localName, folders));
}

async function resolveTarget(
  context: FolderContext,
  location: Location,
  localName: string | undefined,
  folders: FolderFinder,
): Promise<UploadTarget> {
  const last = location.path.at(-1);
  // Before any request, where the name is known already.
  if (!location.folder && last !== undefined) checkNewName(last);
  const { address, driveType, found } = await find(context, location);
  if (found ? found.item.type === "folder" : location.folder) {
    const folder = found ? { ...found, fresh: false } : await folders.at(address.driveId, pathIn(address));
    if (localName === undefined) {
      const message = `${locationLabel(location)} is a folder, and standard input has no name`;
      throw usageError(message, "name the file after its folder, as in FOLDER/NAME", "noName");
    }
    checkNewName(localName);
    return targetIn(folder, localName, driveType, address, "unknown");
  }
  if (found && location.folder) throw notAFolderError(found.item);
  if (found) return targetOf(found, driveType, address);
  const path = pathIn(address);
  const parent = { driveId: address.driveId, path: path.slice(0, -1) };
  const folder = await folders.at(parent.driveId, parent.path);
  return targetIn(folder, path.at(-1)!, driveType, parent, undefined);
}

/** Resolves a location; `found` is its item, with shortcuts followed, or `undefined` if there is none yet. */
async function find(context: ItemContext, location: Location) {
  const { address, driveType } = await locate(context.drives, location);
  const fetched = fetchItem(context, address, locationLabel(location));
  const found = "path" in address ? await ifFound(fetched) : await fetched; // an id always has an item
  return { address, driveType: (found && getDriveType(found.driveItem)) ?? driveType, found };
}

/** The path of what does not exist yet, and so has no id. */
function pathIn(address: ItemAddress): readonly string[] {
  return "path" in address ? address.path : [];
}

/**
 * Resolves where a local folder goes: into the location, under its own name, if that ends with a slash or is a root;
 * otherwise it becomes the location, which is created if missing.
 *
 * @throws {GraphError} `notFound` when the parent folder is missing, `usage` when the target is not a folder.
 */
export async function findFolderTarget(
  context: FolderContext,
  like: LocationInput,
  localName: string,
  folders = new FolderFinder(context),
): Promise<FolderTarget> {
  const location = parseLocation(like, context.settings.siteHost);
  return await retryWithoutMemory(context, async () => {
    const { address, driveType, found } = await find(context, location);
    if (found && found.item.type !== "folder") throw notAFolderError(found.item);
    const path = pathIn(address);
    const inside = location.folder || ("path" in address && path.length === 0);
    const name = inside ? localName : found ? undefined : path.at(-1)!;
    if (name !== undefined) checkNewName(name);
    const base = found
      ? { ...found, fresh: false }
      : await folders.at(address.driveId, inside ? path : path.slice(0, -1));
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
  { item: folder, driveItem, fresh }: NewFolder,
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
    existing: fresh ? undefined : existing,
    driveType: getDriveType(driveItem) ?? driveType,
    fresh,
  };
}

/** Whether a typed path is the item's own; after a shortcut to another drive it is not. */
function isAt(
  address: ItemAddress,
  { driveId, path }: Item,
): address is { driveId: string; path: readonly string[] } {
  return "path" in address && address.driveId === driveId && address.path.join("/") === path;
}
