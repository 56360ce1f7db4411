/** Minimal ZIP archives in memory (APPNOTE 4.3). */

import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";

const STORED = 0;
const DEFLATED = 8;

/** A decompressed file of an archive. */
export interface ZipFile {
  readonly name: string;
  readonly data: Uint8Array;
}

export function writeZip(
  files: readonly ZipFile[],
  compression: "store" | "deflate" = "store",
): Uint8Array<ArrayBuffer> {
  const method = compression === "store" ? STORED : DEFLATED;
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const file of files) {
    const name = new TextEncoder().encode(file.name);
    const data = method === STORED ? file.data : deflateRawSync(file.data);
    // Version, flags, method, time, date (1 January 2025), CRC, sizes, name length, extra length.
    const common = fields(
      [2, 20],
      [2, 0],
      [2, method],
      [2, 0],
      [2, 0x5a21],
      [4, crc32(file.data)],
      [4, data.length],
      [4, file.data.length],
      [2, name.length],
      [2, 0],
    );
    local.push(fields([4, 0x04034b50]), common, name, data);
    central.push(
      fields([4, 0x02014b50], [2, 20]),
      common,
      fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]),
      name,
    );
    offset += 30 + name.length + data.length;
  }
  const directory = concat(central);
  const count = files.length;
  const counts = [[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count]] as const;
  return concat([...local, directory, fields(...counts, [4, directory.length], [4, offset], [2, 0])]);
}

/** The files of an archive and the offsets of their data; undefined if it is not an archive. */
export function readZip(
  bytes: Uint8Array,
): (ZipFile & { start: number; length: number })[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - 22;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) return undefined;
  const files = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const nameLength = view.getUint16(at + 28, true);
    const offset = view.getUint32(at + 42, true);
    const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    const length = view.getUint32(at + 20, true);
    const data = bytes.subarray(start, start + length);
    files.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      data: view.getUint16(at + 10, true) === STORED ? data : new Uint8Array(inflateRawSync(data)),
      start,
      length,
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

/** Consecutive little-endian numbers of two or four bytes. */
function fields(...numbers: (readonly [2 | 4, number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of numbers) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** Concatenates bytes. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
