/**
 * driveItems as Graph sends them: which of them are valid, and whether two are the same item.
 *
 * @module
 */
import type { DriveItem as GraphDriveItem } from "../graph/types.ts";
import { hasShape, type Shape } from "../graph/response_shape.ts";
import { MAX_PATH, sameName } from "./names.ts";

/** A driveItem as Graph sends it, with the annotations that the published types lack. */
export type DriveItem = GraphDriveItem & {
  "@microsoft.graph.downloadUrl"?: string;
  /** The same in responses of storage hosts. */
  "@content.downloadUrl"?: string;
};

/** 1 TiB: the service stores files of up to 250 GB (PROTOCOL 3.3). */
const MAX_FILE_BYTES = 1024 ** 4;

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

/** Whether a value is a valid item: it has an id, and a name and size that the service can store. */
export function isDriveItem(value: unknown): value is DriveItem {
  if (!hasShape(value, DRIVE_ITEM)) return false;
  const { id, name, size, folder, package: notebook, root, remoteItem } = value as DriveItem;
  if (!id || (!name && !root) || (name ?? "").length > MAX_PATH) return false;
  // The size of a folder is that of everything below it.
  return (size ?? 0) <= MAX_FILE_BYTES || Boolean(folder ?? notebook ?? root ?? remoteItem);
}

/** What is known of an item before it is requested. */
export interface ExpectedItem {
  driveId: string;
  id?: string;
  name?: string;
  /** Id of its folder; `undefined` for a root, for which personal drives have several ids. */
  folderId?: string | undefined;
}

/** Whether a value is the item that was requested, as far as its fields show. */
export function isExpectedItem(
  value: unknown,
  { driveId, id, name, folderId }: ExpectedItem,
): value is DriveItem {
  if (!isDriveItem(value)) return false;
  const parent = value.parentReference;
  return canonicalDriveId(parent?.driveId ?? driveId) === canonicalDriveId(driveId) &&
    (id === undefined || sameItemId(value.id!, id)) &&
    (!folderId || !parent?.id || sameItemId(parent.id, folderId)) &&
    (name === undefined || sameName(value.name ?? "", name));
}

/**
 * Whether two ids of one drive may identify the same item. In a migrated personal drive an item has two, `CID!123` and
 * `CID!s` with a GUID (PROTOCOL 2.1d), which cannot be compared.
 */
export function sameItemId(a: string, b: string): boolean {
  const [one, other] = [canonicalItemId(a), canonicalItemId(b)];
  if (one === other) return true;
  const old = [one, other].map((id) => /^([0-9a-f]{16}!)\d+$/.exec(id)?.[1]);
  const migrated = [one, other].map((id) => /^([0-9a-f]{16}!)s[0-9a-f]{32}$/.exec(id)?.[1]);
  return [0, 1].some((at) => old[at] !== undefined && old[at] === migrated[1 - at]);
}

/** Identifies an item; item ids are unique within a drive only (PROTOCOL 2.1c). */
export function itemKey({ driveId, id }: { driveId: string; id: string }): string {
  return `${canonicalDriveId(driveId)} ${canonicalItemId(id)}`;
}

/** Personal drive ids occur in upper and lower case, with and without leading zeros (PROTOCOL N9). */
export function canonicalDriveId(id: string): string {
  return /^[0-9a-f]{13,16}$/i.test(id) ? id.toLowerCase().padStart(16, "0") : id;
}

function canonicalItemId(id: string): string {
  const [, cid, rest] = /^([0-9a-f]{13,16})!(.+)$/i.exec(id) ?? [];
  return cid === undefined ? id : `${canonicalDriveId(cid)}!${rest!.toLowerCase()}`;
}

/** Version of an item's content, if the service states it: an eTag also changes when a session is created (PROTOCOL U17). */
export function contentVersion({ cTag, eTag }: DriveItem): string | undefined {
  return cTag ?? eTag ?? undefined;
}
