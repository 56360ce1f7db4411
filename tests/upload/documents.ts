/**
 * Complete documents of any size, reproducible by seed, for the file types whose content the service is known to
 * change.
 *
 * @module
 */
import { pseudoRandomBytes } from "../test_env.ts";
import { docx } from "../sandbox/tenant/seed_documents.ts";
import { concat, readZip, writeZip } from "../sandbox/tenant/zip.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A Word document with a picture of about `size` bytes. */
export function wordDocument(bytes: number, seed = 1): Bytes {
  const picture = { name: "word/media/image1.bin", data: pseudoRandomBytes(bytes, seed) };
  return writeZip([...readZip(docx(`Document ${seed}`))!, picture]);
}

/** A PDF file with one stream. */
export function pdfFile(bytes: number, seed = 1): Bytes {
  const text = new TextEncoder();
  const object = text.encode(`%PDF-1.4\n1 0 obj\n<< /Length ${bytes} >>\nstream\n`);
  const table = object.length + bytes + "\nendstream\nendobj\n".length;
  return concat([
    object,
    pseudoRandomBytes(bytes, seed),
    text.encode(
      `\nendstream\nendobj\nxref\n0 2\n0000000000 65535 f \n0000000009 00000 n \n` +
        `trailer\n<< /Size 2 /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`,
    ),
  ]);
}

/** A JPEG file with EXIF data and two scans. */
export function jpegFile(bytes: number, seed = 1): Bytes {
  const scan = (data: Bytes) => [
    Uint8Array.of(0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0),
    // The data must not contain markers other than restart markers: 0xff is stuffed.
    Uint8Array.from(data).map((byte) => byte === 0xff ? 0xfe : byte),
    Uint8Array.of(0xff, 0, 0xff, 0xd0, 1),
  ];
  return concat([
    Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2),
    Uint8Array.of(0xff, 0xe1, 0, 8, 0x45, 0x78, 0x69, 0x66, 0, 0),
    Uint8Array.of(0xff, 0xdb, 0, 67, 0, ...pseudoRandomBytes(64, seed)),
    ...scan(pseudoRandomBytes(Math.ceil(bytes / 2), seed)),
    ...scan(pseudoRandomBytes(Math.floor(bytes / 2), seed + 1)),
    Uint8Array.of(0xff, 0xd9),
  ]);
}

/** A HEIC file with pseudo-random bytes as the image. */
export function heicFile(bytes: number, seed = 1): Bytes {
  const box = (type: string, data: Bytes) => {
    const header = new DataView(new ArrayBuffer(8));
    header.setUint32(0, 8 + data.length);
    return concat([new Uint8Array(header.buffer, 0, 4), new TextEncoder().encode(type), data]);
  };
  return concat([
    box("ftyp", new TextEncoder().encode("heic\0\0\0\0mif1heic")),
    box("meta", pseudoRandomBytes(64, seed)),
    box("mdat", pseudoRandomBytes(bytes, seed)),
  ]);
}

/** A compound file of 512-byte sectors, as Word 97 wrote them: header, allocation table, data. */
export function ole2File(bytes: number, seed = 1): Bytes {
  const dataSectors = Math.ceil(bytes / 512);
  let tables = 1;
  while (tables * 128 < tables + dataSectors) tables++;
  if (tables > 109) throw new RangeError("too large for a header's own list");
  const file = new Uint8Array(512 * (1 + tables + dataSectors));
  const view = new DataView(file.buffer);
  view.setBigUint64(0, 0xd0cf11e0a1b11ae1n);
  view.setUint16(30, 9, true);
  view.setUint32(44, tables, true);
  view.setUint32(68, 0xfffffffe, true);
  for (let n = 0; n < 109; n++) view.setUint32(76 + 4 * n, n < tables ? n : 0xffffffff, true);
  for (let n = 0; n < tables * 128; n++) {
    const sector = n < tables ? 0xfffffffd : n < tables + dataSectors ? 0xfffffffe : 0xffffffff;
    view.setUint32(512 + 4 * n, sector, true);
  }
  file.set(pseudoRandomBytes(bytes, seed), 512 * (1 + tables));
  return file;
}

/** A copy of a file with one byte changed; a negative index counts from the end. */
export function withFlippedByte(bytes: Bytes, position: number): Bytes {
  const copy = bytes.slice();
  copy[position < 0 ? copy.length + position : position]! ^= 0xff;
  return copy;
}
