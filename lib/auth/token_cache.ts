/**
 * The token cache file: private, replaced as a whole, changed by one process at a time, encrypted if a key is set. And the
 * token of a session: kept while it is valid, and renewed once for all that need it.
 *
 * @module
 */
import { type CacheContent, type CachedToken, MIN_LIFE_MS, parseCacheContent } from "./cache_content.ts";
import { type CacheKey, decrypt, encrypt, isEncrypted, loadKey } from "./encryption.ts";
import type { AuthContext, TokenRefresh } from "./session.ts";
import { isGraphError, usageError } from "../errors.ts";
import { parseJsonObject } from "../json.ts";
import { toGraphError } from "../local/local_error.ts";
import { ifExists } from "../local/local_file.ts";
import { acquireLock } from "../local/lock.ts";
import { checkFolder, readPrivateFile, removeLeftovers, writePrivateFile } from "../local/private_file.ts";

/** Longer than a renewal with all its retries. */
const MAX_LOCK_WAIT_MS = 120_000;

interface CacheState {
  state: "absent" | "plaintext" | "encrypted";
  /** In MSAL's format; may be empty. */
  text: string;
  content: CacheContent;
}

/** The cache while other processes wait; disposing of it releases the lock. */
export interface LockedCache extends AsyncDisposable {
  /** Replaces the file with a text in MSAL's format. */
  write(text: string): Promise<void>;
  /** Deletes the file, so that the next sign-in may use another key. */
  remove(): Promise<void>;
}

/** Reads a token cache and changes nothing; throws what `readPrivateFile` and `decrypt` throw. */
export async function readTokenCache(path: string, key: CacheKey | undefined): Promise<CacheState> {
  const text = await readPrivateFile(path);
  if (text === undefined) return { state: "absent", text: "", content: {} };
  const value = parseJsonObject(text.trim() || "{}");
  const plaintext = value && isEncrypted(value) ? await decrypt(value, key, path) : text;
  const content = parseCacheContent(parseJsonObject(plaintext.trim() || "{}"));
  if (content) return { state: plaintext === text ? "plaintext" : "encrypted", text: plaintext, content };
  const hint = "delete it, or choose another file with GRAPH_TOKEN_CACHE, then sign in again";
  throw usageError(`${path} is not a token cache`, hint, "badCache"); // MSAL would throw after the user has signed in
}

/**
 * The token cache. Reading needs no lock; all changes are made between {@linkcode TokenCache.lock} and its disposal.
 *
 * A disk that cannot be written is no obstacle: a refreshed token serves its run, and the refresh token in the file stays
 * valid (PROTOCOL 13.3). A file system without locks is left to `acquireLock`, which warns and continues.
 */
export class TokenCache {
  readonly path: string;
  readonly now: () => number;
  readonly #context: AuthContext;
  #key: Promise<CacheKey> | undefined;
  #last: CacheState = { state: "absent", text: "", content: {} };

  constructor(context: AuthContext) {
    this.path = context.settings.tokenCache;
    this.now = context.http.now;
    this.#context = context;
  }

  /** What was last read or written. */
  get last(): CacheState {
    return this.#last;
  }

  /** Reads the file; a plaintext one is encrypted if a key is set. */
  async load(): Promise<void> {
    await this.#read();
    if (!this.#mustEncrypt) return;
    try {
      await using _file = await this.lock();
    } catch (error) {
      if (isGraphError(error) && error.kind === "interrupted") throw error;
      this.#context.notice(`${this.path} could not be encrypted: ${toGraphError(error).message}`);
    }
  }

  /** Takes the lock and reads what other processes wrote; throws `unavailable`, code `locked`, after two minutes. */
  async lock(): Promise<LockedCache> {
    return (await this.#lockUnless())!;
  }

  /** Replaces the file; a failure is only a notice, and this process continues with the text in memory. */
  async writeOrWarn(file: LockedCache, text: string): Promise<void> {
    try {
      await file.write(text);
    } catch (error) {
      this.#remember(text);
      const why = toGraphError(error).message;
      this.#context.notice(`the sign-in works for this run, but cannot be kept in ${this.path}: ${why}`);
    }
  }

  /**
   * Lets one process renew a token that many need: the others wait, and find it in the file. Where no lock can be made, each
   * process renews it for itself.
   */
  async renewOnce<T>(find: () => T | undefined, renew: (file: LockedCache) => Promise<T>): Promise<T> {
    const isDone = async () => {
      await this.#read();
      return find() !== undefined;
    };
    await using file = await this.#lockUnless(isDone).catch(async (error) => {
      if (isGraphError(error)) throw error;
      await this.#read();
      const reject = () => Promise.reject(error);
      return { write: reject, remove: reject, [Symbol.asyncDispose]: () => Promise.resolve() };
    });
    return find() ?? await renew(file!); // not locked only if it is done
  }

  async #lockUnless(isDone?: () => Promise<boolean>): Promise<LockedCache | undefined> {
    const { http: { signal, deadline }, notice } = this.#context;
    const timeoutMs = Math.min(MAX_LOCK_WAIT_MS, deadline.limitMs);
    const lock = await acquireLock(this.path, { timeoutMs, signal, notice, isDone });
    if (!lock) return undefined;
    try {
      await checkFolder(this.path);
      await removeLeftovers(this.path);
      await this.#readAndEncrypt();
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
    return {
      write: (text) => this.#write(text),
      remove: () => this.#remove(),
      [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
    };
  }

  #loadKey(): Promise<CacheKey> | undefined {
    const { tokenCacheKey } = this.#context.settings;
    return this.#key ??= tokenCacheKey && loadKey(tokenCacheKey);
  }

  async #write(text: string): Promise<void> {
    const key = await this.#loadKey();
    await writePrivateFile(this.path, key ? await encrypt(text, key) : text);
    this.#remember(text);
  }

  async #remove(): Promise<void> {
    await ifExists(Deno.remove(this.path));
    this.#last = { state: "absent", text: "", content: {} };
  }

  #remember(text: string): void {
    const content = parseCacheContent(parseJsonObject(text)) ?? {};
    this.#last = { state: this.#key ? "encrypted" : "plaintext", text, content };
  }

  async #read(): Promise<void> {
    const key = await this.#loadKey(); // an invalid key is an error even where the file is plaintext or absent
    this.#last = await readTokenCache(this.path, key);
  }

  get #mustEncrypt(): boolean {
    return this.#last.state === "plaintext" && this.#last.text !== "" && this.#key !== undefined;
  }

  /** At once rather than with the next renewal: a user who sets a key expects no plaintext tokens on the disk. */
  async #readAndEncrypt(): Promise<void> {
    await this.#read();
    if (!this.#mustEncrypt) return; // another process was faster
    await this.#write(this.#last.text);
    const done = `the token cache ${this.path} is now encrypted; earlier copies, as in backups, are not`;
    this.#context.notice(done);
  }
}

export interface TokenProvider {
  cache: TokenCache;
  /** Finds a token in what was read last that is valid for five more minutes. */
  find(): CachedToken | undefined;
  /** Gets a token from the service without a user, while the cache is locked. */
  acquire(file: LockedCache, refresh: TokenRefresh | undefined): Promise<CachedToken>;
  /** Gets a token where `acquire` failed, or throws. The cache is not locked, since a user may take minutes. */
  recover?(error: unknown, refresh: TokenRefresh | undefined): Promise<CachedToken>;
}

export class TokenRenewal {
  readonly #provider: TokenProvider;
  #current: CachedToken | undefined;
  #pending: Promise<CachedToken> | undefined;

  constructor(provider: TokenProvider) {
    this.#provider = provider;
  }

  /** The last token, which may have expired. */
  get current(): CachedToken | undefined {
    return this.#current;
  }

  /** Forgets the token, also one that is on its way. */
  reset(): void {
    this.#current = undefined;
    this.#pending = undefined;
  }

  /** Returns the current token, or renews it; requests that need one at the same time share the renewal. */
  async get(refresh?: TokenRefresh): Promise<CachedToken> {
    const current = this.#current;
    const isValid = current && current.expiresAt - this.#provider.cache.now() > MIN_LIFE_MS;
    if (current && (refresh ? current.secret !== refresh.refused : isValid)) return current;
    const pending = this.#pending ??= this.#renew(refresh);
    try {
      const token = await pending;
      if (this.#pending === pending) this.#current = token;
      return token;
    } finally {
      if (this.#pending === pending) this.#pending = undefined;
    }
  }

  async #renew(refresh: TokenRefresh | undefined): Promise<CachedToken> {
    const provider = this.#provider;
    if (!refresh) {
      await provider.cache.load();
      const token = provider.find();
      if (token) return token;
    }
    // Another process may have renewed the token, but not for these claims.
    const find = () => {
      const token = provider.find();
      return token && !refresh?.claims && token.secret !== refresh?.refused ? token : undefined;
    };
    try {
      return await provider.cache.renewOnce(find, (file) => provider.acquire(file, refresh));
    } catch (error) {
      if (provider.recover) return await provider.recover(error, refresh);
      throw error;
    }
  }
}
