/**
 * A private folder of records of unfinished work, one JSON file each, that a later process goes on from: replaced whole,
 * gone when the work is done. One process at a time works with one record.
 *
 * @module
 */
import { join } from "../std.ts";
import { withLock } from "./lock.ts";
import { moveAside, readPrivateFile, writePrivateFile } from "./private_file.ts";

/** What the records of a folder are. */
export interface RecordKind<T> {
  /** For messages: `an unfinished upload`. */
  what: string;
  /** `undefined` for what is no such record. */
  parse(value: Record<string, unknown>): T | undefined;
}

/** A folder of records. */
export class Journal<T> {
  readonly #folder: string;
  readonly #kind: RecordKind<T>;
  readonly #now: () => number;
  readonly #notice: (text: string) => void;

  /** @param now Milliseconds since 1970. */
  constructor(folder: string, kind: RecordKind<T>, now: () => number, notice: (text: string) => void) {
    this.#folder = folder;
    this.#kind = kind;
    this.#now = now;
    this.#notice = notice;
  }

  /** Keeps other processes from the same work. */
  async exclusively<R>(key: string, signal: AbortSignal | undefined, body: () => Promise<R>): Promise<R> {
    const path = this.#path(key);
    return await withLock(path, 0, { signal, notice: this.#notice }, async () => {
      await this.#sweep(key);
      try {
        return await body();
      } finally {
        await Deno.remove(`${path}.lock`).catch(() => {}); // on Windows an open file stays
      }
    });
  }

  /**
   * A record; one that cannot be understood is set aside.
   *
   * @param onUnreadable Told where it is kept then. @default a notice
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

  /** Whether there is a record, readable or not. */
  async has(key: string): Promise<boolean> {
    try {
      await Deno.lstat(this.#path(key));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  write(key: string, entry: T): Promise<void> {
    return writePrivateFile(this.#path(key), JSON.stringify(entry));
  }

  async remove(key: string): Promise<void> {
    try {
      await Deno.remove(this.#path(key));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** How many there are, readable or not; none of them is touched. */
  async count(): Promise<number> {
    return (await this.#keys()).length;
  }

  /** All records. */
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

  /** A process that was killed while it wrote a record has left half of it under another name. */
  async #sweep(key: string): Promise<void> {
    for await (const { name } of Deno.readDir(this.#folder)) {
      if (name.startsWith(`${key}.json.`) && name.endsWith(".tmp")) {
        await Deno.remove(join(this.#folder, name));
      }
    }
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.json`);
  }

  #parse(text: string): T | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return undefined; // reported by the caller, who sets the file aside
    }
    return typeof value === "object" && value !== null
      ? this.#kind.parse(value as Record<string, unknown>)
      : undefined;
  }
}

/** The name of a record, from what identifies its work. */
export async function journalKey(identity: string): Promise<string> {
  return (await sha256(new TextEncoder().encode(identity))).slice(0, 32);
}

/** SHA-256 in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
