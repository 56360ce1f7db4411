/**
 * The file behind a sign-in: private, replaced whole, changed by one process at a time, encrypted if there is a key.
 *
 * @module
 */
import {
  type CacheContent,
  type CachedAccount,
  type CachedToken,
  findAppToken,
  findToken,
  jsonObject,
  listAccounts,
  parseCacheContent,
  type TokenQuery,
  withoutAccounts,
  withoutClient,
} from "./cache_content.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { acquireLock, acquireLockUnless, type LockOptions } from "../local/lock.ts";
import { toGraphError } from "../local/local_error.ts";
import {
  checkFolder,
  moveAside,
  readPrivateFile,
  removeLeftovers,
  writePrivateFile,
} from "../local/private_file.ts";
import { type CacheKey, decrypt, DecryptionError, encrypt, isEncrypted } from "./encryption.ts";

/** Longer than a renewal with all its retries. */
const LOCK_TIMEOUT_MS = 120_000;

/** The file as it was last read or written. */
type Snapshot = { text: string; content: CacheContent; encrypted: boolean };

/** How {@linkcode TokenCache} works. */
export interface TokenCacheOptions {
  path: string;
  /** Encrypts the file; without it the file is in clear. */
  key?: CacheKey | undefined;
  /** The clock, in milliseconds since 1970. */
  now: () => number;
  /** Longest wait for another process, in milliseconds; 2 minutes at most. */
  lockTimeoutMs: number;
  /** Told what a person should know, such as a file that was set aside. */
  notice: (text: string) => void;
}

/** What {@linkcode TokenCache.inspect} finds. */
export interface CacheInspection {
  state: "absent" | "unreadable" | "clear" | "encrypted";
  /** Empty where there is none that could be read. */
  content: CacheContent;
}

/** The token cache file. What is asked of it is answered from what {@linkcode TokenCache.load} read last. */
export class TokenCache {
  readonly path: string;
  readonly #options: TokenCacheOptions;
  #snapshot: Snapshot | undefined;
  /** What could not be written, so that at least this process goes on with it. */
  #unsaved: Snapshot | undefined;
  #held = false;
  #version: string | undefined;
  /** Why there is no lock, while work goes on without one. */
  #noLock: unknown;

  constructor(options: TokenCacheOptions) {
    this.path = options.path;
    this.#options = options;
  }

  /** The content in MSAL's format; `undefined` when there was no file, or none that could be read. */
  get text(): string | undefined {
    return this.#snapshot?.text;
  }

  /** The signed-in accounts of one client in one cloud. */
  accounts(clientId: string, environment: string): CachedAccount[] {
    return listAccounts(this.#snapshot?.content ?? {}, clientId, environment);
  }

  /** Forgets accounts of one client in one cloud. Called while the file is held. */
  async forget(clientId: string, environment: string, accounts: readonly CachedAccount[]): Promise<void> {
    const content = this.#snapshot?.content ?? {};
    await this.write(JSON.stringify(withoutAccounts(content, clientId, environment, accounts)));
  }

  /** Forgets everything of one client in one cloud. Called while the file is held. */
  async forgetAll(clientId: string, environment: string): Promise<void> {
    if (this.#snapshot === undefined) return;
    const { content, text } = this.#snapshot;
    const left = JSON.stringify(withoutClient(content, clientId, environment));
    if (text !== "" && left !== JSON.stringify(content)) await this.write(left);
  }

  /** A token that is good for five more minutes. */
  find(query: TokenQuery): CachedToken | undefined {
    return findToken(this.#snapshot?.content ?? {}, query, this.#options.now());
  }

  /** A token of an app by itself that is good for five more minutes. */
  findApp(query: Parameters<typeof findAppToken>[1]): CachedToken | undefined {
    return findAppToken(this.#snapshot?.content ?? {}, query, this.#options.now());
  }

  /** Whether this object works with the file just now, and knows whether others can. */
  get busy(): boolean {
    return this.#held || this.#noLock !== undefined;
  }

  /**
   * Reads the file. One that cannot be understood is set aside; one in clear is encrypted, if there is a key.
   *
   * @throws {GraphError} what {@linkcode readPrivateFile} and {@linkcode decrypt} throw; nothing is changed then.
   */
  async load(): Promise<void> {
    await this.#options.key?.load(); // an invalid key is an error, never a reason to work with a plaintext cache
    const read = this.#unsaved ?? await this.#read();
    this.#snapshot = read === "unreadable" ? undefined : read;
    if (read === "unreadable") await this.#mend(() => this.#putAside());
    else if (this.#options.key && isClear(read)) await this.#mend(() => this.#encrypt());
  }

  /**
   * Looks at the file and leaves it as it is: nothing is set aside, encrypted or made.
   *
   * @throws {GraphError} what {@linkcode TokenCache.load} throws.
   */
  async inspect(): Promise<CacheInspection> {
    const read = await this.#read();
    if (read === "unreadable") return { state: "unreadable", content: {} };
    if (read === undefined) return { state: "absent", content: {} };
    return { state: read.encrypted ? "encrypted" : "clear", content: read.content };
  }

  /**
   * Replaces the file.
   *
   * @param text In MSAL's format.
   */
  async write(text: string): Promise<void> {
    if (!this.#held) throw this.#noLock ?? new TypeError("the token cache is written without its lock");
    const { key } = this.#options;
    await writePrivateFile(this.path, key ? await encrypt(text, key) : text);
    this.#snapshot = snapshotOf(text, key !== undefined);
    this.#unsaved = undefined;
  }

  /** As {@linkcode TokenCache.write}; what goes wrong is told, and this process goes on with what it has. */
  async writeOrWarn(text: string): Promise<void> {
    try {
      await this.write(text);
    } catch (error) {
      this.#unsaved = snapshotOf(text, this.#snapshot?.encrypted ?? false);
      this.#snapshot = this.#unsaved;
      this.#options.notice(
        `the sign-in is good for this run, but could not be kept in ${this.path}: ${
          toGraphError(error).message
        }`,
      );
    }
  }

  /**
   * Holds off other processes, reads what they wrote, and leaves the file to them again on disposal.
   *
   * @throws {GraphError} `unavailable`, code `locked`, after two minutes; what {@linkcode TokenCache.load} throws.
   */
  async hold(signal: AbortSignal | undefined): Promise<AsyncDisposable> {
    return await this.#holding(await acquireLock(this.path, this.#waiting(signal)));
  }

  #waiting(signal: AbortSignal | undefined): LockOptions {
    return {
      timeoutMs: Math.min(LOCK_TIMEOUT_MS, this.#options.lockTimeoutMs),
      signal,
      notice: this.#options.notice,
    };
  }

  async #holding(lock: AsyncDisposable): Promise<AsyncDisposable> {
    const release = async () => {
      this.#held = false;
      await lock[Symbol.asyncDispose]();
    };
    try {
      this.#held = true;
      await checkFolder(this.path);
      await removeLeftovers(this.path);
      await this.load();
    } catch (error) {
      await release();
      throw error;
    }
    return { [Symbol.asyncDispose]: release };
  }

  /** Runs `body` while the file is held. */
  async withLock<T>(signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
    await using _hold = await this.hold(signal);
    return await body();
  }

  /**
   * Lets one process renew what many need: the others wait, and find it in the file.
   *
   * Where no lock can be made, each renews for itself: on a read-only disk a renewed token is good for its run, and the
   * refresh token of the file lives on (PROTOCOL 13.3). Nothing is written then.
   *
   * @param found Looks for it in what was read last.
   * @param renew Called while the file is held.
   */
  async refreshOnce<T>(
    signal: AbortSignal | undefined,
    found: () => T | undefined,
    renew: () => Promise<T>,
  ): Promise<T> {
    let hold: AsyncDisposable | undefined;
    let other: T | undefined;
    try {
      const isFound = async () => await this.#reloadIfChanged() && (other = found()) !== undefined;
      const lock = await acquireLockUnless(this.path, this.#waiting(signal), isFound);
      if (!lock) return other!;
      hold = await this.#holding(lock);
    } catch (error) {
      if (isGraphError(error)) throw error;
      this.#noLock = error;
      await this.load();
    }
    try {
      return found() ?? await renew();
    } finally {
      await hold?.[Symbol.asyncDispose]();
      this.#noLock = undefined;
    }
  }

  /**
   * Finds out before a person signs in whether the sign-in can be kept.
   *
   * @throws {GraphError} when it cannot.
   */
  async checkWritable(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#options.key?.load();
      await this.withLock(signal, () => Promise.resolve());
    } catch (error) {
      if (isGraphError(error)) throw error;
      const { kind, code, message } = toGraphError(error);
      throw new GraphError(kind, `a sign-in could not be kept in ${this.path}: ${message}`, {
        code,
        hint: "make its folder writable, or choose another file with GRAPH_TOKEN_CACHE",
        cause: error,
      });
    }
  }

  /** Whether the file is another one than when this was asked last; then it is read. */
  async #reloadIfChanged(): Promise<boolean> {
    let version: string;
    try {
      const { ino, mtime } = await Deno.stat(this.path);
      version = `${ino} ${mtime?.getTime()}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
    if (version === this.#version) return false;
    this.#version = version;
    await this.load();
    return true;
  }

  async #read(): Promise<Snapshot | "unreadable" | undefined> {
    const text = await readPrivateFile(this.path);
    if (text === undefined) return undefined;
    // MSAL accepts an empty file but throws raw TypeErrors on others, after the person has signed in.
    if (text.trim() === "") return { text: "", content: {}, encrypted: false };
    const value = jsonObject(text);
    if (!value) return "unreadable";
    if (!isEncrypted(value)) {
      const content = parseCacheContent(value);
      return content ? { text, content, encrypted: false } : "unreadable";
    }
    try {
      return snapshotOf(await decrypt(value, this.#options.key, this.path), true);
    } catch (error) {
      if (error instanceof DecryptionError) return "unreadable";
      throw error;
    }
  }

  /** Changes what was read, under the lock; where that cannot be, the content is used as it is. */
  async #mend(change: () => Promise<void>): Promise<void> {
    if (this.#held) return await change();
    try {
      await using _lock = await acquireLock(this.path, { timeoutMs: 0 });
      this.#held = true;
      await change();
    } catch (error) {
      if (isGraphError(error) && error.code === "locked") return; // who holds it does the same
      this.#options.notice(`${this.path} could not be replaced: ${toGraphError(error).message}`);
    } finally {
      this.#held = false;
    }
  }

  /** What was read may be gone: another process may have set it aside and written a new one. */
  async #putAside(): Promise<void> {
    const again = await this.#read();
    if (again !== "unreadable") {
      this.#snapshot = again;
      return;
    }
    const aside = await moveAside(this.path, this.#options.now());
    if (aside) {
      this.#options.notice(
        `the token cache ${this.path} could not be understood; it is kept as ${aside}, and a new sign-in is needed`,
      );
    }
  }

  /** At once and not with the next renewal: who sets a key expects that the tokens are no longer in clear. */
  async #encrypt(): Promise<void> {
    const again = await this.#read();
    if (again === "unreadable" || !isClear(again)) return; // another process was quicker
    await this.write(again.text);
    this.#options.notice(
      `the token cache ${this.path} is encrypted from now on; copies made before, as in backups, are not`,
    );
  }
}

function isClear(snapshot: Snapshot | undefined): snapshot is Snapshot {
  return snapshot !== undefined && snapshot.text !== "" && !snapshot.encrypted;
}

/** Of a text that MSAL wrote. */
function snapshotOf(text: string, encrypted: boolean): Snapshot {
  return { text, content: parseCacheContent(jsonObject(text) ?? {}) ?? {}, encrypted };
}
