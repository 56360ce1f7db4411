/**
 * A private folder of unfinished work, one JSON file each, from which a later process resumes. Only one process at a time
 * works with an entry.
 *
 * @module
 */
import { join } from "../std.ts";
import { parseJsonObject } from "../json.ts";
import { acquireLock } from "./lock.ts";
import { ifExists, lstatIfExists } from "./local_file.ts";
import { moveAside, readPrivateFile, removeLeftovers, writePrivateFile } from "./private_file.ts";

interface JournalOptions<T> {
  folder: string;
  /** For messages: `an unfinished upload`. */
  what: string;
  /** Returns `undefined` for anything that is not an entry. */
  parse(value: Record<string, unknown>): T | undefined;
  /** Milliseconds since 1970. */
  now: () => number;
  notice: (text: string) => void;
}

export class Journal<T> {
  readonly #options: JournalOptions<T>;

  constructor(options: JournalOptions<T>) {
    this.#options = options;
  }

  /**
   * Runs `body` while no other process works on the same entry.
   *
   * @throws {GraphError} `unavailable`, code `locked`, if another one does.
   */
  async exclusively<R>(key: string, signal: AbortSignal | undefined, body: () => Promise<R>): Promise<R> {
    const path = this.#path(key);
    await using _lock = await acquireLock(path, { timeoutMs: 0, signal, notice: this.#options.notice });
    await removeLeftovers(path);
    try {
      return await body();
    } finally {
      await Deno.remove(`${path}.lock`).catch(() => {}); // Windows does not delete open files
    }
  }

  /** Reads an entry; an unreadable one is moved aside, with a notice. */
  async read(key: string): Promise<T | undefined> {
    const path = this.#path(key);
    const text = await readPrivateFile(path);
    if (text === undefined) return undefined;
    const { what, parse, now, notice } = this.#options;
    const value = parseJsonObject(text);
    const entry = value && parse(value);
    if (entry) return entry;
    const aside = await moveAside(path, now());
    if (aside) notice(`the journal entry of ${what} is not readable; it is kept as ${aside}`);
    return undefined;
  }

  /** Whether there is an entry, readable or not. */
  async has(key: string): Promise<boolean> {
    return await lstatIfExists(this.#path(key)) !== undefined;
  }

  write(key: string, entry: T): Promise<void> {
    return writePrivateFile(this.#path(key), JSON.stringify(entry));
  }

  async remove(key: string): Promise<void> {
    await ifExists(Deno.remove(this.#path(key)));
  }

  /** All readable entries. */
  async *entries(): AsyncGenerator<{ key: string; entry: T }> {
    const files = await ifExists(Array.fromAsync(Deno.readDir(this.#options.folder))) ?? [];
    for (const name of files.map(({ name }) => name).toSorted()) {
      const [, key] = /^([0-9a-f]{32})\.json$/.exec(name) ?? [];
      const entry = key && await this.read(key);
      if (entry) yield { key, entry };
    }
  }

  #path(key: string): string {
    return join(this.#options.folder, `${key}.json`);
  }
}

/** The key of an entry, from what identifies its work. */
export async function journalKey(identity: string): Promise<string> {
  return (await sha256(new TextEncoder().encode(identity))).slice(0, 32);
}

/** SHA-256 in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
