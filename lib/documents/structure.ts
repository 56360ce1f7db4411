/**
 * Whether a document is complete by its own structure, and whether a stored one is the one that was sent although the
 * service wrote properties into it.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, isSameContent, readRange } from "./byte_source.ts";
import { readZip, type ZipContent } from "./zip.ts";

/** Kinds of documents that the service may change. */
export type DocumentKind = "office" | "pdf" | "jpeg" | "heic" | "html" | "oneNote";

/** `%%EOF` is the last line of a PDF file (ISO 32000-1, 7.5.5). */
const PDF_END_BYTES = 1024;
const MAX_BOXES = 10_000;
/** Real images have a few hundred at most. */
const MAX_SEGMENTS = 10_000;
/**
 * Parts of a package that SharePoint writes properties into (PROTOCOL 10.2), and the remains of parts that it replaced,
 * which no longer belong to the document (ECMA-376-1, 9.1.7).
 */
const PROPERTIES =
  /^(\[Content_Types\]\.xml$|docProps\/|docMetadata\/|customXml\/|\[trash\]\/[\da-f]{4}\.dat$)|\.rels$/i;

/**
 * Checks that a document is complete, which tells it from a truncated one or a proxy's error page where no hash can.
 *
 * @returns Whether its structure proves that; otherwise nothing is known.
 * @throws {BrokenDocument} when it is incomplete, or of another kind.
 */
export async function checkStructure(kind: DocumentKind, source: ByteSource): Promise<boolean> {
  if (kind === "office") return await readPackage(source) !== undefined;
  if (kind === "pdf") await checkPdf(source);
  else if (kind === "jpeg") await checkJpeg(source);
  else if (kind === "heic") await checkHeic(source);
  else return false;
  return true;
}

/**
 * Compares a stored document with the one that was sent.
 *
 * @returns Whether the comparison proves them equal. If not, the stored one is not shorter than what was sent, and complete
 *   as far as its structure shows.
 * @throws {BrokenDocument} when the stored one is another document, or incomplete.
 */
export async function proveSame(kind: DocumentKind, sent: ByteSource, stored: ByteSource): Promise<boolean> {
  if (kind === "jpeg") {
    await compareImages(sent, stored);
    return true;
  }
  if (kind === "office") {
    const ours = await readPackage(sent);
    const theirs = await readPackage(stored);
    if (ours && theirs) {
      compareParts(ours, theirs);
      return true;
    }
    if (await isOle2(sent) !== await isOle2(stored)) {
      throw new BrokenDocument("its format is not that of what was sent");
    }
  } else await checkStructure(kind, stored);
  if (stored.size < sent.size) throw new BrokenDocument("it is shorter than what was sent");
  return false;
}

/** The parts of an Office document; `undefined` for one that cannot be checked. */
async function readPackage(source: ByteSource): Promise<Map<string, ZipContent> | undefined> {
  return await isOle2(source) ? undefined : await readZip(source);
}

/** Whether it is a compound file (MS-CFB): an Office document from before 2007, or one with a password. */
async function isOle2(source: ByteSource): Promise<boolean> {
  return source.size >= 8 && (await readRange(source, 0, 8)).getBigUint64(0) === 0xd0cf11e0a1b11ae1n;
}

function compareParts(sent: Map<string, ZipContent>, stored: Map<string, ZipContent>): void {
  for (const name of new Set([...sent.keys(), ...stored.keys()])) {
    if (PROPERTIES.test(name) || name.endsWith("/")) continue;
    const [ours, theirs] = [sent.get(name), stored.get(name)];
    if (ours?.bytes !== theirs?.bytes || ours?.crc32 !== theirs?.crc32) {
      throw new BrokenDocument(`${name} is not what was sent`);
    }
  }
}

async function checkPdf(source: ByteSource): Promise<void> {
  const length = Math.min(PDF_END_BYTES, source.size);
  const text = async (position: number) =>
    new TextDecoder("latin1").decode(await readRange(source, position, length));
  if (!(await text(0)).includes("%PDF-")) throw new BrokenDocument("it is not a PDF file");
  if (!/%%EOF[\s\0]*$/.test(await text(source.size - length))) throw new BrokenDocument("its end is missing");
}

async function checkJpeg(source: ByteSource): Promise<void> {
  await readImage(source);
  const end = await readRange(source, source.size - 2, 2);
  if (end.getUint16(0) !== 0xffd9) throw new BrokenDocument("it does not end with an end marker");
}

/** SharePoint writes into the metadata of an image, not into the image (contrib#8903). */
async function compareImages(sent: ByteSource, stored: ByteSource): Promise<void> {
  const [ours, theirs] = [await readImage(sent), await readImage(stored)];
  const isSame = ours.tables === theirs.tables &&
    await isSameContent(sent, stored, ours.scanStart, theirs.scanStart);
  if (!isSame) throw new BrokenDocument("its image is not the one that was sent");
}

/**
 * Reads a JPEG image up to its first scan (ITU-T T.81, annex B).
 *
 * @returns Where that begins, and the SHA-256 in hex of the segments before it, metadata excepted.
 */
async function readImage(source: ByteSource): Promise<{ scanStart: number; tables: string }> {
  if ((await readRange(source, 0, 2)).getUint16(0) !== 0xffd8) {
    throw new BrokenDocument("it is not a JPEG image");
  }
  const { createHash } = await import("node:crypto");
  const tables = createHash("sha256");
  for (let at = 2, n = 0; n < MAX_SEGMENTS; n++) {
    const header = await readRange(source, at, 4);
    const marker = header.getUint16(0);
    if (marker === 0xffda) return { scanStart: at, tables: tables.digest("hex") };
    if (marker < 0xffc0) break;
    const segment = await readRange(source, at, 2 + header.getUint16(2));
    const isMetadata = (marker >= 0xffe0 && marker <= 0xffef) || marker === 0xfffe;
    if (!isMetadata) tables.update(segment);
    at += segment.byteLength;
  }
  throw new BrokenDocument("it contains no image");
}

/** Boxes (ISO/IEC 14496-12, 4.2) fill the file to its last byte. */
async function checkHeic(source: ByteSource): Promise<void> {
  const types: string[] = [];
  for (let at = 0; at < source.size;) {
    const header = await readRange(source, at, 8);
    types.push(new TextDecoder("latin1").decode(header.buffer.slice(4)));
    if (types[0] !== "ftyp" || types.length > MAX_BOXES) break;
    let bytes = header.getUint32(0);
    if (bytes === 0) bytes = source.size - at; // extends to the end of the file
    else if (bytes === 1) bytes = Number((await readRange(source, at + 8, 8)).getBigUint64(0));
    if (bytes < 8 || at + bytes > source.size) throw new BrokenDocument("it ends before its structure does");
    at += bytes;
  }
  if (types[0] !== "ftyp" || !types.includes("meta")) throw new BrokenDocument("it is not a HEIF image");
}
