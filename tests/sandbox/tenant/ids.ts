/**
 * Ids and tags in the formats of the two back ends: OneDrive for work and SharePoint, and personal OneDrive
 * (PROTOCOL 2.1).
 */

import { createHash } from "node:crypto";

/** The root folder of every library decodes to this GUID (PROTOCOL 2.1). */
export const ROOT_ITEM_GUID = "ea8cc6be-ffdb-43d7-976f-bc7da445c639";

/** A deterministic GUID for seeded items. */
export function fixedGuid(name: string): string {
  const bytes = createHash("sha256").update(`contoso:${name}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The 16 bytes of a GUID in .NET order: the first three groups little-endian. */
export function guidBytes(guid: string): Uint8Array {
  const big = Uint8Array.from(guid.replaceAll("-", "").match(/../g)!, (pair) => parseInt(pair, 16));
  return Uint8Array.of(
    big[3]!,
    big[2]!,
    big[1]!,
    big[0]!,
    big[5]!,
    big[4]!,
    big[7]!,
    big[6]!,
    ...big.subarray(8),
  );
}

/** Drive id: `b!` and the base64url of site-collection, web and list GUID. */
export function driveId(siteGuid: string, webGuid: string, listGuid: string): string {
  const bytes = [siteGuid, webGuid, listGuid].flatMap((guid) => [...guidBytes(guid)]);
  return `b!${base64url(Uint8Array.from(bytes))}`;
}

/** Item id: `01` and the base32 of a 4-byte prefix of the site and the item's GUID. */
export function itemId(sitePrefix: Uint8Array, itemGuid: string): string {
  return `01${base32(Uint8Array.of(...sitePrefix, ...guidBytes(itemGuid)))}`;
}

/** The 4-byte prefix of all item ids of a site; the roots of its libraries have the same id (recorded 2025). */
export function sitePrefix(webGuid: string): Uint8Array {
  return guidBytes(webGuid).subarray(0, 4);
}

/** eTag: changes with content and metadata. The quotes are part of the value. */
export function eTag(itemGuid: string, version: number): string {
  return `"{${itemGuid.toUpperCase()}},${version}"`;
}

/** cTag: changes with content only. */
export function cTag(itemGuid: string, version: number): string {
  return `"c:{${itemGuid.toUpperCase()}},${version}"`;
}

/** Item id of a personal OneDrive as in migrated accounts: `CID!s` without leading zero, and the GUID. */
export function personalItemId(cid: string, itemGuid: string): string {
  return `${cid.toUpperCase().replace(/^0+/, "")}!s${itemGuid.replaceAll("-", "")}`;
}

/** Item id of a personal OneDrive before its migration (PROTOCOL 2.1d). */
export function olderPersonalItemId(cid: string, number: number): string {
  return `${cid.toUpperCase().replace(/^0+/, "")}!${number}`;
}

/** eTag or cTag of the same: opaque and unquoted (ab#2471). */
export function olderPersonalTag(kind: "" | "c:", itemId: string, version: number): string {
  return `a${base64url(new TextEncoder().encode(`${kind}${itemId}.${version}`))}`;
}

/** The comparable form of a personal drive id: lower case, 16 digits (PROTOCOL N9). */
export function canonicalPersonalId(id: string): string {
  return id.toLowerCase().padStart(16, "0");
}

/** base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** RFC 4648 base32 of a multiple of five bytes. */
export function base32(bytes: Uint8Array): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let text = "";
  let bits = 0;
  let bitBuffer = 0;
  for (const byte of bytes) {
    bitBuffer = ((bitBuffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(bitBuffer >> bits) & 31];
    }
  }
  return text;
}
