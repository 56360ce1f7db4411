/**
 * A private folder of unfinished work, one JSON file each, from which a later process resumes. Only one process at a time
 * works with an entry.
 *
 * @module
 */
import { join } from "../std.ts";
import { withLock } from "./lock.ts";
import { ifExists, lstatIfExists } from "./file_operations.ts";
import { moveAside, readPrivateFile, removeLeftovers, writePrivateFile } from "./private_file.ts";

/** What the entries of a folder are. */
export interface EntryKind<T> {
  /** For messages: `an unfinished upload`. */
  what: string;
  /** Returns `undefined` for anything that is not an entry. */
  parse(value: Record<string, unknown>): T | undefined;
}

/** A folder of entries. */
export class Journal<T> {
  readonly #folder: string;
  readonly #kind: EntryKind<T>;
  readonly #now: () => number;
  readonly #notice: (text: string) => void;

  /** @param now Milliseconds since 1970. */
  constructor(folder: string, kind: EntryKind<T>, now: () => number, notice: (text: string) => void) {
    this.#folder = folder;
    this.#kind = kind;
    this.#now = now;
    this.#notice = notice;
  }

  /**
   * Runs `body` while no other process works on the same entry.
   *
   * @throws {GraphError} `unavailable`, code `locked`, if another one does.
   */
  async exclusively<R>(key: string, signal: AbortSignal | undefined, body: () => Promise<R>): Promise<R> {
    const path = this.#path(key);
    return await withLock(path, 0, { signal, notice: this.#notice }, async () => {
      await removeLeftovers(path);
      try {
        return await body();
      } finally {
        await Deno.remove(`${path}.lock`).catch(() => {}); // Windows does not delete open files
      }
    });
  }

  /**
   * Reads an entry; an unreadable one is moved aside.
   *
   * @param onUnreadable Called with its new path. @default a notice
   */
  async read(key: string, onUnreadable?: (aside: string) => Promise<void>): Promise<T | undefined> {
    const path = this.#path(key);
    const text = await readPrivateFile(path);
    if (text === undefined) return undefined;
    const entry = this.#parse(text);
    if (entry) return entry;
    const aside = await moveAside(path, this.#now());
    if (!aside) return undefined;
    if (onUnreadable) await onUnreadable(aside);
    else {
      this.#notice(`the journal entry of ${this.#kind.what} is not readable; it is kept as ${aside}`);
    }
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

  /** The number of entries, readable or not; reads none. */
  async count(): Promise<number> {
    return (await this.#keys()).length;
  }

  /** All readable entries. */
  async *entries(): AsyncGenerator<{ key: string; entry: T }> {
    for (const key of await this.#keys()) {
      const entry = await this.read(key);
      if (entry) yield { key, entry };
    }
  }

  async #keys(): Promise<string[]> {
    const keys: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.#folder)) {
        if (/^[0-9a-f]{32}\.json$/.test(name)) keys.push(name.slice(0, 32));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return keys.toSorted();
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.json`);
  }

  #parse(text: string): T | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return undefined; // the caller reports it and moves the file aside
    }
    return typeof value === "object" && value !== null
      ? this.#kind.parse(value as Record<string, unknown>)
      : undefined;
  }
}

/** The key of an entry, from what identifies its work. */
export async function journalKey(identity: string): Promise<string> {
  return (await sha256(new TextEncoder().encode(identity))).slice(0, 32);
}

/** SHA-256 in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
