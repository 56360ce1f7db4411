/**
 * Whether a stored document is the one that was sent, although the service wrote properties into it.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, isSameContent } from "./byte_source.ts";
import { checkJpeg } from "./jpeg.ts";
import { checkStructure, type DocumentKind, isOle2 } from "./structure.ts";
import { checkZip, type ZipContent } from "./zip.ts";

/**
 * Parts of a package that SharePoint writes properties into (PROTOCOL 10.2), and the remains of parts that it replaced,
 * which no longer belong to the document (ECMA-376-1, 9.1.7).
 */
const PROPERTIES =
  /^(\[Content_Types\]\.xml$|docProps\/|docMetadata\/|customXml\/|\[trash\]\/[\da-f]{4}\.dat$)|\.rels$/i;

/**
 * Compares a stored document with the one that was sent.
 *
 * @returns Whether the comparison proves them equal. If not, the stored one is complete and not shorter than what was sent.
 * @throws {BrokenDocument} when the stored one is another document, or incomplete.
 */
export async function proveSame(kind: DocumentKind, sent: ByteSource, stored: ByteSource): Promise<boolean> {
  if (kind === "office" && !await isOle2(sent)) {
    compareParts(await checkZip(sent), await checkZip(stored));
    return true;
  }
  if (kind === "jpeg") {
    await compareImages(sent, stored);
    return true;
  }
  if (kind === "office" && !await isOle2(stored)) {
    throw new BrokenDocument("its format is not that of what was sent");
  }
  await checkStructure(kind, stored);
  if (stored.size < sent.size) throw new BrokenDocument("it is shorter than what was sent");
  return false;
}

function compareParts(sent: Map<string, ZipContent>, stored: Map<string, ZipContent>): void {
  const isContent = (name: string) => !PROPERTIES.test(name) && !name.endsWith("/");
  for (const [name, { bytes, crc32 }] of sent) {
    if (!isContent(name)) continue;
    const there = stored.get(name);
    if (!there) throw new BrokenDocument(`${name} is missing`);
    if (there.bytes !== bytes || there.crc32 !== crc32) {
      throw new BrokenDocument(`${name} is not what was sent`);
    }
  }
  for (const name of stored.keys()) {
    if (isContent(name) && !sent.has(name)) throw new BrokenDocument(`${name} was not sent`);
  }
}

/** SharePoint writes into the metadata of an image, not into the image (contrib#8903). */
async function compareImages(sent: ByteSource, stored: ByteSource): Promise<void> {
  const ours = await checkJpeg(sent);
  const theirs = await checkJpeg(stored);
  const scans = (source: ByteSource, start: number): ByteSource => ({
    size: source.size - start,
    read: (buffer, position) => source.read(buffer, start + position),
  });
  const isSame = ours.tablesHash === theirs.tablesHash &&
    await isSameContent(scans(sent, ours.scanStart), scans(stored, theirs.scanStart));
  if (!isSame) throw new BrokenDocument("its image is not the one that was sent");
}
