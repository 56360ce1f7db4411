import { assertEquals } from "../../assert.ts";
import { QuickXorHash } from "../quick_xor_hash.ts";
import { patternBytes } from "./testing.ts";

function hash(...parts: Uint8Array[]): string {
  const state = new QuickXorHash();
  for (const part of parts) state.update(part);
  return state.digest();
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

// PROTOCOL 10.1: rclone's test file.
const BASE64_VECTORS: [string, string][] = [
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

// PROTOCOL 10.1: two independent implementations.
const OWN_VECTORS: [string, Uint8Array, string][] = [
  ["a", new TextEncoder().encode("a"), "YQAAAAAAAAAAAAAAAQAAAAAAAAA="],
  ["hello", new TextEncoder().encode("hello"), "aCgDG9jwBgAAAAAABQAAAAAAAAA="],
  ["Hello, World!", new TextEncoder().encode("Hello, World!\n"), "SCgDG9jwBhaA4ApvngMbyBACBQA="],
  ["00..FF", Uint8Array.from({ length: 256 }, (_, i) => i), "QkGEfSisZcA7k+FCh71r2dbCayY="],
  ["160 × FF", new Uint8Array(160).fill(255), "AAAAAAAAAAAAAAAAoAAAAAAAAAA="],
  ["161 × FF", new Uint8Array(161).fill(255), "/wAAAAAAAAAAAAAAoQAAAAAAAAA="],
  ["327,680 × A", new Uint8Array(327_680).fill(65), "AAAAAAAAAAAAAAAAAAAFAAAAAAA="],
  ["1 MiB", Uint8Array.from({ length: 1 << 20 }, (_, i) => i % 251), "pVcWCkWK/HTa4DMyE2B1A1Y9XyM="],
  ["UTF-8", new TextEncoder().encode("Grüße, 世界 🌍"), "RZQzyHwSlk6UgQUgNAcuLHGOSjA="],
];

Deno.test("quickXorHash returns the published values", () => {
  for (const [input, expected] of BASE64_VECTORS) assertEquals(hash(fromBase64(input)), expected);
  for (const [name, input, expected] of OWN_VECTORS) assertEquals(hash(input), expected, name);
});

Deno.test("quickXorHash does not depend on chunk sizes", () => {
  const bytes = patternBytes(100_003);
  const whole = hash(bytes);
  for (const size of [1, 3, 159, 160, 161, 4096, 65_537]) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
    assertEquals(hash(...parts), whole);
  }
});

Deno.test("quickXorHash does not detect reordered 320 KiB fragments, so tests must compare bytes (PROTOCOL E6)", () => {
  const [a, b, c] = [1, 2, 3].map((seed) => patternBytes(327_680, seed)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  assertEquals(hash(a, b, c), hash(c, a, b));
  assertEquals(hash(a, a, b), hash(c, c, b));
});

Deno.test("QuickXorHash clones are independent", () => {
  const state = new QuickXorHash().update(patternBytes(500));
  const before = state.digest();
  const copy = state.clone();
  state.update(patternBytes(77));
  assertEquals(copy.digest(), before);
  assertEquals(copy.length, 500);
});
