/**
 * Unfinished uploads, kept so that a later process can go on: written before the first byte, private because an upload
 * URL is a secret, replaced whole, gone when the upload is done.
 *
 * @module
 */
import { join } from "@std/path";
import type { ItemAddress } from "./address.ts";
import { withLock } from "./file_lock.ts";
import { readPrivateFile, setAside, writePrivateFile } from "./private_file.ts";
import { type LocalFile, readAt } from "./transfer.ts";

/** An upload URL dies 24 hours after its creation, whatever the session says (graph-protocol U6). */
const LONGEST_LIFE_MS = 23.5 * 60 * 60 * 1000;
const EDGE_BYTES = 64 * 1024;

/** One unfinished upload. */
export interface UploadEntry {
  uploadUrl: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Whole path of the local file. */
  local: string;
  size: number;
  /** Time of its last change, in milliseconds since 1970; `null` where the file system does not tell. */
  modified: number | null;
  /** Of the first and last 64 KiB. */
  fingerprint: string;
  /** Identifies the target. */
  target: string;
  /** Remote path, for people. */
  path: string;
  /** What the session does when the name is taken: it was settled when the session was made. */
  conflict: string;
  /** Version of the item that the upload replaces; `null` when there was none. */
  versionBefore: string | null;
}

/** The folder of unfinished uploads. */
export class UploadJournal {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #notice: (text: string) => void;

  constructor(folder: string, now: () => number, notice: (text: string) => void) {
    this.#folder = folder;
    this.#now = now;
    this.#notice = notice;
  }

  /** Name of the entry of a local file and its target. */
  async keyOf(target: string, localPath: string): Promise<string> {
    return (await sha256(new TextEncoder().encode(`${target}\n${localPath}`))).slice(0, 32);
  }

  /** Keeps other processes from the same upload. */
  async exclusively<T>(key: string, signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
    const path = this.#path(key);
    return await withLock(path, 0, signal, async () => {
      try {
        return await body();
      } finally {
        await Deno.remove(`${path}.lock`).catch(() => {}); // on Windows an open file stays
      }
    });
  }

  /** An entry; one that cannot be understood is set aside. */
  async read(key: string): Promise<UploadEntry | undefined> {
    const path = this.#path(key);
    const text = await readPrivateFile(path);
    if (text === undefined) return undefined;
    const entry = parse(text);
    if (entry) return entry;
    const aside = await setAside(path, this.#now());
    if (aside) {
      this.#notice(`the record of an unfinished upload could not be understood; it is kept as ${aside}`);
    }
    return undefined;
  }

  write(key: string, entry: UploadEntry): Promise<void> {
    return writePrivateFile(this.#path(key), JSON.stringify(entry));
  }

  async remove(key: string): Promise<void> {
    try {
      await Deno.remove(this.#path(key));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** All unfinished uploads. */
  async *entries(): AsyncGenerator<{ key: string; entry: UploadEntry }> {
    const keys: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.#folder)) {
        if (/^[0-9a-f]{32}\.json$/.test(name)) keys.push(name.slice(0, 32));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    for (const key of keys.toSorted()) {
      const entry = await this.read(key);
      if (entry) yield { key, entry };
    }
  }

  /** Whether the URL of an entry may still be alive. */
  isFresh({ createdAt }: UploadEntry): boolean {
    return this.#now() - createdAt < LONGEST_LIFE_MS && createdAt <= this.#now();
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.json`);
  }
}

/** A target by what the service knows it by; case does not count in names. */
export function targetKey(apiOrigin: string, folder: ItemAddress, name: string): string {
  const place = "itemId" in folder ? `id ${folder.itemId}` : `path ${folder.path.join("/").toLowerCase()}`;
  return [apiOrigin, folder.driveId, place, name.toLowerCase()].join("\n");
}

/** Tells a file from another of the same size and time: SHA-256 of its first and last 64 KiB. */
export async function fingerprintOf(file: Deno.FsFile, { size }: LocalFile): Promise<string> {
  const length = Math.min(EDGE_BYTES, size);
  const edges = new Uint8Array(2 * length);
  await readAt(file, edges.subarray(0, length), 0);
  await readAt(file, edges.subarray(length), size - length);
  return await sha256(edges);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function parse(text: string): UploadEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // reported by the caller, who sets the file aside
  }
  if (typeof value !== "object" || value === null) return undefined;
  const entry = value as Record<string, unknown>;
  const texts = ["uploadUrl", "local", "fingerprint", "target", "path", "conflict"].every((name) =>
    typeof entry[name] === "string"
  );
  return texts && typeof entry.size === "number" && typeof entry.createdAt === "number"
    ? value as UploadEntry
    : undefined;
}
