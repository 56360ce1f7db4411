/**
 * Whether a stored document is the one that was sent, although the service has written into it.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow } from "./byte_source.ts";
import { checkJpeg } from "./jpeg.ts";
import { isOle2 } from "./ole2.ts";
import { checkStructure, type DocumentKind } from "./structure.ts";
import { checkZip, type ZipContent } from "./zip.ts";

/**
 * Where SharePoint writes properties of its own into a package (PROTOCOL 10.2), and what it leaves of parts that it
 * has replaced, which are no parts of the document any more (ECMA-376-1, 9.1.7).
 */
const PROPERTIES =
  /^(\[Content_Types\]\.xml$|docProps\/|docMetadata\/|customXml\/|\[trash\]\/[\da-f]{4}\.dat$)|\.rels$/i;

/**
 * Compares a stored document with the one that was sent.
 *
 * @returns Whether that is proof; otherwise the stored one is whole, not shorter than what was sent, and no more is known.
 * @throws {BrokenDocument} when it is another one, or not whole.
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
    throw new BrokenDocument("it is of another format than what was sent");
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
    if (!there) throw new BrokenDocument(`${name} is missing in it`);
    if (there.bytes !== bytes || there.crc32 !== crc32) {
      throw new BrokenDocument(`${name} in it is not what was sent`);
    }
  }
  for (const name of stored.keys()) {
    if (isContent(name) && !sent.has(name)) throw new BrokenDocument(`${name} in it was not sent`);
  }
}

/** SharePoint writes into the segments about an image, not into the image (contrib#8903). */
async function compareImages(sent: ByteSource, stored: ByteSource): Promise<void> {
  const ours = await checkJpeg(sent);
  const theirs = await checkJpeg(stored);
  const length = sent.size - ours.scanStart;
  const differs = () => new BrokenDocument("the image in it is not the one that was sent");
  if (ours.tables !== theirs.tables || stored.size - theirs.scanStart !== length) throw differs();
  const windows = [new ByteWindow(sent), new ByteWindow(stored)] as const;
  for (let done = 0; done < length;) {
    const a = await windows[0].from(ours.scanStart + done);
    const b = await windows[1].from(theirs.scanStart + done);
    const count = Math.min(a.length, b.length);
    for (let i = 0; i < count; i++) if (a[i] !== b[i]) throw differs();
    done += count;
  }
}
