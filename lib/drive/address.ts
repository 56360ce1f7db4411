/**
 * Addresses of drive items as Graph takes them; the one place that builds item URLs
 * (https://learn.microsoft.com/graph/onedrive-addressing-driveitems).
 *
 * @module
 */

/** An item: by its id, or by its path from the root of its drive. */
export type ItemAddress = { driveId: string; itemId: string } | { driveId: string; path: readonly string[] };

/**
 * URL of an item, or of one of its relations (`children`, `content`, `createUploadSession`), below `/v1.0`.
 *
 * Each name is encoded for itself; the colons that mark the path are not. A relation must follow the second colon directly,
 * otherwise the service answers with a misleading error (PROTOCOL N1).
 *
 * @example
 * ```ts
 * import { itemUrl } from "./address.ts";
 * const url = itemUrl({ driveId: "b!x", path: ["A b", "c#1.txt"] }, "content");
 * if (url !== "/drives/b!x/root:/A%20b/c%231.txt:/content") throw new Error(url);
 * ```
 */
export function itemUrl(address: ItemAddress, relation?: string): string {
  const drive = `/drives/${encodeURIComponent(address.driveId)}`;
  if ("itemId" in address) {
    return `${drive}/items/${encodeURIComponent(address.itemId)}${relation ? `/${relation}` : ""}`;
  }
  // `root:/:/children` is not a valid form (PROTOCOL 3.1).
  if (address.path.length === 0) return `${drive}/root${relation ? `/${relation}` : ""}`;
  return `${drive}/root:/${encodePath(address.path)}${relation ? `:/${relation}` : ""}`;
}

/** URL of the item of this name in a folder, or of one of its relations, whether it exists or not. */
export function childUrl(folder: ItemAddress, name: string, relation?: string): string {
  if ("path" in folder) return itemUrl({ driveId: folder.driveId, path: [...folder.path, name] }, relation);
  return `${itemUrl(folder)}:/${encodeURIComponent(name)}${relation ? `:/${relation}` : ""}`;
}

/** Names as a path of a URL. */
export function encodePath(names: readonly string[]): string {
  return names.map(encodeURIComponent).join("/");
}
