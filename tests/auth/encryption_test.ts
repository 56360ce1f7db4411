/** Keys, and the encrypted form of the token cache. */

import { assert, assertEquals, assertRejects } from "../assert.ts";
import type { GraphError } from "../../lib/errors.ts";
import { decrypt, encrypt, loadKey, parseKey } from "../../lib/auth/encryption.ts";

const HEX = "00112233445566778899aabbccddeeff".repeat(2);
const BASE64 = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
/** A cache that version 0.1.0 wrote with this key. */
const FIRST_VERSION = {
  graphScriptsTokenCache: 1,
  cipher: "AES-256-GCM",
  kdf: "none",
  keyCheck: "d/NO/6U59Rc=",
  iv: "IKCR1R1dBXjOBW7V",
  ciphertext: "zGgyQEAXJlJZXUiXZhDz4rBA3itSZLQT/LghrvPC",
};

Deno.test("parseKey() accepts 32 bytes as hex and base64", () => {
  for (const text of [HEX, HEX.toUpperCase(), `${HEX}\r\n`]) assertEquals(parseKey(text, "K").toHex(), HEX);
  for (const text of [BASE64, `${BASE64}\n`]) {
    assertEquals(parseKey(text, "K").toBase64(), BASE64);
  }
});

Deno.test("parseKey() rejects anything else without showing it", async () => {
  const wrong = ["", "\n", ` ${BASE64}`, `${HEX}\n${HEX}`, HEX.slice(1), HEX.slice(0, 32)];
  wrong.push("q83vASNFZ4mrze8BI0VniQ==", BASE64.slice(0, 43), "correct horse battery staple");
  for (const text of wrong) {
    const error = await assertRejects(() => Promise.resolve().then(() => parseKey(text, "THE_KEY"))) as Error;
    assertEquals(
      error.message,
      "THE_KEY: the key must be one line of 64 hex digits or 44 characters of base64",
    );
  }
});

Deno.test("decrypt() detects a change of any part", async () => {
  const key = await loadKey({ variable: "K", text: HEX });
  const text = await encrypt('{"Account":{}}', key);
  assertEquals(await decrypt(JSON.parse(text), key, "f"), '{"Account":{}}');
  const [first, again] = [JSON.parse(text), JSON.parse(await encrypt('{"Account":{}}', key))];
  assert(
    first.iv !== again.iv && first.ciphertext !== again.ciphertext,
    "an initialization vector was reused",
  );
  const flip = (value: string) => (value[0] === "A" ? "B" : "A") + value.slice(1);
  const changes = [
    { iv: flip(first.iv) },
    { ciphertext: flip(first.ciphertext) },
    { ciphertext: 1 },
    { iv: undefined },
    { keyCheck: "A" },
  ];
  for (const change of changes) {
    const error = await assertRejects(() => decrypt({ ...first, ...change }, key, "f")) as GraphError;
    assertEquals([error.kind, error.code], ["usage", "wrongKey"], Object.keys(change).join());
  }
});

Deno.test("decrypt() reads a cache of version 0.1.0", async () => {
  const key = await loadKey({ variable: "K", text: HEX });
  assertEquals(await decrypt(FIRST_VERSION, key, "f"), '{"Account":{}}');
});
