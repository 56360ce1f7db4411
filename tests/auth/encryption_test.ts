/** Keys, and the encrypted form of the token cache. */

import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
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

Deno.test("parseKey() accepts 32 bytes as hex, base64 and base64url", () => {
  for (const text of [HEX, HEX.toUpperCase(), `${HEX}\r\n`]) assertEquals(parseKey(text, "K").toHex(), HEX);
  for (const text of [BASE64, `${BASE64}\n`, BASE64.replaceAll("+", "-").replaceAll("/", "_")]) {
    assertEquals(parseKey(text, "K").toBase64(), BASE64);
  }
});

Deno.test("parseKey() rejects anything else without showing it", async () => {
  const wrong: [string, RegExp][] = [
    ["", /the key is empty/],
    ["\n", /the key is empty/],
    [` ${BASE64}`, /has 45 characters/],
    [`${HEX}\n${HEX}`, /has a line break/],
    [HEX.slice(1), /has 63 characters; it must be 32 bytes as 64 hex digits or 44 characters of base64/],
    [HEX.slice(0, 32), /has 32 characters/],
    ["q83vASNFZ4mrze8BI0VniQ==", /has 24 characters/],
    [BASE64.slice(0, 43), /has 43 characters/],
    ["correct horse battery staple", /has 28 characters/],
  ];
  for (const [text, why] of wrong) {
    const error = await assertRejects(() => Promise.resolve().then(() => parseKey(text, "THE_KEY"))) as Error;
    assertMatch(error.message, why);
    assertMatch(error.message, /^THE_KEY: /);
    assert(text.trim() === "" || !error.message.includes(text.trim().slice(0, 8)), error.message);
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
  const outcomes: [Record<string, unknown>, string][] = [
    [{ iv: flip(first.iv) }, "damaged"],
    [{ ciphertext: flip(first.ciphertext) }, "damaged"],
    [{ ciphertext: 1 }, "damaged"],
    [{ cipher: "none" }, "damaged"],
    [{ keyCheck: flip(first.keyCheck) }, "wrongKey"],
    [{ graphScriptsTokenCache: 2 }, "laterVersion"],
    [{ kdf: "PBKDF2-SHA-256", iterations: 600_000, salt: "AAAA" }, "damaged"],
  ];
  for (const [change, expected] of outcomes) {
    const outcome = await decrypt({ ...first, ...change }, key, "f").then(
      (text) => text === undefined ? "damaged" : "opened",
      (error) => error.code ?? error.name,
    );
    assertEquals(outcome, expected, Object.keys(change).join());
  }
});

Deno.test("decrypt() reads a cache of version 0.1.0", async () => {
  const key = await loadKey({ variable: "K", text: HEX });
  assertEquals(await decrypt(FIRST_VERSION, key, "f"), '{"Account":{}}');
});
