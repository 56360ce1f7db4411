/**
 * ZIP archives (APPNOTE 4.3): each entry is inflated, since the directory proves nothing about the content.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, readPieces, readRange } from "./byte_source.ts";

const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const MAX_COMMENT_BYTES = 65_535;
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;
/** Stands for a number in a ZIP64 record. */
const WIDE = 0xffffffff;

/** What an entry inflates to. */
export interface ZipContent {
  bytes: number;
  crc32: number;
}

interface ZipEntry extends ZipContent {
  name: string;
  /** 0: stored; 8: deflated. */
  method: number;
  compressedBytes: number;
  /** Position of its local header. */
  offset: number;
}

/**
 * Inflates every entry and compares it with the size and CRC-32 in the directory.
 *
 * @returns The entries by name; `undefined` for ZIP64, which Office does not write.
 * @throws {BrokenDocument} when an entry differs, or the archive is incomplete.
 */
export async function readZip(source: ByteSource): Promise<Map<string, ZipContent> | undefined> {
  const { count, start, view } = await readDirectory(source);
  if (!view) return undefined;
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count;) {
    const isEntry = at + ENTRY_BYTES <= view.byteLength && view.getUint32(at, true) === 0x02014b50;
    if (!isEntry) throw new BrokenDocument("its ZIP directory cannot be read");
    const nameBytes = view.getUint16(at + 28, true);
    const entry = {
      name: new TextDecoder().decode(view.buffer.slice(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes)),
      method: view.getUint16(at + 10, true),
      crc32: view.getUint32(at + 16, true),
      compressedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    if (entry.compressedBytes === WIDE || entry.bytes === WIDE || entry.offset === WIDE) return undefined;
    entries.push(entry);
    at += ENTRY_BYTES + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  entries.sort((a, b) => a.offset - b.offset);
  const contents = new Map<string, ZipContent>();
  for (const [index, entry] of entries.entries()) {
    if (contents.has(entry.name)) throw new BrokenDocument(`it contains ${entry.name} twice`);
    contents.set(entry.name, entry);
    await checkData(source, entry, await findData(source, entry, entries[index + 1]?.offset ?? start));
  }
  return contents;
}

/** Reads the end record and the directory; without `view` it is a ZIP64 archive. */
async function readDirectory(source: ByteSource) {
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES);
  const tail = await readRange(source, source.size - tailBytes, tailBytes);
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    if (at + END_BYTES + tail.getUint16(at + 20, true) !== tailBytes) continue;
    const count = tail.getUint16(at + 10, true);
    const bytes = tail.getUint32(at + 12, true);
    const start = tail.getUint32(at + 16, true);
    if (count === 0xffff || bytes === WIDE || start === WIDE) return { count, start };
    const isPlaced = bytes <= MAX_DIRECTORY_BYTES && start + bytes === source.size - tailBytes + at;
    if (!isPlaced) throw new BrokenDocument("its ZIP directory is misplaced");
    return { count, start, view: await readRange(source, start, bytes) };
  }
  throw new BrokenDocument("it has no end record, so it is not a ZIP archive");
}

/** The position of an entry's data, which ends before the next entry: overlapping ones would inflate the same bytes again. */
async function findData(source: ByteSource, entry: ZipEntry, end: number): Promise<number> {
  const header = await readRange(source, entry.offset, LOCAL_HEADER_BYTES);
  const isEncrypted = (header.getUint16(6, true) & 1) !== 0;
  const isHeader = header.getUint32(0, true) === 0x04034b50 && header.getUint16(8, true) === entry.method &&
    (entry.method === STORED || entry.method === DEFLATED) && !isEncrypted;
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
  const differs = () =>
    new BrokenDocument(`${entry.name} does not match its size and checksum in the archive`);
  let bytes = 0;
  let sum = 0;
  const take = async (chunks: AsyncIterable<Uint8Array>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      sum = crc32(chunk, sum);
      if (bytes > entry.bytes) throw differs();
    }
  };
  const data = readPieces(source, from, entry.compressedBytes);
  try {
    if (entry.method === STORED) await take(data);
    else await pipeline(data, createInflateRaw(), take);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code === "string" && code.startsWith("Z_")) throw differs();
    throw error;
  }
  if (bytes !== entry.bytes || sum !== entry.crc32) throw differs();
}
