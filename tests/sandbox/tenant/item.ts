/** One driveItem: a folder, a file, a OneNote package, or a link to an item of another drive. */

import type { Content } from "./content_store.ts";
import type { User } from "./directory.ts";
import type { Drive } from "./drive.ts";
import { cTag, eTag, itemId, personalItemId, personalTag } from "./ids.ts";

export type ItemKind = "folder" | "file" | "package" | "link";

/** Who did something: a person, through an application. */
export interface Author {
  /** Undefined when an application works by itself. */
  readonly user?: User;
  readonly application?: { readonly id: string; readonly displayName: string };
}

/** The timestamps a client may set; whole seconds except in a personal OneDrive (PROTOCOL 11). */
export interface FileSystemInfo {
  created: Date;
  modified: Date;
}

export interface Item {
  readonly guid: string;
  readonly id: string;
  readonly drive: Drive;
  readonly kind: ItemKind;
  name: string;
  /** Undefined for the root only. */
  parent: Item | undefined;
  /** By name key. Folders and packages have children; the others keep this empty. */
  readonly children: Map<string, Item>;
  /** Files only. */
  content: Content | undefined;
  /** Links only: where the entry really lives. */
  readonly target: Item | undefined;
  /** Bytes of the file, or of the whole subtree. */
  size: number;
  eTagVersion: number;
  cTagVersion: number;
  /** Versions the service keeps: a PATCH of the time stamp makes one more (PROTOCOL U21). */
  versions: number;
  /** The server's own times. */
  created: Date;
  modified: Date;
  fileSystemInfo: FileSystemInfo;
  createdBy: Author;
  modifiedBy: Author;
}

/** What an item starts with. */
export interface ItemStart {
  readonly drive: Drive;
  /** The four bytes all item ids of the site share. */
  readonly prefix: Uint8Array;
  readonly kind: ItemKind;
  readonly name: string;
  readonly guid: string;
  readonly parent: Item | undefined;
  readonly author: Author;
  readonly at: Date;
  readonly target?: Item | undefined;
}

/** A new item without content. */
export function newItem({ prefix, at, author, target, ...start }: ItemStart): Item {
  return {
    ...start,
    id: start.drive.cid === undefined
      ? itemId(prefix, start.guid)
      : personalItemId(start.drive.cid, start.guid),
    children: new Map(),
    content: undefined,
    target,
    size: 0,
    eTagVersion: 1,
    cTagVersion: 1,
    versions: 1,
    created: at,
    modified: at,
    fileSystemInfo: { created: start.drive.roundTime(at), modified: start.drive.roundTime(at) },
    createdBy: author,
    modifiedBy: author,
  };
}

/** The eTag of an item as its back end writes it. */
export function eTagOf({ drive, guid, eTagVersion }: Item): string {
  return drive.cid === undefined ? eTag(guid, eTagVersion) : personalTag("", drive.cid, guid, eTagVersion);
}

/** The cTag of an item as its back end writes it. */
export function cTagOf({ drive, guid, cTagVersion }: Item): string {
  return drive.cid === undefined ? cTag(guid, cTagVersion) : personalTag("c:", drive.cid, guid, cTagVersion);
}

/** The names from the root down to the item; empty for the root. */
export function pathOf(item: Item): string[] {
  const names: string[] = [];
  for (let at = item; at.parent !== undefined; at = at.parent) names.unshift(at.name);
  return names;
}

/** Whether `item` is `ancestor` or lies below it. */
export function isWithin(item: Item | undefined, ancestor: Item): boolean {
  for (let at = item; at !== undefined; at = at.parent) if (at === ancestor) return true;
  return false;
}

/** A time cut to whole seconds, as this back end keeps `fileSystemInfo` (PROTOCOL 11). */
export function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
