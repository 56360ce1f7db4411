/**
 * The private file that a download grows in, and its journal entry: which version of which item it holds, and which of its
 * bytes are on disk for certain. A kill or a power cut costs at most what arrived since the last entry. Download URLs are
 * secrets that soon expire; they are never recorded.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";
import type { DownloadTarget } from "../content/ranged.ts";
import { type ByteRange, ByteRanges } from "../content/ranges.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import { contentVersion, itemKey } from "../drive/drive_item.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { GraphError } from "../errors.ts";
import { Journal } from "../local/journal.ts";
import { ifExists, lstatIfExists, readAt, writeAll } from "../local/local_file.ts";
import { shellQuoted } from "../local/private_file.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";

/** Minimum time between two journal entries. */
const RECORD_INTERVAL_MS = 250;
const HASH_BYTES = 1024 * 1024;

/** One unfinished download. */
export interface DownloadJournalEntry {
  driveId: string;
  itemId: string;
  /** Of the content: `cTag`, or `eTag` where the service gives none. */
  version: string;
  size: number;
  /** Remote path, for messages. */
  path: string;
  /** The local file that is assumed to be a prefix of the content, and that the partial file starts with. */
  guessedFrom: string | null;
  /** Bytes that the partial file holds. */
  done: ByteRange[];
}

/** Where a partial file and its journal entry are. */
export interface PartialPlace {
  journal: Journal<DownloadJournalEntry>;
  /** Of the local path, so that only one download goes to it at a time. */
  key: string;
  /** Absolute path of the partial file. */
  path: string;
  notice: (text: string) => void;
}

export class PartialFile implements DownloadTarget, Disposable {
  readonly ranges: ByteRanges;
  readonly file: Deno.FsFile;
  /** How many bytes were there already; `null` if none were usable. */
  resumedFrom: number | null;
  /** How many bytes a later process would find. */
  recordedBytes: number;
  /** The local file that is assumed to be a prefix of the content, and that this one starts with. */
  assumedPrefixOf: string | null;
  /** Of the bytes that this process wrote, each of them once. */
  #hash = new QuickXorHash();
  /** The other bytes of the file. */
  #unhashed: readonly ByteRange[];
  readonly #place: PartialPlace;
  readonly #content: RemoteContent;
  /** The version of the content that the file is of. */
  #found: ResolvedItem;
  /** The writes of all workers, one after another. */
  #writing = Promise.resolve();
  /** The same file: operations on one `FsFile` wait for each other, but those that follow need not wait for a sync. */
  #synced: Deno.FsFile | undefined;
  #recording = Promise.resolve();
  #nextRecordAt = performance.now() + RECORD_INTERVAL_MS;

  /** @param entry Of the earlier process that is resumed. */
  constructor(place: PartialPlace, file: Deno.FsFile, content: RemoteContent, entry?: DownloadJournalEntry) {
    this.#place = place;
    this.file = file;
    this.#content = content;
    this.#found = content.found;
    this.ranges = new ByteRanges(entry?.done);
    this.#unhashed = this.ranges.toJSON();
    this.recordedBytes = this.ranges.total;
    this.resumedFrom = this.ranges.total || null;
    this.assumedPrefixOf = entry?.guessedFrom ?? null; // entries of earlier versions lack it
  }

  /** Writes bytes, and records from time to time what is there. After a failure, every write fails. */
  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#writing = this.#writing.then(async () => {
      this.file.seekSync(position, Deno.SeekMode.Start);
      const written = writeAll(this.file, bytes);
      this.#hash.add(bytes, position); // while the system writes
      await written;
      this.ranges.add(position, position + bytes.length);
      await this.#recordInTurn();
    });
  }

  /** Records from time to time, while the next writes go on; fails if the previous time failed. */
  async #recordInTurn(): Promise<void> {
    if (performance.now() < this.#nextRecordAt) return;
    await this.#recording;
    this.#nextRecordAt = Infinity;
    this.#recording = this.#sync().finally(() => this.#nextRecordAt = performance.now() + RECORD_INTERVAL_MS);
    this.#recording.catch(() => {}); // thrown when it is awaited
  }

  /** Syncs the file, then records everything that is written. */
  async record(): Promise<void> {
    await this.#recording.catch(() => {}); // this one counts
    await this.#sync();
  }

  /** Syncs the complete file; nothing is recorded after that. */
  async finish(): Promise<void> {
    await this.#recording;
    await this.file.syncData();
  }

  async #sync(): Promise<void> {
    const entry = { ...newEntry(this.#found), guessedFrom: this.assumedPrefixOf, done: this.ranges.toJSON() };
    const { total } = this.ranges;
    this.#synced ??= await Deno.open(this.#place.path);
    await this.#synced.syncData();
    await this.#place.journal.write(this.#place.key, entry);
    this.recordedBytes = total;
  }

  /** Discards everything, on record before any byte is overwritten; continues with the current version of the content. */
  async restart(): Promise<void> {
    this.ranges.clear();
    this.#hash = new QuickXorHash();
    this.#unhashed = [];
    this.resumedFrom = null;
    this.assumedPrefixOf = null;
    this.#found = this.#content.found;
    await this.record();
    await this.file.truncate(0);
  }

  /** Size and QuickXorHash of the complete file; reads only what an earlier process has written. */
  async hash(signal: AbortSignal | undefined): Promise<{ bytes: number; quickXorHash: string }> {
    const buffer = new Uint8Array(this.#unhashed.length > 0 ? HASH_BYTES : 0);
    for (const [start, end] of this.#unhashed) {
      for (let position = start; position < end; position += HASH_BYTES) {
        throwIfAborted(signal);
        const count = await readAt(this.file, buffer.subarray(0, end - position), position);
        this.#hash.add(buffer.subarray(0, count), position);
      }
    }
    this.#unhashed = [];
    return { bytes: this.#hash.length, quickXorHash: this.#hash.digest() };
  }

  /** Copies a local file that is assumed to be a prefix of the content. */
  async copyPrefix(path: string, signal: AbortSignal | undefined): Promise<void> {
    this.assumedPrefixOf = path; // before a byte of it can be recorded
    let position = 0;
    for await (const bytes of (await Deno.open(path)).readable) {
      throwIfAborted(signal);
      await this.write(bytes, position);
      position += bytes.length;
    }
    this.resumedFrom = position;
  }

  [Symbol.dispose](): void {
    this.file.close();
    this.#synced?.close();
  }
}

export function openDownloadJournal(
  folder: string,
  now: () => number,
  notice: (text: string) => void,
): Journal<DownloadJournalEntry> {
  return new Journal({ folder, what: "an unfinished download", parse, now, notice });
}

function parse(value: Record<string, unknown>): DownloadJournalEntry | undefined {
  const isEntry = typeof value.version === "string" && Array.isArray(value.done) && value.done.every(isRange);
  return isEntry ? value as unknown as DownloadJournalEntry : undefined;
}

function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [start, end] = value;
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start < end;
}

function newEntry({ item, driveItem }: ResolvedItem): DownloadJournalEntry {
  const { driveId, id: itemId, size, path } = item;
  const version = contentVersion(driveItem) ?? "";
  return { driveId, itemId, version, size, path, guessedFrom: null, done: [] };
}

/** Whether an unfinished download is of this version of this item. */
export function isSameContent(entry: DownloadJournalEntry, { item, driveItem }: ResolvedItem): boolean {
  return itemKey({ driveId: entry.driveId, id: entry.itemId }) === itemKey(item) &&
    entry.size === item.size && entry.version !== "" && entry.version === contentVersion(driveItem);
}

/** Removes the partial file, then its entry: without it, the file would belong to no download. */
export async function removeUnfinished({ journal, key, path }: PartialPlace): Promise<void> {
  if ((await lstatIfExists(path))?.isFile) await ifExists(Deno.remove(path));
  await journal.remove(key);
}

/**
 * Opens the partial file of an earlier process, or a new one.
 *
 * @throws {GraphError} `conflict`, code `foreignPartial`, for a file that is not what the entry says.
 */
export async function openPartial(
  place: PartialPlace,
  entry: DownloadJournalEntry | undefined,
  content: RemoteContent,
): Promise<PartialFile> {
  const { journal, key, path, notice } = place;
  const info = await lstatIfExists(path);
  if (!info) {
    await journal.write(key, newEntry(content.found)); // before the file, which belongs to no download without it
    const options = { read: true, write: true, createNew: true, mode: 0o600 };
    try {
      return new PartialFile(place, await Deno.open(path, options), content);
    } catch (error) {
      await journal.remove(key);
      throw error;
    }
  }
  if (!entry) throw foreignPartial(path, "it has no journal entry");
  // Nothing else is written to: a symlink or another hard link would lead to another file of the user.
  if (!info.isFile || (info.nlink ?? 1) > 1) throw foreignPartial(path, "it is not a file of its own");
  if (info.size < new ByteRanges(entry.done).end) throw foreignPartial(path, "it has been truncated");
  const partial = new PartialFile(place, await Deno.open(path, { read: true, write: true }), content, entry);
  try {
    if (isSameContent(entry, content.found)) return partial;
    notice(
      `the unfinished download of ${entry.path} is of another version or item; starting from the first byte`,
    );
    await partial.restart();
    return partial;
  } catch (error) {
    partial[Symbol.dispose]();
    throw error;
  }
}

function foreignPartial(path: string, why: string): GraphError {
  const message = `${path} is in the way of the download and not its partial file: ${why}`;
  const hint = `if nothing else needs it, remove it: ${Deno.build.os === "windows" ? "del" : "rm"} ${
    shellQuoted(path)
  }; then run the same command again`;
  return new GraphError("conflict", message, { code: "foreignPartial", hint });
}
