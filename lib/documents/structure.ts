/**
 * Whether a document is complete by its own structure: tells it from a truncated one, or from a proxy's error page, where
 * no hash can.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow, readRange } from "./byte_source.ts";
import { checkJpeg } from "./jpeg.ts";
import { checkOle2, isOle2 } from "./ole2.ts";
import { checkZip } from "./zip.ts";

/** Kinds of documents that the service may change. */
export type DocumentKind = "office" | "pdf" | "jpeg" | "heic" | "html" | "oneNote";

/** `%%EOF` is the last line of a PDF file (ISO 32000-1, 7.5.5). */
const PDF_END_BYTES = 1024;
const MAX_BOXES = 10_000;

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
