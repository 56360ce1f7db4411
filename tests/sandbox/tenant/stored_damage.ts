/** Damage to stored files; the service reports size and hash of the damaged content. */

import { readZip } from "./zip.ts";

export const STORED_DAMAGE = {
  /** Flips a byte in the middle; in a ZIP archive, in its largest file, so that the directory stays valid. */
  "flipped-byte": flipByte,
  /** Keeps only the first byte. */
  "first-byte-only": (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, 1),
};

function flipByte(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const [largest] = readZip(bytes)?.toSorted((a, b) => b.length - a.length) ?? [];
  const { start, length } = largest ?? { start: 0, length: bytes.length };
  const damaged = bytes.slice();
  const at = start + Math.floor(length / 2);
  if (at < damaged.length) damaged[at]! ^= 0xff;
  return damaged;
}
