/**
 * Compound files (MS-CFB): Office documents from before 2007, and any that are password-protected.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, ByteWindow } from "./byte_source.ts";

const HEADER_BYTES = 512;
/** Allocation table sectors that the header lists. */
const LISTED_IN_HEADER = 109;
const MAX_REGULAR_SECTOR = 0xfffffffa;
const FREE = 0xffffffff;

/** Whether the content begins like a compound file. */
export async function isOle2(source: ByteSource): Promise<boolean> {
  if (source.size < HEADER_BYTES) return false;
  const header = await new ByteWindow(source).at(0, 8);
  return header.getUint32(0) === 0xd0cf11e0 && header.getUint32(4) === 0xa1b11ae1;
}

/**
 * Checks that the file holds every sector in use.
 *
 * @throws {BrokenDocument} when it is incomplete.
 */
export async function checkOle2(source: ByteSource): Promise<void> {
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
