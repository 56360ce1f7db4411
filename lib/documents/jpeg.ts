/**
 * JPEG images (ITU-T T.81, annex B): the image itself, apart from what programs write about it.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow } from "./byte_source.ts";

const END = 0xd9;
const SCAN = 0xda;
const COMMENT = 0xfe;
/** A real image has some hundreds at most. */
const MAX_SEGMENTS = 100_000;

/** Where the image of a file lies. */
export interface JpegImage {
  /** Where the first scan begins. */
  scanStart: number;
  /** Tables and frame headers, in hexadecimal: everything before the first scan that is not about the image. */
  tables: string;
}

/**
 * Checks that an image is there to its end marker. Some cameras add something behind it.
 *
 * @throws {BrokenDocument} when it is no JPEG image, or not whole.
 */
export async function checkJpeg(source: ByteSource): Promise<JpegImage> {
  const window = new ByteWindow(source);
  if ((await window.at(0, 2)).getUint16(0) !== 0xffd8) throw new BrokenDocument("it is no JPEG image");
  const { createHash } = await import("node:crypto");
  const tables = createHash("sha256");
  let scanStart: number | undefined;
  for (let at = 2, segments = 0;;) {
    if (++segments > MAX_SEGMENTS) throw new BrokenDocument("it has more segments than images do");
    const { marker, end } = await segmentAt(window, at);
    if (marker === END) {
      if (scanStart === undefined) throw new BrokenDocument("it holds no image");
      return { scanStart, tables: tables.digest("hex") };
    }
    const isAbout = (marker >= 0xe0 && marker <= 0xef) || marker === COMMENT;
    if (marker === SCAN) scanStart ??= at;
    else if (scanStart === undefined && !isAbout) {
      for (let from = at; from < end;) {
        const bytes = (await window.from(from)).subarray(0, end - from);
        tables.update(bytes);
        from += bytes.length;
      }
    }
    at = marker === SCAN ? await skipScan(window, end) : end;
  }
}

/** The marker at a position, and where its segment ends. */
async function segmentAt(window: ByteWindow, at: number): Promise<{ marker: number; end: number }> {
  const header = await window.at(at, 2);
  const marker = header.getUint8(1);
  if (header.getUint8(0) !== 0xff || marker < 0xc0) {
    throw new BrokenDocument("it has no marker at a place for one");
  }
  if (marker === END) return { marker, end: at + 2 };
  const length = (await window.at(at + 2, 2)).getUint16(0);
  if (length < 2 || at + 2 + length > window.size) {
    throw new BrokenDocument("it ends before its structure does");
  }
  return { marker, end: at + 2 + length };
}

/** The position of the next marker after the data of a scan, in which 0xff is stuffed or a restart marker. */
async function skipScan(window: ByteWindow, start: number): Promise<number> {
  for (let at = start;;) {
    const bytes = await window.from(at, 2);
    let found = bytes.indexOf(0xff);
    while (found >= 0 && found + 1 < bytes.length) {
      const next = bytes[found + 1]!;
      const isData = next === 0 || (next >= 0xd0 && next <= 0xd7);
      if (!isData && next !== 0xff) return at + found;
      found = bytes.indexOf(0xff, found + (isData ? 2 : 1));
    }
    at += found < 0 ? bytes.length : found;
  }
}
