/**
 * Checks ZIP archives entry by entry: the directory alone proves nothing about the content (APPNOTE 4.3).
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow } from "./byte_source.ts";
import { readZipDirectory, type ZipEntry } from "./zip_directory.ts";

const READ_BYTES = 64 * 1024;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
/** An archive that inflates to more than this, and to more than 200 times its size, is a ZIP bomb. */
const MAX_BYTES = 1024 ** 3;
const MAX_RATIO = 200;

/** What an entry inflates to. */
export interface ZipContent {
  bytes: number;
  crc32: number;
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
  const inflate = await createInflater();
  for (const [index, entry] of entries.entries()) {
    const from = await findData(window, entry, entries[index + 1]?.offset ?? start);
    await inflate(source, entry, from);
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
 * Loads zlib on first use. `DecompressionStream` would not do: Deno's accepts a truncated stream, and buffers everything
 * that one chunk inflates to.
 */
async function createInflater() {
  const { crc32, createInflateRaw } = await import("node:zlib");
  const { pipeline } = await import("node:stream/promises");
  return async (source: ByteSource, entry: ZipEntry, from: number): Promise<void> => {
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
  };
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
