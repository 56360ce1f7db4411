/** A driveItem: a folder, file, OneNote package, or shortcut to an item of another drive. */

import type { Content } from "./content_store.ts";
import type { User } from "./directory.ts";
import type { Drive } from "./drive.ts";
import { cTag, eTag, fixedGuid, olderPersonalItemId, olderPersonalTag } from "./ids.ts";

/** A package is a OneNote notebook; a link leads to an item of another drive. */
export type ItemKind = "folder" | "file" | "package" | "link";

/** The author of a change: a user through an application. */
export interface Author {
  /** Undefined for app-only. */
  readonly user?: User;
  readonly application?: { readonly id: string; readonly displayName: string };
}

/** The timestamps a client may set; whole seconds except in a personal OneDrive (PROTOCOL 11). */
export interface FileSystemInfo {
  created: Date;
  modified: Date;
}

/** A former version of a file. */
export interface Version {
  readonly number: number;
  readonly content: Content;
  readonly modified: Date;
  readonly modifiedBy: Author;
}

export interface Item {
  readonly guid: string;
  readonly id: string;
  readonly drive: Drive;
  readonly kind: ItemKind;
  name: string;
  description: string | undefined;
  /** Undefined for the root only. */
  parent: Item | undefined;
  /** By name key; only folders and packages have children. */
  readonly children: Map<string, Item>;
  /** Files only. */
  content: Content | undefined;
  /** Links only: the target item. */
  readonly target: Item | undefined;
  /** Size in bytes of the file or the whole subtree. */
  size: number;
  eTagVersion: number;
  cTagVersion: number;
  /** Number of versions: a PATCH of the timestamps adds one (PROTOCOL U21). */
  versions: number;
  /** The former versions, the oldest first. */
  readonly history: Version[];
  /** The server's own times. */
  created: Date;
  modified: Date;
  fileSystemInfo: FileSystemInfo;
  createdBy: Author;
  modifiedBy: Author;
}

export interface ItemStart {
  readonly drive: Drive;
  /** The number of the item in its drive. */
  readonly number: number;
  readonly kind: ItemKind;
  readonly name: string;
  readonly guid: string;
  readonly parent: Item | undefined;
  readonly author: Author;
  readonly at: Date;
  readonly target?: Item | undefined;
}

/** A new item without content. */
export function newItem({ number, at, author, target, ...start }: ItemStart): Item {
  const { cid, info: { olderForms } } = start.drive;
  return {
    ...start,
    id: cid !== undefined && olderForms ? olderPersonalItemId(cid, number) : start.drive.idOf(start.guid),
    description: undefined,
    children: new Map(),
    content: undefined,
    target,
    size: 0,
    eTagVersion: 1,
    cTagVersion: 1,
    versions: 1,
    history: [],
    created: at,
    modified: at,
    fileSystemInfo: { created: start.drive.roundTime(at), modified: start.drive.roundTime(at) },
    createdBy: author,
    modifiedBy: author,
  };
}

/** The eTag. The root's has another GUID than its id (recorded 2026, PROTOCOL 4.1l). */
export function eTagOf({ drive, id, guid, parent, eTagVersion }: Item): string {
  if (hasOlderTags(drive)) return olderPersonalTag("", id, eTagVersion);
  return eTag(parent === undefined ? fixedGuid(`root ${drive.id}`) : guid, eTagVersion);
}

/** The cTag; that of a folder does not change (PROTOCOL 4.1i). */
export function cTagOf({ drive, id, guid, kind, cTagVersion }: Item): string {
  if (hasOlderTags(drive)) return olderPersonalTag("c:", id, cTagVersion);
  return cTag(guid, kind === "folder" ? 0 : cTagVersion);
}

function hasOlderTags(drive: Drive): boolean {
  return drive.cid !== undefined && drive.info.olderForms;
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

/** A time in whole seconds, as SharePoint stores `fileSystemInfo` (PROTOCOL 11). */
export function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
