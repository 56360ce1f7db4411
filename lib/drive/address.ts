/**
 * Addresses of drive items; the only place that builds item URLs
 * (https://learn.microsoft.com/graph/onedrive-addressing-driveitems).
 *
 * @module
 */

/** An item: by its id, or by its path from the root of its drive. */
export type ItemAddress = { driveId: string; itemId: string } | { driveId: string; path: readonly string[] };

/**
 * URL of an item, or of one of its relations (`children`, `content`, `createUploadSession`), below `/v1.0`.
 *
 * Each name is encoded separately; the colons that mark the path are not. A relation must follow the second colon, otherwise
 * the service responds with a misleading error (PROTOCOL N1).
 */
export function itemUrl(address: ItemAddress, relation?: string): string {
  const drive = `/drives/${encodeURIComponent(address.driveId)}`;
  const suffix = relation ? `/${relation}` : "";
  if ("itemId" in address) return `${drive}/items/${encodeURIComponent(address.itemId)}${suffix}`;
  // `root:/:/children` is invalid (PROTOCOL 3.1b).
  if (address.path.length === 0) return `${drive}/root${suffix}`;
  return `${drive}/root:/${encodePath(address.path)}${suffix && `:${suffix}`}`;
}

/** URL of an item by its name in a folder, or of one of its relations; the item need not exist. */
export function childUrl(folder: ItemAddress, name: string, relation?: string): string {
  if ("path" in folder) return itemUrl({ driveId: folder.driveId, path: [...folder.path, name] }, relation);
  return `${itemUrl(folder)}:/${encodeURIComponent(name)}${relation ? `:/${relation}` : ""}`;
}

/** Names as a path of a URL. */
export function encodePath(names: readonly string[]): string {
  return names.map(encodeURIComponent).join("/");
}

/** Undoes the encoding of a name or path; a percent sign that is not an escape leaves it as it is. */
export function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
