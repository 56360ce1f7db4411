/**
 * Whether a document is complete by its own structure: tells it from a truncated one, or from a proxy's error page, where
 * no hash can.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow, readRange } from "./byte_source.ts";
import { checkJpeg } from "./jpeg.ts";
import { checkZip } from "./zip.ts";

/** Kinds of documents that the service may change. */
export type DocumentKind = "office" | "pdf" | "jpeg" | "heic" | "html" | "oneNote";

/** `%%EOF` is the last line of a PDF file (ISO 32000-1, 7.5.5). */
const PDF_END_BYTES = 1024;
const MAX_BOXES = 10_000;
const OLE2_HEADER_BYTES = 512;
/** Allocation table sectors that the header lists. */
const LISTED_IN_HEADER = 109;
const MAX_REGULAR_SECTOR = 0xfffffffa;
const FREE = 0xffffffff;

/** Whether {@linkcode checkStructure} can find that a document of this kind is incomplete. */
export function hasStructure(kind: DocumentKind): boolean {
  return kind !== "html" && kind !== "oneNote";
}

/**
 * Checks a document as far as its kind allows.
 *
 * @throws {BrokenDocument} when it is incomplete, or of another kind.
 */
export async function checkStructure(kind: DocumentKind, source: ByteSource): Promise<void> {
  if (source.size === 0) throw new BrokenDocument("it is empty");
  if (kind === "office") {
    if (await isOle2(source)) await checkOle2(source);
    else await checkZip(source);
  } else if (kind === "pdf") await checkPdf(source);
  else if (kind === "jpeg") await checkWholeJpeg(source);
  else if (kind === "heic") await checkHeic(source);
}

async function checkPdf(source: ByteSource): Promise<void> {
  const text = async (position: number) =>
    new TextDecoder("latin1").decode(
      await readRange(source, position, Math.min(PDF_END_BYTES, source.size)),
    );
  if (!(await text(0)).includes("%PDF-")) throw new BrokenDocument("it is not a PDF file");
  const end = await text(Math.max(0, source.size - PDF_END_BYTES));
  if (!/%%EOF[\s\0]*$/.test(end)) throw new BrokenDocument("its end is missing");
}

/** Also checks the last bytes: data after the image may itself be truncated. */
async function checkWholeJpeg(source: ByteSource): Promise<void> {
  await checkJpeg(source);
  const [first, last] = await readRange(source, source.size - 2, 2);
  if (first !== 0xff || last !== 0xd9) throw new BrokenDocument("it does not end with an end marker");
}

/** Boxes (ISO/IEC 14496-12, 4.2) fill the file to its last byte. */
async function checkHeic(source: ByteSource): Promise<void> {
  const window = new ByteWindow(source);
  const types: string[] = [];
  for (let at = 0; at < source.size;) {
    const header = await window.at(at, 8);
    types.push(String.fromCharCode(...new Uint8Array(header.buffer, header.byteOffset + 4, 4)));
    if (types[0] !== "ftyp" || types.length > MAX_BOXES) throw new BrokenDocument("it is not a HEIF image");
    let bytes = header.getUint32(0);
    if (bytes === 0) bytes = source.size - at; // extends to the end of the file
    else if (bytes === 1) bytes = Number((await window.at(at + 8, 8)).getBigUint64(0));
    if (bytes < 8 || at + bytes > source.size) throw new BrokenDocument("it ends before its structure does");
    at += bytes;
  }
  if (!types.includes("meta")) throw new BrokenDocument("it contains no image");
}

/** Whether it is a compound file (MS-CFB): an Office document from before 2007, or one with a password. */
export async function isOle2(source: ByteSource): Promise<boolean> {
  if (source.size < OLE2_HEADER_BYTES) return false;
  const header = await new ByteWindow(source).at(0, 8);
  return header.getUint32(0) === 0xd0cf11e0 && header.getUint32(4) === 0xa1b11ae1;
}

/** Checks that the file holds every sector in use. */
async function checkOle2(source: ByteSource): Promise<void> {
  const window = new ByteWindow(source);
  const shift = (await window.at(30, 2)).getUint16(0, true);
  if (shift !== 9 && shift !== 12) throw new BrokenDocument("its sector size is unknown");
  const sectorBytes = 2 ** shift;
  const sectors = Math.floor(source.size / sectorBytes) - 1; // the header takes the first
  const perSector = sectorBytes / 4;
  let last = -1;
  let index = 0;
  for await (const sector of allocationSectors(window, sectorBytes, sectors)) {
    const table = await window.at(offsetOf(sector, sectorBytes, sectors), sectorBytes);
    for (let at = 0; at < sectorBytes; at += 4) {
      if (table.getUint32(at, true) !== FREE) last = index * perSector + at / 4;
    }
    index++;
  }
  const isWhole = last >= 0 && last < sectors && sectors <= index * perSector;
  if (!isWhole || source.size % sectorBytes !== 0) {
    throw new BrokenDocument(
      `it has ${source.size} bytes, its allocation table lists ${last + 1} sectors of ${sectorBytes}`,
    );
  }
}

/** The sectors of the allocation table: those that the header lists, then those of a chain of lists. */
async function* allocationSectors(window: ByteWindow, sectorBytes: number, sectors: number) {
  let left = (await window.at(44, 4)).getUint32(0, true);
  // Programs allocate a few in advance.
  const needed = Math.ceil(sectors / (sectorBytes / 4));
  if (left > 2 * needed + LISTED_IN_HEADER) {
    throw new BrokenDocument("its allocation table is longer than the file");
  }
  let list = 76;
  let listed = LISTED_IN_HEADER;
  let next = (await window.at(68, 4)).getUint32(0, true);
  for (;;) {
    for (let n = 0; n < listed && left > 0; n++, left--) {
      yield (await window.at(list + 4 * n, 4)).getUint32(0, true);
    }
    if (left === 0) return;
    list = offsetOf(next, sectorBytes, sectors);
    listed = sectorBytes / 4 - 1; // the last entry leads to the next list
    next = (await window.at(list + 4 * listed, 4)).getUint32(0, true);
  }
}

function offsetOf(sector: number, sectorBytes: number, sectors: number): number {
  if (sector > MAX_REGULAR_SECTOR || sector >= sectors) {
    throw new BrokenDocument("it ends before its structure does");
  }
  return (sector + 1) * sectorBytes;
}
