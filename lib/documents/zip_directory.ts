/**
 * The central directory of a ZIP archive (APPNOTE 4.3), with ZIP64.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, readRange } from "./byte_source.ts";

const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const HEADER_BYTES = 46;
const MAX_COMMENT_BYTES = 65_535;
/** Real documents have a few thousand entries at most. */
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;

/** A directory entry. */
export interface ZipEntry {
  name: string;
  /** 0: stored; 8: deflated. */
  method: number;
  encrypted: boolean;
  crc32: number;
  compressedBytes: number;
  bytes: number;
  /** Position of its local header. */
  offset: number;
}

/** The entries of an archive in the order of their offsets, and the position of the directory. */
export interface ZipDirectory {
  entries: ZipEntry[];
  start: number;
}

/**
 * Reads the directory of an archive.
 *
 * @throws {BrokenDocument} when the archive is incomplete, or has more entries than any document.
 */
export async function readZipDirectory(source: ByteSource): Promise<ZipDirectory> {
  const { count, start, bytes, end } = await findDirectory(source);
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES) {
    throw new BrokenDocument(
      `its directory has ${count} entries in ${bytes} bytes, more than documents have`,
    );
  }
  if (start + bytes !== end) throw new BrokenDocument("its directory is misplaced");
  const view = new DataView((await readRange(source, start, bytes)).buffer);
  const entries: ZipEntry[] = [];
  let at = 0;
  while (entries.length < count) {
    if (at + HEADER_BYTES > bytes || view.getUint32(at, true) !== 0x02014b50) throw badDirectory();
    const length = HEADER_BYTES + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
    if (at + length > bytes) throw badDirectory();
    entries.push(entryAt(view, at));
    at += length;
  }
  if (at !== bytes) throw badDirectory();
  entries.sort((a, b) => a.offset - b.offset);
  return { entries, start };
}

/** Reads the end record, or the ZIP64 one; `end` is its position. */
async function findDirectory(source: ByteSource) {
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES);
  const tail = await readRange(source, source.size - tailBytes, tailBytes);
  const view = new DataView(tail.buffer);
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    if (at + END_BYTES + view.getUint16(at + 20, true) !== tailBytes) continue;
    const count = view.getUint16(at + 10, true);
    const bytes = view.getUint32(at + 12, true);
    const start = view.getUint32(at + 16, true);
    const end = source.size - tailBytes + at;
    const isZip64 = count === 0xffff || bytes === 0xffffffff || start === 0xffffffff;
    return isZip64 ? await findDirectory64(source, end) : { count, bytes, start, end };
  }
  throw new BrokenDocument("it has no end record, so it is not a ZIP archive");
}

async function findDirectory64(source: ByteSource, end: number) {
  const locator = new DataView((await readRange(source, end - LOCATOR_BYTES, LOCATOR_BYTES)).buffer);
  if (locator.getUint32(0, true) !== 0x07064b50) throw new BrokenDocument("it has no ZIP64 locator");
  const at = uint64(locator, 8);
  const record = new DataView((await readRange(source, at, END64_BYTES)).buffer);
  if (record.getUint32(0, true) !== 0x06064b50) throw new BrokenDocument("it has no ZIP64 end record");
  return { count: uint64(record, 32), bytes: uint64(record, 40), start: uint64(record, 48), end: at };
}

function entryAt(view: DataView<ArrayBuffer>, at: number): ZipEntry {
  const nameBytes = view.getUint16(at + 28, true);
  const extra = at + HEADER_BYTES + nameBytes;
  const wide = zip64Fields(view, extra, extra + view.getUint16(at + 30, true));
  // ZIP64 fields follow in this order, and only those that exceed 32 bits (APPNOTE 4.5.3).
  const field = (position: number) => {
    const value = view.getUint32(position, true);
    return value === 0xffffffff ? wide() : value;
  };
  const bytes = field(at + 24);
  const compressedBytes = field(at + 20);
  return {
    name: new TextDecoder().decode(new Uint8Array(view.buffer, at + HEADER_BYTES, nameBytes)),
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
    crc32: view.getUint32(at + 16, true),
    compressedBytes,
    bytes,
    offset: field(at + 42),
  };
}

/** Reads the 64-bit numbers of the extra field in turn. */
function zip64Fields(view: DataView, start: number, end: number): () => number {
  let at = end;
  let last = end;
  for (let field = start; field + 4 <= end;) {
    const next = field + 4 + view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === 1) [at, last] = [field + 4, Math.min(next, end)];
    field = next;
  }
  return () => {
    if (at + 8 > last) throw badDirectory();
    at += 8;
    return uint64(view, at - 8);
  };
}

function uint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw badDirectory();
  return value;
}

function badDirectory(): BrokenDocument {
  return new BrokenDocument("its ZIP directory cannot be read");
}
