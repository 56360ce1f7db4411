/** Structure checks of documents: complete or damaged, equal or not, and the cost of hostile ones. */

import { assert, assertEquals } from "../assert.ts";
import { deflateRawSync } from "node:zlib";
import { heicFile, jpegFile, ole2File, pdfFile, withFlippedByte, wordDocument } from "./documents.ts";
import { BrokenDocument, type ByteSource } from "../../lib/documents/byte_source.ts";
import { checkStructure, type DocumentKind, proveSame } from "../../lib/documents/structure.ts";
import { docx, pdf, xlsx } from "../sandbox/tenant/seed_documents.ts";
import { promoteProperties } from "../sandbox/tenant/property_promotion.ts";
import { concat, readZip, writeZip } from "../sandbox/tenant/zip.ts";

type Bytes = Uint8Array<ArrayBuffer>;

function source(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(buffer, position) {
      const part = bytes.subarray(position, position + buffer.length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
  };
}

async function isWhole(kind: DocumentKind, bytes: Uint8Array): Promise<boolean> {
  try {
    return await checkStructure(kind, source(bytes));
  } catch (error) {
    assert(error instanceof BrokenDocument, `${(error as Error).stack}`);
    return false;
  }
}

async function provesSame(
  kind: DocumentKind,
  sent: Uint8Array,
  stored: Uint8Array,
): Promise<boolean | "other"> {
  try {
    return await proveSame(kind, source(sent), source(stored));
  } catch (error) {
    assert(error instanceof BrokenDocument, `${(error as Error).stack}`);
    return "other";
  }
}

const WHOLE: [DocumentKind, string, Bytes][] = [
  ["office", "docx", wordDocument(300_000)],
  ["office", "deflated docx", writeZip(readZip(wordDocument(300_000))!, "deflate")],
  ["office", "xlsx", new Uint8Array(xlsx(["a", "b"]))],
  ["pdf", "pdf", pdfFile(200_000)],
  ["pdf", "small pdf", new Uint8Array(pdf("text"))],
  ["jpeg", "jpeg", jpegFile(300_000)],
  ["jpeg", "jpeg with another image behind it", concat([jpegFile(1000), jpegFile(500)])],
  ["heic", "heic", heicFile(100_000)],
];

for (const [kind, name, bytes] of WHOLE) {
  Deno.test(`checkStructure() accepts a complete ${name}, and rejects truncated, extended and other content`, async () => {
    assertEquals(await isWhole(kind, bytes), true);
    const end = bytes.length - (kind === "pdf" ? 2 : 1);
    for (const length of [0, 1, 11, 600, bytes.length >> 2, bytes.length >> 1, end]) {
      if (length > end) continue; // of a small one
      assertEquals(await isWhole(kind, bytes.subarray(0, length)), false, `${length} bytes`);
    }
    for (const more of ["x", "<html></html>", "x".repeat(2000)]) {
      const longer = concat([bytes, new TextEncoder().encode(more)]);
      assertEquals(await isWhole(kind, longer), false, `${more.length} bytes more`);
    }
    for (const text of ["server busy", "<html>".repeat(1000), "\0".repeat(5000)]) {
      assertEquals(await isWhole(kind, new TextEncoder().encode(text)), false, text.slice(0, 11));
    }
  });
}

Deno.test("checkStructure() finds a flipped byte in any file of a package with an intact directory", async () => {
  const document = wordDocument(50_000);
  for (const how of ["store", "deflate"] as const) {
    const files = readZip(writeZip(readZip(document)!, how))!;
    const bytes = writeZip(files, how);
    for (const { start, length } of files) {
      for (const at of [start, start + (length >> 1), start + length - 1]) {
        assertEquals(await isWhole("office", withFlippedByte(bytes, at)), false, `${how} ${at}`);
      }
    }
  }
});

Deno.test("checkStructure() proves nothing of old Office formats, ZIP64 and web pages", async () => {
  const html = new TextEncoder().encode("<html></html>");
  for (const [kind, bytes] of [["office", ole2File(5000)], ["office", zip64()], ["html", html]] as const) {
    assertEquals(await checkStructure(kind, source(bytes)), false);
  }
});

Deno.test("checkStructure() accepts an archive with a comment", async () => {
  const plain = wordDocument(1000);
  const commented = concat([plain.subarray(0, -2), Uint8Array.of(5, 0), new TextEncoder().encode("hello")]);
  assertEquals(await isWhole("office", commented), true);
});

Deno.test("checkStructure() rejects ZIP bombs and the like in bounded time and memory", async () => {
  const zeros = deflateRawSync(new Uint8Array(200 << 20)); // 200 MiB in 200 kB
  const segments = new Uint32Array(25_000_000).fill(0x0200e1ff); // empty ones, to the end of the file
  const bombs = {
    "more segments than images have": concat([Uint8Array.of(0xff, 0xd8), new Uint8Array(segments.buffer)]),
    "an entry of more than its stated size": entry("a", zeros, 1000, 0),
    "an entry of less than its stated size": entry("a", zeros, 300 << 20, 0),
    "an entry of far less than its stated size": entry("a", zeros, 5e9, 0),
    "the same bytes twice": overlapping(zeros),
    "a hundred thousand entries that are not there": concat([
      writeZip([]).subarray(0, 8),
      new Uint8Array(new Uint16Array([50_000, 50_000]).buffer),
      writeZip([]).subarray(12),
    ]),
  };
  for (const [name, bytes] of Object.entries(bombs)) {
    const before = Deno.memoryUsage().rss;
    const started = performance.now();
    assertEquals(await isWhole(name.includes("segments") ? "jpeg" : "office", bytes), false, name);
    assert(performance.now() - started < 5_000, `${name}: ${performance.now() - started} ms`);
    assert(Deno.memoryUsage().rss - before < 150e6, `${name}: ${Deno.memoryUsage().rss - before} bytes`);
  }
});

Deno.test("proveSame() accepts a document that SharePoint has rewritten, with proof where the format allows", async () => {
  const guid = "29ca0671-996c-4316-8b4f-50884ed599f8";
  const rewritten: [DocumentKind, string, Bytes, boolean][] = [
    ["office", "a.docx", wordDocument(100_000), true],
    ["jpeg", "a.jpg", jpegFile(100_000), true],
    ["pdf", "a.pdf", pdfFile(100_000), false],
    ["html", "a.html", new TextEncoder().encode("<html><head></head></html>"), false],
  ];
  for (const [kind, name, sent, proof] of rewritten) {
    const stored = promoteProperties(name, sent, guid);
    assert(stored.length > sent.length, name);
    assertEquals(await provesSame(kind, sent, stored), proof, name);
    assertEquals(
      await provesSame(kind, stored, sent) === proof,
      proof,
      `${name}: properties may be removed, too`,
    );
    assertEquals(await provesSame(kind, sent, stored.subarray(0, sent.length >> 1)), "other", name);
    assertEquals(await provesSame(kind, sent, stored.subarray(0, 1)), "other", name);
  }
  assertEquals(
    await provesSame("office", ole2File(5000), concat([ole2File(5000), new Uint8Array(512)])),
    false,
  );
  assertEquals(await provesSame("office", ole2File(5000), wordDocument(9000)), "other");
});

Deno.test("proveSame() rejects a document in which anything but properties has changed", async () => {
  const sent = wordDocument(100_000);
  const files = readZip(sent)!;
  const bytes = new TextEncoder().encode("x");
  const others: [string, Bytes][] = [
    ["another picture", wordDocument(100_000, 2)],
    ["a part less", writeZip(files.filter(({ name }) => name !== "word/document.xml"))],
    ["a part more", writeZip([...files, { name: "word/vbaProject.bin", data: bytes }])],
    ["a part twice", writeZip([...files, files[0]!])],
    ["another text", writeZip([...readZip(docx("Other"))!, files.at(-1)!])],
  ];
  for (const [what, stored] of others) assertEquals(await provesSame("office", sent, stored), "other", what);
  const names = [
    "customXml/item9.xml",
    "docMetadata/LabelInfo.xml",
    "docProps/x.xml",
    "word/_rels/x.rels",
    "[trash]/00AF.dat",
  ];
  const more = writeZip([...files, ...names.map((name) => ({ name, data: bytes }))]);
  assertEquals([await provesSame("office", sent, more), await provesSame("office", more, sent)], [
    true,
    true,
  ]);
  const image = jpegFile(100_000);
  for (const at of [40, 200, 60_000, -10]) { // a table, the header of the scan, both scans
    assertEquals(await provesSame("jpeg", image, withFlippedByte(image, at)), "other", `${at}`);
  }
  assertEquals(await provesSame("jpeg", image, concat([image, bytes])), "other");
});

Deno.test("checkStructure() passes on read errors instead of calling the document damaged", async () => {
  const broken: ByteSource = {
    size: 1000,
    read: () => Promise.reject(new Deno.errors.PermissionDenied("disk")),
  };
  const failure = await checkStructure("office", broken).catch((error) => error);
  assert(failure instanceof Deno.errors.PermissionDenied, String(failure));
  for (const how of ["store", "deflate"] as const) {
    const whole = source(writeZip(readZip(wordDocument(200_000))!, how));
    const cut: ByteSource = {
      size: whole.size,
      read: (buffer, position) =>
        position > 60_000 && position < 130_000
          ? broken.read(buffer, position)
          : whole.read(buffer, position),
    };
    const error = await checkStructure("office", cut).catch((error) => error);
    assert(error instanceof Deno.errors.PermissionDenied, `${how}: ${error}`);
  }
});

/** An archive with one entry whose stated size may be wrong. */
function entry(name: string, data: Uint8Array, bytes: number, sum: number): Bytes {
  const archive = writeZip([{ name, data }]);
  const view = new DataView(archive.buffer);
  const directory = view.getUint32(archive.length - 6, true);
  for (const at of [8, directory + 10]) view.setUint16(at, 8, true);
  for (const at of [14, directory + 16]) view.setUint32(at, sum, true);
  for (const at of [22, directory + 24]) view.setUint32(at, Math.min(bytes, 0xfffffffe), true);
  return archive;
}

/** Two directory entries with the same data. */
function overlapping(data: Uint8Array): Bytes {
  const archive = writeZip([{ name: "a", data }, { name: "b", data: new Uint8Array(data.length) }]);
  const view = new DataView(archive.buffer);
  const directory = view.getUint32(archive.length - 6, true);
  view.setUint32(directory + 47 + 42, 0, true);
  return archive;
}

/** An archive whose end record refers to a ZIP64 one. */
function zip64(): Bytes {
  const archive = wordDocument(1000);
  new DataView(archive.buffer).setUint32(archive.length - 6, 0xffffffff, true);
  return archive;
}
