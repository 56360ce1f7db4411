/**
 * Files of a dozen types and sizes, among them those that SharePoint rewrites.
 *
 * @module
 */
import { jpegFile, pdfFile, wordDocument } from "../upload/documents.ts";
import { pseudoRandomBytes } from "../test_env.ts";
import { writeZip } from "../sandbox/tenant/zip.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const text = (content: string): Bytes => new TextEncoder().encode(content);

/** Content by name; the names are ours, so that a report may hold them. */
export const FILES: Readonly<Record<string, () => Bytes>> = {
  "empty.txt": () => text(""),
  "one byte.txt": () => text("1"),
  "Grüße 試験.md": () => text("# Grüße\n\n試験\n"),
  "50% #1 + 'x' (a).txt": () => text("awkward\n"),
  "without extension": () => text("text\n"),
  "data.json": () => text('{"numbers":[1,2,3]}\n'),
  "table.csv": () => text("name,size\r\na,1\r\n"),
  "page.html": () => text("<!doctype html><title>Page</title><p>Text</p>\n"),
  "picture.jpg": () => jpegFile(20_000),
  "scan.pdf": () => pdfFile(50_000),
  "document.docx": () => wordDocument(100_000),
  "archive.zip": () => writeZip([{ name: "a.bin", data: pseudoRandomBytes(30_000) }]),
  "fragment.bin": () => pseudoRandomBytes(327_680),
};

/** A file that takes three fragments of {@linkcode LARGE_FRAGMENT_BYTES}. */
export const LARGE_NAME = "large.bin";
export const LARGE_FRAGMENT_BYTES = 5 * 1024 * 1024;
export const largeContent = (): Bytes => pseudoRandomBytes(2 * LARGE_FRAGMENT_BYTES + 1);
