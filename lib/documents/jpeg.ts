/**
 * JPEG images (ITU-T T.81, annex B): the image itself, without the metadata around it.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow } from "./byte_source.ts";

const END = 0xd9;
const SCAN = 0xda;
const COMMENT = 0xfe;
/** Real images have a few hundred at most. */
const MAX_SEGMENTS = 100_000;

/** The image in a file. */
interface JpegImage {
  /** Where the first scan begins. */
  scanStart: number;
  /** SHA-256 in hex of what precedes the first scan, metadata excepted: tables and frame headers. */
  tablesHash: string;
}

/** Checks an image up to its end marker, since some cameras append data; throws `BrokenDocument` if it is incomplete. */
export async function checkJpeg(source: ByteSource): Promise<JpegImage> {
  const window = new ByteWindow(source);
  if ((await window.at(0, 2)).getUint16(0) !== 0xffd8) throw new BrokenDocument("it is not a JPEG image");
  const { createHash } = await import("node:crypto");
  const tables = createHash("sha256");
  let scanStart: number | undefined;
  for (let at = 2, segments = 0;;) {
    if (++segments > MAX_SEGMENTS) throw new BrokenDocument("it has more segments than images do");
    const { marker, end } = await segmentAt(window, at);
    if (marker === END) {
      if (scanStart === undefined) throw new BrokenDocument("it contains no image");
      return { scanStart, tablesHash: tables.digest("hex") };
    }
    const isMetadata = (marker >= 0xe0 && marker <= 0xef) || marker === COMMENT;
    if (marker === SCAN) scanStart ??= at;
    else if (scanStart === undefined && !isMetadata) {
      for (let from = at; from < end;) {
        const bytes = (await window.from(from)).subarray(0, end - from);
        tables.update(bytes);
        from += bytes.length;
      }
    }
    at = marker === SCAN ? await skipScan(window, end) : end;
  }
}

/** The marker at a position, and the end of its segment. */
async function segmentAt(window: ByteWindow, at: number): Promise<{ marker: number; end: number }> {
  const header = await window.at(at, 2);
  const marker = header.getUint8(1);
  if (header.getUint8(0) !== 0xff || marker < 0xc0) {
    throw new BrokenDocument("a segment marker is missing");
  }
  if (marker === END) return { marker, end: at + 2 };
  const length = (await window.at(at + 2, 2)).getUint16(0);
  if (length < 2 || at + 2 + length > window.size) {
    throw new BrokenDocument("it ends before its structure does");
  }
  return { marker, end: at + 2 + length };
}

/** The next marker after the data of a scan, where a stuffed 0xff and restart markers belong to the data. */
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
