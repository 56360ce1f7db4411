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
  /** Always "none": the key is used as it is. */
  kdf: string;
  keyCheck: string;
  iv: string;
}

/** A key that is ready for use. */
export interface CacheKey {
  aes: CryptoKey;
  /** Tells keys apart without revealing them. */
  check: string;
  /** The variable that it comes from, for errors. */
  variable: string;
}

/** The key is right, but the content is damaged. */
export class DecryptionError extends Error {
  override readonly name = "DecryptionError";
}

/**
 * Reads a key.
 *
 * @throws {GraphError} `usage` or `refused` for a file or text that is not a key.
 */
export async function loadKey(setting: KeySetting): Promise<CacheKey> {
  const { variable } = setting;
  const bytes = "text" in setting
    ? parseKey(setting.text, variable)
    : await readKeyFile(setting.file, variable);
  const aes = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const hmac = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  const label = new TextEncoder().encode("graph-scripts token cache: which key");
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", hmac, label));
  return { aes, check: signature.slice(0, 8).toBase64(), variable };
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
  const { length } = [...text];
  throw invalid(
    `the key has ${length} characters; it must be ${KEY_BYTES} bytes as 64 hex digits or 44 characters of base64`,
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
export async function encrypt(text: string, { aes, check }: CacheKey): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const header: Header = {
    graphScriptsTokenCache: VERSION,
    cipher: CIPHER,
    kdf: "none",
    keyCheck: check,
    iv: iv.toBase64(),
  };
  const encrypted = await crypto.subtle.encrypt(gcm(header), aes, new TextEncoder().encode(text));
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
  const { ciphertext, ...header } = parseEnvelope(value, path);
  if (!key) {
    throw usageError(
      `${path} is encrypted, and no key is set`,
      "set GRAPH_TOKEN_CACHE_KEY_FILE (or GRAPH_TOKEN_CACHE_KEY) to the key that it was encrypted with",
      "noKey",
    );
  }
  try {
    const bytes = Uint8Array.fromBase64(ciphertext);
    return new TextDecoder().decode(await crypto.subtle.decrypt(gcm(header), key.aes, bytes));
  } catch (error) {
    if (key.check === header.keyCheck) throw new DecryptionError(`${path} is damaged`, { cause: error });
    throw usageError(
      `${path} is encrypted with another key than that of ${key.variable}`,
      "use the key that it was encrypted with; if that is lost, delete the file and sign in again",
      "wrongKey",
    );
  }
}

function parseEnvelope(value: object, path: string): Header & { ciphertext: string } {
  const envelope = value as Header & { ciphertext: string };
  const { graphScriptsTokenCache: version, cipher, kdf, keyCheck, iv, ciphertext } = envelope;
  if (typeof version === "number" && version > VERSION) {
    throw new GraphError("failed", `${path} was written by a later version of these scripts`, {
      code: "laterVersion",
      hint: "use that version; nothing was changed",
    });
  }
  const isKnown = version === VERSION && cipher === CIPHER && kdf === "none" &&
    [keyCheck, iv, ciphertext].every((text) => typeof text === "string");
  if (!isKnown) throw new DecryptionError(`${path} is not an encrypted token cache`);
  return envelope;
}

/** Authenticates the header, in the order and shape of version 1: changing any of it makes decryption fail. */
function gcm({ graphScriptsTokenCache, cipher, kdf, keyCheck, iv }: Header): AesGcmParams {
  const header = JSON.stringify([graphScriptsTokenCache, cipher, { kdf }, keyCheck, iv]);
  return {
    name: "AES-GCM",
    iv: Uint8Array.fromBase64(iv),
    additionalData: new TextEncoder().encode(header),
  };
}
