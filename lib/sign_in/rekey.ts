/**
 * Another key for the token cache.
 *
 * @module
 */
import { resolve } from "../std.ts";
import { CacheKey } from "./cache_key.ts";
import { usageError } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { TokenCache } from "./token_cache.ts";

/** What was done, and what must follow in the environment. */
export interface Rekeyed {
  /** Path of the token cache. */
  cache: string;
  encrypted: boolean;
  /** Variables to set from now on. */
  set: Record<string, string>;
  /** Variables to unset from now on. */
  unset: string[];
}

const KEYS = ["GRAPH_TOKEN_CACHE_KEY", "GRAPH_TOKEN_CACHE_KEY_FILE", "GRAPH_TOKEN_CACHE_NEW_KEY_FILE"];

/**
 * Reads the token cache with the present key and writes it with the one of `GRAPH_TOKEN_CACHE_NEW_KEY_FILE`, or in clear.
 * Other processes wait meanwhile; a kill leaves the old file or the new one.
 *
 * @throws {GraphError} `usage` when it is not clear what is meant; then, and with a key that does not fit, nothing is changed.
 */
export async function rekeyTokenCache(
  settings: Settings,
  to: "newKey" | "clear",
  { signal, notice }: { signal?: AbortSignal; notice: (text: string) => void },
): Promise<Rekeyed> {
  const { tokenCache: path, tokenCacheKey: present, tokenCacheNewKeyFile: file } = settings;
  const next = to === "clear" ? undefined : nextKey(present, file);
  if (to === "clear") checkDecrypt(present, file);
  const key = present && new CacheKey(present);
  const cache = new TokenCache({ path, key, now: Date.now, notice });
  await cache.replaceKey(next, signal);
  const set: Record<string, string> = next && file ? { GRAPH_TOKEN_CACHE_KEY_FILE: resolve(file) } : {};
  return { cache: path, encrypted: next !== undefined, set, unset: KEYS.filter((name) => !(name in set)) };
}

function nextKey(present: Settings["tokenCacheKey"], file: string | undefined): CacheKey {
  if (file === undefined) {
    throw usageError(
      "--rekey: GRAPH_TOKEN_CACHE_NEW_KEY_FILE is not set",
      "set it to the file of the new key, and leave the present key as it is; --decrypt writes the cache in clear",
      "noNewKey",
    );
  }
  if (present && "file" in present && present.file === file) {
    throw usageError(
      `--rekey: the new key file is the present one, ${file}`,
      "put the new key into a file of its own: the present one is needed to read the cache",
      "sameKey",
    );
  }
  return new CacheKey({ variable: "GRAPH_TOKEN_CACHE_NEW_KEY_FILE", file });
}

function checkDecrypt(present: Settings["tokenCacheKey"], file: string | undefined): void {
  if (file !== undefined) {
    throw usageError(
      "--decrypt: GRAPH_TOKEN_CACHE_NEW_KEY_FILE is set",
      "unset it to write the cache in clear, or use --rekey to encrypt it with the new key",
      "newKeySet",
    );
  }
  if (!present) {
    throw usageError("--decrypt: no key is set", "set the key that the cache was encrypted with", "noKey");
  }
}
