import { assertEquals } from "../assert.ts";
import { compareContent, enrichedKind } from "../../lib/transfer/verify.ts";

Deno.test("compareContent() returns each verdict", () => {
  const local = { size: 3, hash: "h" };
  assertEquals(compareContent(local, { size: 3, hash: "h" }), "verified");
  assertEquals(compareContent(local, { size: 3, hash: null }), "unverified");
  assertEquals(compareContent(local, { size: 3, hash: "x" }), "different");
  assertEquals(compareContent(local, { size: 4, hash: null }), "different");
  assertEquals(compareContent(local, { size: 4, hash: "h" }), "different");
  assertEquals(compareContent({ size: 0, hash: "x" }, { size: 0, hash: null }), "verified");
});

Deno.test("enrichedKind() follows the table of types and drives", () => {
  const table: [string, string, string | undefined, string | undefined][] = [
    ["a.DOCX", "documentLibrary", "office", "office"],
    ["a.xls", "documentLibrary", "office", "office"],
    ["a.docx", "business", undefined, undefined],
    ["a.docx", "personal", undefined, "office"],
    ["a.pdf", "documentLibrary", "pdf", "pdf"],
    ["a.pdf", "personal", undefined, "pdf"],
    ["a.jpeg", "documentLibrary", "jpeg", "jpeg"],
    ["a.jpg", "business", undefined, undefined],
    ["a.html", "documentLibrary", "html", "html"],
    ["a.aspx", "personal", undefined, undefined],
    ["a.heic", "documentLibrary", undefined, "heic"],
    ["a.HEIF", "business", undefined, "heic"],
    ["a.one", "business", undefined, "oneNote"],
    ["a.odt", "documentLibrary", undefined, undefined],
    ["a.zip", "documentLibrary", undefined, undefined],
    ["a.docx.bin", "documentLibrary", undefined, undefined],
    ["docx", "documentLibrary", undefined, undefined],
    ["a.docx", "", undefined, undefined],
  ];
  for (const [name, drive, upload, download] of table) {
    assertEquals(enrichedKind("uploads", name, drive), upload, `upload of ${name} to ${drive}`);
    assertEquals(enrichedKind("downloads", name, drive), download, `download of ${name} from ${drive}`);
  }
});
