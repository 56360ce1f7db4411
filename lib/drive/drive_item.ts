/**
 * driveItems as Graph sends them: which of them are valid, and whether two are the same item.
 *
 * @module
 */
import type { DriveItem as GraphDriveItem } from "../graph/types.ts";
import { hasId } from "../json.ts";
import { decodeName } from "./address.ts";
import { joinRemote, sameName } from "./names.ts";

/** A driveItem as Graph sends it, with the annotations that the published types lack. */
export type DriveItem = GraphDriveItem & {
  "@microsoft.graph.downloadUrl"?: string;
  /** The same in responses of storage hosts. */
  "@content.downloadUrl"?: string;
};

/** Whether a value is a valid item: it has an id, a name (except the root), and a size that is a whole number. */
export function isDriveItem(value: unknown): value is DriveItem {
  if (!hasId(value)) return false;
  const { name, root, size } = value as DriveItem;
  const isNamed = typeof name === "string" && name !== "";
  return Boolean(isNamed || root) && Number.isSafeInteger(size ?? 0) && (size ?? 0) >= 0;
}

/** What is known of an item before it is requested. */
export interface ExpectedItem {
  driveId: string;
  id?: string | undefined;
  name?: string | undefined;
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
  const [one, other] = [a, b].map(canonicalItemId).toSorted();
  return one === other || /^([0-9a-f]{16}!)\d+ \1s[0-9a-f]{32}$/.test(`${one} ${other}`);
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

/** Path of an item from the root of its drive. Some responses percent-encode the path (PROTOCOL N8); characters that encoding replaces show which do not. */
export function drivePath({ root, name, parentReference }: DriveItem): string {
  const parent = parentReference?.path?.split("root:/")[1] ?? "";
  const isEncoded = !/[^\w\-.~!$&'()*+,;=:@%/]/.test(parent);
  return root ? "" : joinRemote(isEncoded ? decodeName(parent) : parent, name ?? "");
}
