/** What no service should do to what it stores; its own size and hash of it are right then. */

import { readZip } from "./zip.ts";

/** Ways to store something else than was sent. */
export const STORED_DAMAGE = {
  /** A byte in the middle is another. In an archive it is one of its largest file: the directory stays as it is. */
  "flipped-byte": flipByte,
  /** Nothing but the first byte is kept. */
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
