/**
 * driveItems as Graph sends them: which of them can be true, and whether two are the same item.
 *
 * @module
 */
import type { DriveItem as GraphDriveItem } from "@microsoft/microsoft-graph-types";
import { hasShape, type Shape } from "./answer_shape.ts";
import { LONGEST_PATH, sameName } from "./names.ts";

/** A driveItem as Graph sends it, with the annotations that the published types lack. */
export type DriveItem = GraphDriveItem & {
  "@microsoft.graph.downloadUrl"?: string;
  /** The same in answers of storage hosts. */
  "@content.downloadUrl"?: string;
};

/** 1 TiB: the service stores files of up to 250 GB (graph-protocol 3.3). */
const LARGEST_FILE_BYTES = 1024 ** 4;

const DRIVE_ITEM: Shape = {
  id: "string",
  name: "string",
  size: "number",
  eTag: "string",
  cTag: "string",
  webUrl: "string",
  file: { hashes: { quickXorHash: "string" } },
  folder: {},
  package: {},
  root: {},
  remoteItem: { id: "string", parentReference: { driveId: "string" } },
  fileSystemInfo: { lastModifiedDateTime: "string" },
  lastModifiedDateTime: "string",
  lastModifiedBy: { user: { id: "string" } },
  parentReference: { driveId: "string", driveType: "string", id: "string", name: "string", path: "string" },
  "@microsoft.graph.downloadUrl": "string",
  "@content.downloadUrl": "string",
};

/** Whether a value can be an item: with an id and a name, and a name and a size that the service can store. */
export function isDriveItem(value: unknown): value is DriveItem {
  if (!hasShape(value, DRIVE_ITEM)) return false;
  const { id, name, size, folder, package: notebook, root, remoteItem } = value as DriveItem;
  // No name is longer than the longest path (graph-protocol 3.3).
  if (!id || (!name && !root) || (name ?? "").length > LONGEST_PATH) return false;
  // A folder's size is that of all that is in it.
  return (size ?? 0) <= LARGEST_FILE_BYTES || Boolean(folder ?? notebook ?? root ?? remoteItem);
}

/** What is known of an item before it is read. */
export interface ExpectedItem {
  driveId: string;
  id?: string;
  name?: string;
}

/** Whether a value is the item that was asked for, as far as it tells. */
export function isExpectedItem(value: unknown, { driveId, id, name }: ExpectedItem): value is DriveItem {
  if (!isDriveItem(value)) return false;
  const drive = value.parentReference?.driveId ?? driveId; // a root need not tell
  return canonicalDriveId(drive) === canonicalDriveId(driveId) &&
    (id === undefined || sameItemId(value.id!, id)) &&
    (name === undefined || sameName(value.name ?? "", name));
}

/** Whether two ids of one drive name the same item: in personal drives they begin with the drive's id. */
export function sameItemId(a: string, b: string): boolean {
  return canonicalItemId(a) === canonicalItemId(b);
}

/** Identifies an item: two libraries of one site share the id of their root, so an id alone does not. */
export function itemKey({ driveId, id }: { driveId: string; id: string }): string {
  return `${canonicalDriveId(driveId)} ${canonicalItemId(id)}`;
}

/** Personal drive ids come in either case, with or without leading zeros (graph-protocol N9). */
export function canonicalDriveId(id: string): string {
  return /^[0-9a-f]{13,16}$/i.test(id) ? id.toLowerCase().padStart(16, "0") : id;
}

function canonicalItemId(id: string): string {
  const [, cid, rest] = /^([0-9a-f]{13,16})!(.+)$/i.exec(id) ?? [];
  return cid === undefined ? id : `${canonicalDriveId(cid)}!${rest!.toLowerCase()}`;
}
