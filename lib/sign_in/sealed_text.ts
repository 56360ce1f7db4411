/**
 * Text encrypted with AES-256-GCM, in JSON that says how: who has the key needs nothing but the file to read it.
 *
 * @module
 */
import { type CacheKey, fromBase64, type KeyDerivation, toBase64 } from "./cache_key.ts";
import { GraphError, usageError } from "../errors.ts";

const VERSION = 1;
const CIPHER = "AES-256-GCM";
/** NIST SP 800-38D: 96 random bits, never used twice with one key; a renewal an hour is far from its limit of 2³². */
const IV_BYTES = 12;
/** A file that asks for more would keep a program busy for minutes. */
const MOST_ITERATIONS = 10_000_000;
/** Below it the file is not one of ours. */
const LEAST_ITERATIONS = 600_000;

type Header =
  & { graphScriptsTokenCache: number; cipher: string; keyCheck: string; iv: string }
  & KeyDerivation;

/** A sealed text whose key fits, but not its content: it is damaged. */
export class DamagedSeal extends Error {
  override readonly name = "DamagedSeal";
}

/** Whether a JSON value is a sealed text, also one of a later version. */
export function isSealed(value: object): boolean {
  return "graphScriptsTokenCache" in value;
}

/** Encrypts; each call uses a fresh initialization vector. */
export async function seal(text: string, key: CacheKey, derivation: KeyDerivation): Promise<string> {
  const derived = await key.derive(derivation);
  if (!derived) throw new TypeError("a derivation for another kind of key");
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const header: Header = {
    graphScriptsTokenCache: VERSION,
    cipher: CIPHER,
    ...derivation,
    keyCheck: await derived.check(),
    iv: toBase64(iv),
  };
  const algorithm = { name: "AES-GCM", iv, additionalData: authenticated(header) };
  const encrypted = await crypto.subtle.encrypt(algorithm, derived.aes, new TextEncoder().encode(text));
  return JSON.stringify({ ...header, ciphertext: toBase64(new Uint8Array(encrypted)) });
}

/**
 * Decrypts.
 *
 * @param sealed What {@linkcode isSealed} knows for one.
 * @param path Of the file, for errors.
 * @throws {GraphError} `usage` without a key (code `noKey`) or with another one (`wrongKey`): a setting mends that, and no
 * sign-in does, so it is not `signInNeeded`.
 * @throws {DamagedSeal} when the key is right and the content is not.
 */
export async function unseal(
  sealed: object,
  key: CacheKey | undefined,
  path: string,
): Promise<{ text: string; derivation: KeyDerivation }> {
  const { header, ciphertext } = parse(sealed, path);
  if (!key) {
    throw usageError(
      `${path} is encrypted, and no key is set`,
      "set GRAPH_TOKEN_CACHE_KEY_FILE (or GRAPH_TOKEN_CACHE_KEY) to the key that it was encrypted with",
      "noKey",
    );
  }
  const derivation = derivationOf(header);
  const derived = await key.derive(derivation);
  if (!derived) throw wrongKey(path, key);
  try {
    const algorithm = {
      name: "AES-GCM",
      iv: fromBase64(header.iv),
      additionalData: authenticated(header),
    };
    const text = await crypto.subtle.decrypt(algorithm, derived.aes, fromBase64(ciphertext));
    return { text: new TextDecoder().decode(text), derivation };
  } catch (error) {
    if (await derived.check() !== header.keyCheck) throw wrongKey(path, key);
    throw new DamagedSeal(`${path} does not match its seal`, { cause: error });
  }
}

function wrongKey(path: string, { setting }: CacheKey): GraphError {
  return usageError(
    `${path} is encrypted with another key than that of ${setting.variable}`,
    "give the key that it was encrypted with; if that is lost, delete the file and sign in again",
    "wrongKey",
  );
}

function parse(sealed: object, path: string): { header: Header; ciphertext: string } {
  const { ciphertext, ...header } = sealed as Header & { ciphertext: unknown };
  const { graphScriptsTokenCache: version } = header;
  if (typeof version === "number" && version > VERSION) {
    throw new GraphError("failed", `${path} was written by a later version of these scripts`, {
      code: "laterVersion",
      hint: "use that version; nothing was changed",
    });
  }
  const sound = version === VERSION && header.cipher === CIPHER && typeof ciphertext === "string" &&
    typeof header.keyCheck === "string" && typeof header.iv === "string" && isDerivation(header);
  if (!sound) throw new DamagedSeal(`${path} is no sealed text`);
  return { header, ciphertext };
}

function isDerivation(header: Header): boolean {
  if (header.kdf === "none") return true;
  return header.kdf === "PBKDF2-SHA-256" && Number.isSafeInteger(header.iterations) &&
    header.iterations >= LEAST_ITERATIONS && header.iterations <= MOST_ITERATIONS &&
    /^[A-Za-z0-9+/]{22}==$/.test(header.salt);
}

function derivationOf(header: Header): KeyDerivation {
  return header.kdf === "none"
    ? { kdf: "none" }
    : { kdf: header.kdf, iterations: header.iterations, salt: header.salt };
}

/** All that is not secret, in one order; a change of any of it makes the content unreadable. */
function authenticated(header: Header): Uint8Array<ArrayBuffer> {
  const { graphScriptsTokenCache, cipher, keyCheck, iv } = header;
  const facts = [graphScriptsTokenCache, cipher, derivationOf(header), keyCheck, iv];
  return new TextEncoder().encode(JSON.stringify(facts));
}
