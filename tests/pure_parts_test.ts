import { assertEquals, assertMatch } from "./assert.ts";
import { QuickXorHash } from "../lib/transfer/quick_xor_hash.ts";
import { formatDuration, formatSize, parseSize } from "../lib/format.ts";
import { nextExpectedByte } from "../lib/upload/protocol.ts";
import { enrichedKind, ENRICHMENTS } from "../lib/transfer/enrichment.ts";
import { compareContent } from "../lib/transfer/verify.ts";
import { pseudoRandomBytes } from "./test_env.ts";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function hashOf(bytes: Uint8Array, cut = bytes.length): string {
  const hash = new QuickXorHash();
  for (let at = 0; at < bytes.length; at += cut) hash.add(bytes.subarray(at, at + cut), at);
  return hash.digest();
}

Deno.test("QuickXorHash agrees with the published vectors", () => {
  const vectors: [string, string][] = [
    ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="],
    ["Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="],
    ["tbQ=", "taAFAAAAAAAAAAAAAgAAAAAAAAA="],
    ["gQaybEqS/4UlDc8e4IJm", "gDCALNigBEn8oxAlZ8AzPAAOQZg="],
    ["2fuxhBJXtpWFe8dOfdGeHw==", "O9tHLAghgSvYohKFyMMxnNCHaHg="],
    ["T6LYJIfDh81JrAK309H2JMJTXis=", "zBTHrspn3mEcohlJdIUAbjGNaNg="],
    [
      "Mb7EGva2rEE5fENDL85P+BsapHEEjv2/siVhKjvAQe02feExVOQSkfmuYzU/kTF1MaKjPmKF/w+cbvwfdWL8aQ==",
      "n1anP5NfvD4XDYWIeRPW3ZkPv1Y=",
    ],
  ];
  for (const [input, hash] of vectors) assertEquals(hashOf(bytesOf(input)), hash);
  assertEquals(hashOf(new Uint8Array(256).map((_, i) => i)), "QkGEfSisZcA7k+FCh71r2dbCayY=");
  assertEquals(hashOf(new Uint8Array(161).fill(255)), "/wAAAAAAAAAAAAAAoQAAAAAAAAA=");
  assertEquals(hashOf(new Uint8Array(327_680).fill(65)), "AAAAAAAAAAAAAAAAAAAFAAAAAAA=");
  assertEquals(hashOf(new Uint8Array(1 << 20).map((_, i) => i % 251)), "pVcWCkWK/HTa4DMyE2B1A1Y9XyM=");
  assertEquals(hashOf(new TextEncoder().encode("Grüße, 世界 🌍")), "RZQzyHwSlk6UgQUgNAcuLHGOSjA=");
});

Deno.test("QuickXorHash does not depend on how, or in which order, the bytes come", () => {
  const bytes = pseudoRandomBytes(100_003);
  const whole = hashOf(bytes);
  for (const cut of [1, 3, 159, 160, 161, 4096, 65_537]) assertEquals(hashOf(bytes, cut), whole);
  const backwards = new QuickXorHash();
  for (let at = 99_000; at >= 0; at -= 1000) {
    backwards.add(bytes.subarray(at, Math.min(bytes.length, at + (at === 99_000 ? 1003 : 1000))), at);
  }
  assertEquals(backwards.digest(), hashOf(bytes.subarray(0, 100_003)));
});

Deno.test("sizes and times as people write and read them", () => {
  assertEquals(["1", "320KiB", "10MiB", "10M", "10 mb", "1.5k"].map((text) => parseSize(text)), [
    1,
    327_680,
    10_485_760,
    10_485_760,
    10_000_000,
    1536,
  ]);
  assertEquals([0, 1023, 1024, 10_485_760, 5 * 1024 ** 3].map(formatSize), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "10 MiB",
    "5.0 GiB",
  ]);
  assertEquals([0, 5, 65, 3661].map(formatDuration), ["0:00", "0:05", "1:05", "1:01:01"]);
});

Deno.test("the next byte of a session is the smallest start of its ranges", () => {
  assertEquals(nextExpectedByte(["10-", "5-7"]), 5);
  assertEquals(nextExpectedByte(["5242880-1484144639"]), 5_242_880);
  assertEquals(nextExpectedByte(Array(200_000).fill("7-")), 7);
  assertEquals(nextExpectedByte(["0-"]), 0);
  assertEquals(nextExpectedByte([]), undefined);
  assertEquals(nextExpectedByte(["x"]), undefined);
});

Deno.test("compareContent() tells same, different and unknown content apart", () => {
  const local = { size: 3, hash: "h" };
  assertEquals(compareContent(local, { size: 3, hash: "h" }), "verified");
  assertEquals(compareContent(local, { size: 3, hash: null }), "unverified");
  assertEquals(compareContent(local, { size: 3, hash: "x" }), "different");
  assertEquals(compareContent(local, { size: 4, hash: null }), "different");
  assertEquals(compareContent(local, { size: 4, hash: "h" }), "different");
  assertEquals(compareContent({ size: 0, hash: "x" }, { size: 0, hash: null }), "verified");
});

Deno.test("the table says what the service may change, by type and kind of drive", () => {
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
  for (const { source } of ENRICHMENTS) assertMatch(source, /\b(10\.2|D6) \(\S+#\d+/);
});
