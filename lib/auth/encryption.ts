/**
 * The encrypted form of the token cache: AES-256-GCM with a key of 32 bytes, in a JSON envelope.
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { readSecretFile } from "./secret_file.ts";
import type { KeySetting } from "../settings.ts";

const VERSION = 1;
const CIPHER = "AES-256-GCM";
/** NIST SP 800-38D: 96 random bits; one write an hour is far from its limit of 2³² for one key. */
const IV_BYTES = 12;
const KEY_BYTES = 32;
const MAX_KEY_FILE_BYTES = 4096;
const MAKE_KEY = "make a key with: (umask 077; openssl rand -base64 32 > FILE)";

interface Header {
  graphScriptsTokenCache: number;
  cipher: string;
  /** Always "none"; versions before this one could derive the key from a pass phrase. */
  kdf: string;
  keyCheck: string;
  iv: string;
}

interface LoadedKey {
  aes: CryptoKey;
  /** Tells keys apart without revealing them. */
  check: string;
}

/** The key is right, but the content is damaged. */
export class DecryptionError extends Error {
  override readonly name = "DecryptionError";
}

/** A key that is read once, when it is first needed. */
export class CacheKey {
  readonly setting: KeySetting;
  #loaded: Promise<LoadedKey> | undefined;

  constructor(setting: KeySetting) {
    this.setting = setting;
  }

  /**
   * Reads the key.
   *
   * @throws {GraphError} `usage` or `refused` for a file or text that is not a key.
   */
  load(): Promise<LoadedKey> {
    return this.#loaded ??= this.#load();
  }

  async #load(): Promise<LoadedKey> {
    const { setting } = this;
    const bytes = "text" in setting
      ? parseKey(setting.text, setting.variable)
      : await readKeyFile(setting.file, setting.variable);
    const aes = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    const hmac = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    const label = new TextEncoder().encode("graph-scripts token cache: which key");
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", hmac, label));
    return { aes, check: signature.slice(0, 8).toBase64() };
  }
}

/**
 * Parses a key: 64 hex digits, or 44 characters of base64 or base64url.
 *
 * @param name Where the key comes from, for errors.
 * @throws {GraphError} `usage` for anything else.
 */
export function parseKey(given: string, name: string): Uint8Array<ArrayBuffer> {
  const invalid = (why: string) => usageError(`${name}: ${why}`, MAKE_KEY, "badKey");
  const text = given.replace(/\r?\n$/, "");
  if (text === "") throw invalid("the key is empty");
  if (/[\r\n]/.test(text)) throw invalid("the key has a line break; it must be one line");
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.fromHex(text);
  if (/^[\w+/-]{43}=$/.test(text)) {
    return Uint8Array.fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  }
  throw invalid(
    `the key has ${
      [...text].length
    } characters; it must be ${KEY_BYTES} bytes as 64 hex digits or 44 characters of base64`,
  );
}

async function readKeyFile(path: string, variable: string): Promise<Uint8Array<ArrayBuffer>> {
  const name = `the key file ${path} (${variable})`;
  const text = await readSecretFile(path, {
    name,
    hint: MAKE_KEY,
    maxBytes: MAX_KEY_FILE_BYTES,
    exposedHint: "if others may have read it, delete the token cache, make another key, and sign in again",
  });
  return parseKey(text, name);
}

/** Whether a JSON value is an encrypted cache, of this or a later version. */
export function isEncrypted(value: object): boolean {
  return "graphScriptsTokenCache" in value;
}

/** Encrypts with a fresh initialization vector. */
export async function encrypt(text: string, key: CacheKey): Promise<string> {
  const { aes, check } = await key.load();
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const header: Header = {
    graphScriptsTokenCache: VERSION,
    cipher: CIPHER,
    kdf: "none",
    keyCheck: check,
    iv: iv.toBase64(),
  };
  const algorithm = { name: "AES-GCM", iv, additionalData: authenticated(header) };
  const encrypted = await crypto.subtle.encrypt(algorithm, aes, new TextEncoder().encode(text));
  return JSON.stringify({ ...header, ciphertext: new Uint8Array(encrypted).toBase64() });
}

/**
 * Decrypts.
 *
 * @param value A value that {@linkcode isEncrypted} accepts.
 * @param path Of the file, for errors.
 * @throws {GraphError} `usage` without a key (code `noKey`) or with another one (`wrongKey`): not `signInNeeded`, since
 *   only a setting fixes that.
 * @throws {DecryptionError} when the key is right and the content is damaged.
 */
export async function decrypt(value: object, key: CacheKey | undefined, path: string): Promise<string> {
  const { header, ciphertext } = parse(value, path);
  if (!key) {
    throw usageError(
      `${path} is encrypted, and no key is set`,
      "set GRAPH_TOKEN_CACHE_KEY_FILE (or GRAPH_TOKEN_CACHE_KEY) to the key that it was encrypted with",
      "noKey",
    );
  }
  const { aes, check } = await key.load();
  try {
    const iv = Uint8Array.fromBase64(header.iv);
    const algorithm = { name: "AES-GCM", iv, additionalData: authenticated(header) };
    return new TextDecoder().decode(
      await crypto.subtle.decrypt(algorithm, aes, Uint8Array.fromBase64(ciphertext)),
    );
  } catch (error) {
    if (check !== header.keyCheck) throw wrongKey(path, key);
    throw new DecryptionError(`${path} is damaged`, { cause: error });
  }
}

function wrongKey(path: string, { setting }: CacheKey): GraphError {
  return usageError(
    `${path} is encrypted with another key than that of ${setting.variable}`,
    "use the key that it was encrypted with; if that is lost, delete the file and sign in again",
    "wrongKey",
  );
}

function parse(value: object, path: string): { header: Header; ciphertext: string } {
  const { ciphertext, ...header } = value as Header & { ciphertext: unknown };
  const { graphScriptsTokenCache: version, kdf } = header;
  if (typeof version === "number" && version > VERSION) {
    throw new GraphError("failed", `${path} was written by a later version of these scripts`, {
      code: "laterVersion",
      hint: "use that version; nothing was changed",
    });
  }
  if (version === VERSION && typeof kdf === "string" && kdf !== "none") {
    throw usageError(
      `${path} was encrypted with a pass phrase, which is no longer supported`,
      `delete it, set a key, and sign in again; ${MAKE_KEY}`,
      "passPhrase",
    );
  }
  const texts = [ciphertext, kdf, header.keyCheck, header.iv];
  if (version === VERSION && header.cipher === CIPHER && texts.every((text) => typeof text === "string")) {
    return { header, ciphertext: ciphertext as string };
  }
  throw new DecryptionError(`${path} is not an encrypted token cache`);
}

/** The header as authenticated data, in the order and shape of version 1: changing any of it makes decryption fail. */
function authenticated(header: Header): Uint8Array<ArrayBuffer> {
  const { graphScriptsTokenCache, cipher, kdf, keyCheck, iv } = header;
  return new TextEncoder().encode(JSON.stringify([graphScriptsTokenCache, cipher, { kdf }, keyCheck, iv]));
}
