/**
 * The key of an encrypted token cache: where it comes from, what it looks like, and what AES key follows from it.
 *
 * @module
 */
import { commandName } from "../commands.ts";
import { usageError } from "../errors.ts";
import { readSecretFile } from "./secret_file.ts";

/** Where a key is. The value itself is never part of an output or error. */
export type KeySetting =
  | { variable: string; file: string }
  | { variable: string; text: string };

/** How the AES key follows from the key material; part of the encrypted file. */
export type KeyDerivation =
  | { kdf: "none" }
  | { kdf: "PBKDF2-SHA-256"; iterations: number; salt: string };

/** An AES key. */
export interface DerivedKey {
  aes: CryptoKey;
  /** A few bytes that tell it from others without telling it. */
  check(): Promise<string>;
}

type Material = { raw: Uint8Array<ArrayBuffer> } | { passPhrase: string };

/** OWASP's figure for PBKDF2 with SHA-256; about 80 ms, once a process. */
const ITERATIONS = 600_000;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const LEAST_PASS_PHRASE = 12;
const MOST_BYTES = 4096;
const MAKE_ONE = "make a key with: (umask 077; openssl rand -base64 32 > FILE)";

/** A key that is read when it is first needed, and once. */
export class CacheKey {
  readonly setting: KeySetting;
  readonly #derived = new Map<string, Promise<DerivedKey | undefined>>();
  #material: Promise<Material> | undefined;

  constructor(setting: KeySetting) {
    this.setting = setting;
  }

  /** @throws {GraphError} `usage` or `refused` for a key that is none. */
  async check(): Promise<void> {
    await this.#read();
  }

  /**
   * How a new file derives its AES key: random bytes need no derivation.
   *
   * @throws {GraphError} `usage` or `refused` for a key that is none.
   */
  async newDerivation(): Promise<KeyDerivation> {
    if ("raw" in await this.#read()) return { kdf: "none" };
    const salt = toBase64(crypto.getRandomValues(new Uint8Array(SALT_BYTES)));
    return { kdf: "PBKDF2-SHA-256", iterations: ITERATIONS, salt };
  }

  /** The AES key of a file; `undefined` when the file was made with the other kind of key. */
  derive(how: KeyDerivation): Promise<DerivedKey | undefined> {
    const id = JSON.stringify(how);
    const known = this.#derived.get(id) ?? this.#derive(how);
    this.#derived.set(id, known);
    return known;
  }

  async #derive(how: KeyDerivation): Promise<DerivedKey | undefined> {
    const material = await this.#read();
    if (how.kdf === "none") return "raw" in material ? await derivedKey(material.raw) : undefined;
    if ("raw" in material) return undefined;
    const phrase = new TextEncoder().encode(material.passPhrase);
    const base = await crypto.subtle.importKey("raw", phrase, "PBKDF2", false, ["deriveBits"]);
    const { iterations } = how;
    const salt = fromBase64(how.salt);
    const bits = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
    return await derivedKey(new Uint8Array(await crypto.subtle.deriveBits(bits, base, KEY_BYTES * 8)));
  }

  #read(): Promise<Material> {
    const { setting } = this;
    return this.#material ??= "text" in setting
      ? Promise.resolve().then(() => parseKey(setting.text, setting.variable))
      : readKeyFile(setting.file, setting.variable);
  }
}

/**
 * What a key is decided by its form alone: 64 hex digits, or 44 characters of base64 (or base64url) with the `=` at the end,
 * are 32 bytes and the key itself; all else is a pass phrase. What looks like a key of another length is an error: it would
 * be a pass phrase by mistake.
 *
 * @param name Of where it comes from, for errors.
 */
export function parseKey(given: string, name: string): Material {
  const bad = (why: string) => usageError(`${name}: ${why}`, MAKE_ONE, "badKey");
  const text = given.replace(/\r?\n$/, "");
  if (text === "") throw bad("the key is empty");
  if (/[\r\n]/.test(text)) throw bad("the key has a line break; it must be one line");
  if (text.trim() !== text) throw bad("the key begins or ends with a space");
  if (/^[0-9a-f]{64}$/i.test(text)) return { raw: fromHex(text) };
  if (/^[\w+/-]{43}=$/.test(text)) return { raw: fromBase64(text) };
  if (/^[0-9a-f]{32,}$/i.test(text) || /^[\w+/-]{20,}={1,2}$/.test(text)) {
    throw bad(`the key has ${text.length} characters: 32 bytes are 64 hex digits or 44 characters of base64`);
  }
  if ([...text].length < LEAST_PASS_PHRASE) {
    throw bad(`the pass phrase is too short: it needs ${LEAST_PASS_PHRASE} characters, better is a key`);
  }
  return { passPhrase: text.normalize("NFC") }; // macOS writes the same letters in other code points
}

async function readKeyFile(path: string, variable: string): Promise<Material> {
  const name = `the key file ${path} (${variable})`;
  const text = await readSecretFile(path, {
    name,
    hint: MAKE_ONE,
    mostBytes: MOST_BYTES,
    exposedHint: `if others may have read it, change the key with: ${commandName("whoami")} --rekey`,
  });
  return parseKey(text, name);
}

async function derivedKey(bytes: Uint8Array<ArrayBuffer>): Promise<DerivedKey> {
  const aes = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  return {
    aes,
    async check() {
      const hmac = { name: "HMAC", hash: "SHA-256" };
      const key = await crypto.subtle.importKey("raw", bytes, hmac, false, ["sign"]);
      const label = new TextEncoder().encode("graph-scripts token cache: which key");
      return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, label)).slice(0, 8));
    },
  };
}

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Bytes of base64 or base64url, with or without its padding. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(standard), (letter) => letter.charCodeAt(0));
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
