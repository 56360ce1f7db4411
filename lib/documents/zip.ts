/**
 * ZIP archives (APPNOTE 4.3), with ZIP64: each entry is inflated, since the directory proves nothing about the content.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow, readRange } from "./byte_source.ts";

const READ_BYTES = 64 * 1024;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
/** An archive that inflates to more than this, and to more than 200 times its size, is a ZIP bomb. */
const MAX_BYTES = 1024 ** 3;
const MAX_RATIO = 200;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const ENTRY_BYTES = 46;
const MAX_COMMENT_BYTES = 65_535;
/** Real documents have a few thousand entries at most. */
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;

/** What an entry inflates to. */
export interface ZipContent {
  bytes: number;
  crc32: number;
}

/** A directory entry. */
interface ZipEntry extends ZipContent {
  name: string;
  /** 0: stored; 8: deflated. */
  method: number;
  encrypted: boolean;
  compressedBytes: number;
  /** Position of its local header. */
  offset: number;
}

/**
 * Inflates every entry and compares it with the size and CRC-32 in the directory.
 *
 * @returns The entries by name.
 * @throws {BrokenDocument} when an entry differs, or the archive is incomplete.
 */
export async function checkZip(source: ByteSource): Promise<Map<string, ZipContent>> {
  const { entries, start } = await readZipDirectory(source);
  const contents = new Map<string, ZipContent>();
  let total = 0;
  for (const [index, entry] of entries.entries()) {
    checkPlace(entry, entries[index + 1]?.offset ?? start);
    total += entry.bytes;
    if (total > Math.max(MAX_BYTES, MAX_RATIO * source.size)) {
      throw new BrokenDocument("it would inflate to more than documents contain");
    }
    if (contents.has(entry.name)) throw new BrokenDocument(`it contains ${entry.name} twice`);
    contents.set(entry.name, entry);
  }
  const window = new ByteWindow(source);
  for (const [index, entry] of entries.entries()) {
    await checkData(source, entry, await findData(window, entry, entries[index + 1]?.offset ?? start));
  }
  return contents;
}

/** Overlapping entries would inflate the same bytes repeatedly. */
function checkPlace(entry: ZipEntry, end: number): void {
  if (entry.offset + LOCAL_HEADER_BYTES + entry.compressedBytes > end) {
    throw new BrokenDocument(`${entry.name} overlaps what follows it`);
  }
  if (entry.encrypted || (entry.method !== STORED && entry.method !== DEFLATED)) {
    throw new BrokenDocument(`${entry.name} is encrypted, or compressed with an unknown method`);
  }
}

/** The position of an entry's data. */
async function findData(window: ByteWindow, entry: ZipEntry, end: number): Promise<number> {
  const header = await window.at(entry.offset, LOCAL_HEADER_BYTES);
  const isHeader = header.getUint32(0, true) === 0x04034b50 && header.getUint16(8, true) === entry.method;
  const from = entry.offset + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (!isHeader || from + entry.compressedBytes > end) {
    throw new BrokenDocument(`the header of ${entry.name} is damaged`);
  }
  return from;
}

/**
 * zlib is loaded on first use. `DecompressionStream` would not do: Deno's accepts a truncated stream, and buffers
 * everything that one chunk inflates to.
 */
async function checkData(source: ByteSource, entry: ZipEntry, from: number): Promise<void> {
  const { crc32, createInflateRaw } = await import("node:zlib");
  const { pipeline } = await import("node:stream/promises");
  let bytes = 0;
  let sum = 0;
  const take = async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      sum = crc32(chunk, sum);
      if (bytes > entry.bytes) throw differs(entry);
    }
  };
  const data = read(source, from, entry.compressedBytes);
  try {
    if (entry.method === STORED) await take(data);
    else await pipeline(data, createInflateRaw(), take);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code === "string" && code.startsWith("Z_")) throw differs(entry);
    throw error;
  }
  if (bytes !== entry.bytes || sum !== entry.crc32) throw differs(entry);
}

function differs({ name }: ZipEntry): BrokenDocument {
  return new BrokenDocument(`${name} does not match its size and checksum in the archive`);
}

async function* read(source: ByteSource, start: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at < start + length;) {
    const bytes = new Uint8Array(Math.min(READ_BYTES, start + length - at));
    const count = await source.read(bytes, at);
    if (count === 0) throw new BrokenDocument("it became shorter while it was read");
    at += count;
    yield bytes.subarray(0, count);
  }
}

/** Reads the central directory: its entries in the order of their offsets, and its position. */
async function readZipDirectory(source: ByteSource): Promise<{ entries: ZipEntry[]; start: number }> {
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
    if (at + ENTRY_BYTES > bytes || view.getUint32(at, true) !== 0x02014b50) throw badDirectory();
    const length = ENTRY_BYTES + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) +
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
  const extra = at + ENTRY_BYTES + nameBytes;
  const wide = zip64Fields(view, extra, extra + view.getUint16(at + 30, true));
  // ZIP64 fields follow in this order, and only those that exceed 32 bits (APPNOTE 4.5.3).
  const field = (position: number) => {
    const value = view.getUint32(position, true);
    return value === 0xffffffff ? wide() : value;
  };
  const bytes = field(at + 24);
  const compressedBytes = field(at + 20);
  return {
    name: new TextDecoder().decode(new Uint8Array(view.buffer, at + ENTRY_BYTES, nameBytes)),
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
