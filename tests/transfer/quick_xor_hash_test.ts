import { assertEquals } from "../assert.ts";
import { QuickXorHash } from "../../lib/transfer/quick_xor_hash.ts";
import { pseudoRandomBytes } from "../test_env.ts";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function hashOf(bytes: Uint8Array, cut = bytes.length): string {
  const hash = new QuickXorHash();
  for (let at = 0; at < bytes.length; at += cut) hash.add(bytes.subarray(at, at + cut), at);
  return hash.digest();
}

Deno.test("QuickXorHash matches the published vectors", () => {
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

Deno.test("QuickXorHash does not depend on the order or size of the chunks", () => {
  const bytes = pseudoRandomBytes(100_003);
  const whole = hashOf(bytes);
  for (const cut of [1, 3, 159, 160, 161, 4096, 65_537]) assertEquals(hashOf(bytes, cut), whole);
  const backwards = new QuickXorHash();
  for (let at = 99_000; at >= 0; at -= 1000) {
    backwards.add(bytes.subarray(at, Math.min(bytes.length, at + (at === 99_000 ? 1003 : 1000))), at);
  }
  assertEquals(backwards.digest(), hashOf(bytes.subarray(0, 100_003)));
});
