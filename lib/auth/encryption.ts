/**
 * The encrypted form of the token cache: AES-256-GCM with a key of 32 bytes, in a JSON envelope.
 *
 * @module
 */
import { usageError } from "../errors.ts";
import { readSecret } from "./credentials.ts";
import type { KeySetting } from "../settings.ts";

/** The key is used as it is, without a derivation. */
const HEADER = { graphScriptsTokenCache: 1, cipher: "AES-256-GCM", kdf: "none" };
/** NIST SP 800-38D: 96 random bits; one write an hour is far from its limit of 2³² for one key. */
const IV_BYTES = 12;
const MAKE_KEY = "make a key with: (umask 077; openssl rand -base64 32 > FILE)";

export interface CacheKey {
  aes: CryptoKey;
  /** The variable that it comes from, for errors. */
  variable: string;
}

export async function loadKey(setting: KeySetting): Promise<CacheKey> {
  const { variable } = setting;
  const isText = "text" in setting;
  const name = isText ? variable : `the key file ${setting.file} (${variable})`;
  const text = isText ? setting.text : await readSecret(setting.file, { name, hint: MAKE_KEY });
  const bytes = parseKey(text, name);
  return {
    aes: await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]),
    variable,
  };
}

/** Parses a key: 64 hex digits, or 44 characters of base64; `name` is for errors. */
export function parseKey(given: string, name: string): Uint8Array<ArrayBuffer> {
  const text = given.replace(/\r?\n$/, "");
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.fromHex(text);
  if (/^[a-z0-9+/]{43}=$/i.test(text)) return Uint8Array.fromBase64(text);
  const why = `${name}: the key must be one line of 64 hex digits or 44 characters of base64`;
  throw usageError(why, MAKE_KEY, "badKey");
}

export function isEncrypted(value: object): boolean {
  return "graphScriptsTokenCache" in value;
}

/** Encrypts with a fresh initialization vector. */
export async function encrypt(text: string, { aes }: CacheKey): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES)).toBase64();
  const bytes = await crypto.subtle.encrypt(gcm("", iv), aes, new TextEncoder().encode(text));
  const ciphertext = new Uint8Array(bytes).toBase64();
  return JSON.stringify({ ...HEADER, keyCheck: "", iv, ciphertext });
}

/**
 * Decrypts a value that {@linkcode isEncrypted} accepts.
 *
 * @throws {GraphError} `usage` without its key: not `signInNeeded`, since only a setting fixes that.
 */
export async function decrypt(
  { keyCheck, iv, ciphertext }: Record<string, unknown>,
  key: CacheKey | undefined,
  path: string,
): Promise<string> {
  if (!key) {
    throw usageError(
      `${path} is encrypted, and no key is set`,
      "set GRAPH_TOKEN_CACHE_KEY_FILE (or GRAPH_TOKEN_CACHE_KEY) to the key that it was encrypted with",
      "noKey",
    );
  }
  try {
    const algorithm = gcm(String(keyCheck), String(iv));
    const bytes = await crypto.subtle.decrypt(algorithm, key.aes, Uint8Array.fromBase64(String(ciphertext)));
    return new TextDecoder().decode(bytes);
  } catch {
    throw usageError(
      `${path} cannot be decrypted with the key of ${key.variable}`,
      "use the key that it was encrypted with; if that is lost, or the file is damaged, delete it and sign in again",
      "wrongKey",
    );
  }
}

/** Authenticates the header. Version 0.1.0 wrote a check value of the key. */
function gcm(keyCheck: string, iv: string): AesGcmParams {
  const { graphScriptsTokenCache: version, cipher, kdf } = HEADER;
  const additionalData = new TextEncoder().encode(JSON.stringify([version, cipher, { kdf }, keyCheck, iv]));
  return { name: "AES-GCM", iv: Uint8Array.fromBase64(iv), additionalData };
}
