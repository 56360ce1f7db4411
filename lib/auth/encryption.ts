/**
 * The encrypted form of the token cache: AES-256-GCM with a key of 32 bytes, in a JSON envelope.
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { readSecret } from "./credentials.ts";
import type { KeySetting } from "../settings.ts";

const VERSION = 1;
const CIPHER = "AES-256-GCM";
/** The key is used as it is. */
const KDF = "none";
/** NIST SP 800-38D: 96 random bits; one write an hour is far from its limit of 2³² for one key. */
const IV_BYTES = 12;
const MAKE_KEY = "make a key with: (umask 077; openssl rand -base64 32 > FILE)";

/** A key that is ready for use. */
export interface CacheKey {
  aes: CryptoKey;
  /** Identifies the key without revealing it. */
  check: string;
  /** The variable that it comes from, for errors. */
  variable: string;
}

/** Reads a key from its file or variable. */
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

async function readKeyFile(path: string, variable: string): Promise<Uint8Array<ArrayBuffer>> {
  const name = `the key file ${path} (${variable})`;
  const exposedHint =
    "if others may have read it, delete the token cache, make another key, and sign in again";
  return parseKey(await readSecret(path, { name, hint: MAKE_KEY, exposedHint }), name);
}

/** Parses a key: 64 hex digits, or 44 characters of base64 or base64url; `name` is for errors. */
export function parseKey(given: string, name: string): Uint8Array<ArrayBuffer> {
  const invalid = (why: string) => usageError(`${name}: the key ${why}`, MAKE_KEY, "badKey");
  const text = given.replace(/\r?\n$/, "");
  if (text === "") throw invalid("is empty");
  if (/[\r\n]/.test(text)) throw invalid("has a line break; it must be one line");
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.fromHex(text);
  if (/^[\w+/-]{43}=$/.test(text)) {
    return Uint8Array.fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
  }
  const { length } = [...text];
  throw invalid(`has ${length} characters; it must be 32 bytes as 64 hex digits or 44 characters of base64`);
}

/** Whether a JSON value is an encrypted cache, of this or a later version. */
export function isEncrypted(value: object): boolean {
  return "graphScriptsTokenCache" in value;
}

/** Encrypts with a fresh initialization vector. */
export async function encrypt(text: string, { aes, check }: CacheKey): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES)).toBase64();
  const bytes = await crypto.subtle.encrypt(gcm(check, iv), aes, new TextEncoder().encode(text));
  const ciphertext = new Uint8Array(bytes).toBase64();
  const header = { graphScriptsTokenCache: VERSION, cipher: CIPHER, kdf: KDF, keyCheck: check, iv };
  return JSON.stringify({ ...header, ciphertext });
}

/**
 * Decrypts a value that {@linkcode isEncrypted} accepts.
 *
 * @returns `undefined` when the content is damaged.
 * @throws {GraphError} `usage` without a key (code `noKey`) or with another one (`wrongKey`): not `signInNeeded`, since
 *   only a setting fixes that.
 */
export async function decrypt(
  value: Record<string, unknown>,
  key: CacheKey | undefined,
  path: string,
): Promise<string | undefined> {
  const { graphScriptsTokenCache: version, cipher, kdf, keyCheck, iv, ciphertext } = value;
  if (typeof version === "number" && version > VERSION) {
    const hint = "use that version; nothing was changed";
    const message = `${path} was written by a later version of these scripts`;
    throw new GraphError("failed", message, { code: "laterVersion", hint });
  }
  if (version !== VERSION || cipher !== CIPHER || kdf !== KDF) return undefined;
  if (typeof keyCheck !== "string" || typeof iv !== "string" || typeof ciphertext !== "string") {
    return undefined;
  }
  if (!key) {
    throw usageError(
      `${path} is encrypted, and no key is set`,
      "set GRAPH_TOKEN_CACHE_KEY_FILE (or GRAPH_TOKEN_CACHE_KEY) to the key that it was encrypted with",
      "noKey",
    );
  }
  try {
    const bytes = await crypto.subtle.decrypt(gcm(keyCheck, iv), key.aes, Uint8Array.fromBase64(ciphertext));
    return new TextDecoder().decode(bytes);
  } catch {
    if (key.check === keyCheck) return undefined;
    throw usageError(
      `${path} is encrypted with another key than that of ${key.variable}`,
      "use the key that it was encrypted with; if that is lost, delete the file and sign in again",
      "wrongKey",
    );
  }
}

/** Authenticates the header: changing any part of it makes decryption fail. */
function gcm(keyCheck: string, iv: string): AesGcmParams {
  const header = JSON.stringify([VERSION, CIPHER, { kdf: KDF }, keyCheck, iv]);
  const additionalData = new TextEncoder().encode(header);
  return { name: "AES-GCM", iv: Uint8Array.fromBase64(iv), additionalData };
}
