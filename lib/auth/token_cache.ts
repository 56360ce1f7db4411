/**
 * The token cache file: private, replaced as a whole, changed by one process at a time, encrypted if a key is set.
 *
 * @module
 */
import { type CacheContent, parseCacheContent } from "./cache_content.ts";
import { type CacheKey, decrypt, DecryptionError, encrypt, isEncrypted, loadKey } from "./encryption.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { parseJsonObject } from "../json.ts";
import { toGraphError } from "../local/local_error.ts";
import { acquireLock, acquireLockUnless, type LockOptions } from "../local/lock.ts";
import {
  checkFolder,
  moveAside,
  readPrivateFile,
  removeLeftovers,
  writePrivateFile,
} from "../local/private_file.ts";
import type { KeySetting } from "../settings.ts";

/** Longer than a renewal with all its retries. */
const MAX_LOCK_WAIT_MS = 120_000;

/** Options of {@linkcode TokenCache}. */
export interface TokenCacheOptions {
  path: string;
  /** Encrypts the file. @default plaintext */
  key?: KeySetting | undefined;
  /** The clock, in milliseconds since 1970. */
  now: () => number;
  /** Longest wait for another process, in milliseconds; 2 minutes at most. */
  lockTimeoutMs: number;
  /** Receives what the user should know, such as a file that was moved aside. */
  notice: (text: string) => void;
}

/** The cache as it was read. */
export interface CacheState {
  state: "absent" | "unreadable" | "plaintext" | "encrypted";
  /** In MSAL's format; empty unless it could be read. */
  text: string;
  /** The parsed text. */
  content: CacheContent;
}

/** The cache while other processes wait; disposing of it releases the lock. */
export interface LockedCache extends AsyncDisposable {
  /** Replaces the file with a text in MSAL's format. */
  write(text: string): Promise<void>;
  /** Like `write`, but a failure is only a notice, and this process continues with the text in memory. */
  writeOrWarn(text: string): Promise<void>;
}

/**
 * The token cache. Reading needs no lock; all changes are made between {@linkcode TokenCache.lock} and its disposal.
 *
 * A disk that cannot be written is no obstacle: a refreshed token serves its run, and the refresh token in the file stays
 * valid (PROTOCOL 13.3). A file system without locks is left to `acquireLock`, which warns and continues.
 */
export class TokenCache {
  readonly path: string;
  readonly #options: TokenCacheOptions;
  #key: Promise<CacheKey> | undefined;
  #last: CacheState = ABSENT;
  /** The last text could not be written, so memory is ahead of the file. */
  #unsaved = false;

  constructor(options: TokenCacheOptions) {
    this.path = options.path;
    this.#options = options;
  }

  /** What was last read or written, in MSAL's format; empty when there is none. */
  get text(): string {
    return this.#last.text;
  }

  /** What was last read or written. */
  get content(): CacheContent {
    return this.#last.content;
  }

  /**
   * Reads the file. An unreadable one is moved aside; a plaintext one is encrypted if a key is set.
   *
   * @throws {GraphError} what `readPrivateFile` and `decrypt` throw; nothing is changed then.
   */
  async load(): Promise<void> {
    await this.#read();
    if (!this.#needsFix()) return;
    try {
      await using _lock = await acquireLock(this.path, { timeoutMs: 0 });
      await this.#readAndFix();
    } catch (error) {
      if (isGraphError(error) && error.code === "locked") return; // its holder does the same
      this.#options.notice(`${this.path} could not be replaced: ${toGraphError(error).message}`);
    }
  }

  /**
   * Reads the file and changes nothing.
   *
   * @throws {GraphError} what {@linkcode TokenCache.load} throws.
   */
  async inspect(): Promise<CacheState> {
    const key = await this.#loadKey(); // an invalid key is an error even where the file is plaintext or absent
    const text = await readPrivateFile(this.path);
    if (text === undefined) return ABSENT;
    if (text.trim() === "") return { ...ABSENT, state: "plaintext" }; // valid for MSAL
    const value = parseJsonObject(text);
    if (!value) return UNREADABLE;
    if (!isEncrypted(value)) return parsed(text, "plaintext");
    try {
      return parsed(await decrypt(value, key, this.path), "encrypted");
    } catch (error) {
      if (error instanceof DecryptionError) return UNREADABLE;
      throw error;
    }
  }

  /**
   * Takes the lock and reads what other processes wrote.
   *
   * @throws {GraphError} `unavailable`, code `locked`, after two minutes; what {@linkcode TokenCache.load} throws.
   */
  async lock(signal: AbortSignal | undefined): Promise<LockedCache> {
    return await this.#locked(await acquireLock(this.path, this.#lockOptions(signal)));
  }

  /**
   * Like {@linkcode TokenCache.lock}, for a user who has signed in already: where the file cannot be locked or read, the
   * sign-in is kept in memory, with a notice.
   */
  async lockOrWarn(signal: AbortSignal | undefined): Promise<LockedCache> {
    try {
      return await this.lock(signal);
    } catch (error) {
      if (isGraphError(error) && error.kind === "interrupted") throw error;
      return this.#readOnly(error);
    }
  }

  /**
   * Lets one process renew a token that many need: the others wait for it and find the token in the file.
   *
   * @param find Looks for the token in what was read last.
   * @param renew Runs while the file is locked, or without a lock where none can be made.
   */
  async renewOnce<T>(
    signal: AbortSignal | undefined,
    find: () => T | undefined,
    renew: (file: LockedCache) => Promise<T>,
  ): Promise<T> {
    let file: LockedCache;
    try {
      let found: T | undefined;
      const isDone = async () => {
        await this.#read();
        return (found = find()) !== undefined;
      };
      const lock = await acquireLockUnless(this.path, this.#lockOptions(signal), isDone);
      if (!lock) return found!;
      file = await this.#locked(lock);
    } catch (error) {
      if (isGraphError(error)) throw error;
      await this.#read();
      file = this.#readOnly(error);
    }
    await using locked = file;
    return find() ?? await renew(locked);
  }

  /**
   * Checks that a sign-in could be kept, before the user signs in.
   *
   * @throws {GraphError} when it could not.
   */
  async checkWritable(signal: AbortSignal | undefined): Promise<void> {
    try {
      await using _file = await this.lock(signal);
    } catch (error) {
      if (isGraphError(error)) throw error;
      const { kind, code, message } = toGraphError(error);
      throw new GraphError(kind, `cannot keep a sign-in in ${this.path}: ${message}`, {
        code,
        hint: "make its folder writable, or choose another file with GRAPH_TOKEN_CACHE",
        cause: error,
      });
    }
  }

  #lockOptions(signal: AbortSignal | undefined): LockOptions {
    const { lockTimeoutMs, notice } = this.#options;
    return { timeoutMs: Math.min(MAX_LOCK_WAIT_MS, lockTimeoutMs), signal, notice };
  }

  async #locked(lock: AsyncDisposable): Promise<LockedCache> {
    try {
      await checkFolder(this.path);
      await removeLeftovers(this.path);
      await this.#readAndFix();
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
    return this.#handle((text) => this.#write(text), () => lock[Symbol.asyncDispose]());
  }

  #readOnly(reason: unknown): LockedCache {
    return this.#handle(() => Promise.reject(reason), () => Promise.resolve());
  }

  #handle(write: (text: string) => Promise<void>, release: () => PromiseLike<void>): LockedCache {
    return {
      write,
      writeOrWarn: async (text) => {
        try {
          await write(text);
        } catch (error) {
          this.#last = parsed(text, this.#last.state);
          this.#unsaved = true;
          const why = toGraphError(error).message;
          this.#options.notice(`the sign-in works for this run, but cannot be kept in ${this.path}: ${why}`);
        }
      },
      [Symbol.asyncDispose]: release,
    };
  }

  #loadKey(): Promise<CacheKey> | undefined {
    const { key } = this.#options;
    return this.#key ??= key && loadKey(key);
  }

  async #write(text: string): Promise<void> {
    const key = await this.#loadKey();
    await writePrivateFile(this.path, key ? await encrypt(text, key) : text);
    this.#last = parsed(text, key ? "encrypted" : "plaintext");
    this.#unsaved = false;
  }

  async #read(): Promise<void> {
    if (!this.#unsaved) this.#last = await this.inspect();
  }

  #needsFix(): boolean {
    const { state, text } = this.#last;
    const mustEncrypt = state === "plaintext" && text !== "" && this.#options.key !== undefined;
    return state === "unreadable" || mustEncrypt;
  }

  /** Under the lock, because another process may have fixed the file since it was read. */
  async #readAndFix(): Promise<void> {
    await this.#read();
    if (!this.#needsFix()) return;
    const { notice, now } = this.#options;
    if (this.#last.state === "plaintext") {
      // At once rather than with the next renewal: a user who sets a key expects no plaintext tokens on the disk.
      await this.#write(this.#last.text);
      notice(`the token cache ${this.path} is now encrypted; earlier copies, as in backups, are not`);
      return;
    }
    const aside = await moveAside(this.path, now());
    if (aside === undefined) return;
    notice(
      `the token cache ${this.path} is unreadable; it was moved to ${aside}, and a new sign-in is needed`,
    );
  }
}

const ABSENT: CacheState = { state: "absent", text: "", content: {} };
const UNREADABLE: CacheState = { state: "unreadable", text: "", content: {} };

/** MSAL throws raw TypeErrors on content that it does not expect, after the user has signed in. */
function parsed(text: string, state: CacheState["state"]): CacheState {
  const content = parseCacheContent(parseJsonObject(text) ?? {});
  return content ? { state, text, content } : UNREADABLE;
}
