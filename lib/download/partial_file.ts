/**
 * The private file that a download grows in, and its journal entry. Recorded bytes have been synced to disk before, so a
 * kill or a power cut costs at most what arrived since the last entry.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";
import type { DownloadTarget, TargetWriter } from "../content/ranged.ts";
import { type ByteRange, ByteRanges } from "../content/ranges.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { readAt, writeAll } from "../local/local_file.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import { type DownloadJournal, type DownloadJournalEntry, newEntry } from "./journal.ts";

/** Minimum time between two journal entries. */
const RECORD_INTERVAL_MS = 250;
/** Recording may take this share of the time. */
const RECORD_SHARE = 1 / 20;

const BLOCK_BYTES = 1024 * 1024;
/** The longest time that bytes are buffered: a kill on a slow network should lose little. */
const MAX_HOLD_MS = 250;

/** Where a partial file and its journal entry are. */
export interface PartialPlace {
  journal: DownloadJournal;
  key: string;
  /** Absolute path of the partial file. */
  path: string;
  /** Absolute path that the file is to have. */
  local: string;
  /** Ends reading what is there already. */
  signal: AbortSignal | undefined;
  notice: (text: string) => void;
}

/** An open partial file. */
export class PartialFile implements DownloadTarget, AsyncDisposable {
  /** What is written, synced or not. */
  readonly ranges: ByteRanges;
  readonly file: Deno.FsFile;
  /** How many bytes were there already; `null` if none were usable. */
  resumedFrom: number | null;
  /** How many bytes a later process would find. */
  recordedBytes: number;
  /** The local file that is assumed to be a prefix of the content, and that this one starts with. */
  assumedPrefixOf: string | null;
  readonly #place: PartialPlace;
  readonly #content: RemoteContent;
  /** The version of the content that the file is of. */
  #found: ResolvedItem;
  #announcedBytes: number | null = null;
  #hash = new QuickXorHash();
  /** Written by an earlier process. */
  #unhashed: ByteRange[];
  /** The first copy, while a second one overwrites it. */
  #first: { bytes: number; isSame: boolean } | undefined;
  #nextRecordAt = 0;
  #recording: Promise<void> | undefined;
  #failure: unknown;

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
    this.announce(entry?.announcedBytes ?? 0);
    this.assumedPrefixOf = entry?.guessedFrom ?? null; // entries of earlier versions lack it
  }

  get totalBytes(): number {
    return this.#announcedBytes ?? this.#found.item.size;
  }

  /** Storage sometimes states more bytes than the item does (PROTOCOL D6). */
  announce(totalBytes: number): void {
    this.#announcedBytes = totalBytes > this.#found.item.size ? totalBytes : null;
  }

  /** Opens a writer that gathers small chunks into large writes, through a file handle of its own. */
  openWriter(): TargetWriter {
    const buffer = new Uint8Array(BLOCK_BYTES);
    let file: Deno.FsFile | undefined;
    let position = 0;
    let filled = 0;
    let since = 0;
    const flush = async () => {
      if (filled === 0) return;
      const bytes = buffer.subarray(0, filled);
      filled = 0; // a failed write is not repeated
      file ??= await Deno.open(this.#place.path, { read: true, write: true });
      await this.#write(file, bytes, position);
      position += bytes.length;
    };
    return {
      flush,
      seek: (at) => void (position = at), // nothing is buffered then
      async write(bytes) {
        for (let at = 0; at < bytes.length;) {
          if (filled === 0) since = performance.now();
          const next = bytes.subarray(at, at + BLOCK_BYTES - filled);
          buffer.set(next, filled);
          filled += next.length;
          at += next.length;
          if (filled === BLOCK_BYTES || performance.now() - since >= MAX_HOLD_MS) await flush();
        }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(file?.close()),
    };
  }

  /** Records everything that is written. */
  async record(): Promise<void> {
    await this.#recording;
    if (this.#failure) throw this.#failure;
    await this.#record();
  }

  /** Syncs the file. */
  async sync(): Promise<void> {
    await this.#recording;
    await this.file.syncData();
  }

  /** Discards everything; continues with the current version of the content. */
  async restart(): Promise<void> {
    await this.#clear(undefined);
    await this.file.truncate(0);
  }

  /** Prepares for a second copy of the content, which is compared with this one byte by byte while it overwrites it. */
  async restartComparing(): Promise<void> {
    await this.#clear({ bytes: this.ranges.prefixEnd, isSame: true });
  }

  /** Whether this is a second copy that is equal to the first. */
  get isSameCopy(): boolean {
    return this.#first !== undefined && this.#first.isSame && this.#first.bytes === this.ranges.prefixEnd;
  }

  /** Copies the first bytes of a local file that is assumed to be a prefix of the content. */
  async copyPrefix(path: string, bytes: number): Promise<void> {
    using source = await Deno.open(path);
    await using writer = this.openWriter();
    await this.#readBlocks(source, [0, bytes], (block) => writer.write(block));
    await writer.flush();
    this.resumedFrom = this.ranges.total || null;
  }

  /** QuickXorHash of the whole content in base64, once it is complete. */
  async digest(): Promise<string> {
    for (const range of this.#unhashed.splice(0)) {
      await this.#readBlocks(this.file, range, (block, position) => {
        this.#hash.add(block, position);
        return Promise.resolve();
      });
    }
    return this.#hash.digest();
  }

  /** Removes the entry last: without it, the partial file belongs to no download. */
  async remove(): Promise<void> {
    await Deno.remove(this.#place.path);
    await this.#place.journal.remove(this.#place.key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#recording;
    this.file.close();
  }

  /** Records that no byte is valid, before any is overwritten. */
  async #clear(first: { bytes: number; isSame: boolean } | undefined): Promise<void> {
    await this.#recording;
    this.ranges.clear();
    this.resumedFrom = null;
    this.assumedPrefixOf = null;
    this.#found = this.#content.found;
    this.#announcedBytes = null;
    this.#hash = new QuickXorHash();
    this.#unhashed = [];
    this.#first = first;
    await this.record();
  }

  async #write(file: Deno.FsFile, bytes: Uint8Array, position: number): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#first?.isSame) {
      const before = new Uint8Array(bytes.length);
      const count = await readAt(file, before, position);
      this.#first.isSame = count === bytes.length && equalBytes(before, bytes);
    }
    this.#hash.add(bytes, position);
    await file.seek(position, Deno.SeekMode.Start);
    await writeAll(file, bytes);
    this.ranges.add(position, position + bytes.length);
    if (performance.now() >= this.#nextRecordAt) this.#recordInBackground();
  }

  async #readBlocks(
    file: Deno.FsFile,
    [start, end]: ByteRange,
    use: (block: Uint8Array, position: number) => Promise<void>,
  ): Promise<void> {
    const buffer = new Uint8Array(BLOCK_BYTES);
    for (let at = start; at < end;) {
      throwIfAborted(this.#place.signal);
      const count = await readAt(file, buffer.subarray(0, Math.min(BLOCK_BYTES, end - at)), at);
      if (count === 0) return; // it became shorter: the hash will differ
      await use(buffer.subarray(0, count), at);
      at += count;
    }
  }

  /** Records while bytes keep arriving; the next write throws its failure. */
  #recordInBackground(): void {
    this.#recording ??= this.#record()
      .catch((error) => void (this.#failure = error))
      .finally(() => this.#recording = undefined);
  }

  async #record(): Promise<void> {
    const started = performance.now();
    const { total } = this.ranges;
    const bytes = Math.max(this.totalBytes, this.#first?.bytes ?? 0);
    const entry: DownloadJournalEntry = {
      ...newEntry(this.#found, this.#place.local),
      announcedBytes: bytes > this.#found.item.size ? bytes : null,
      guessedFrom: this.assumedPrefixOf,
      done: this.ranges.toJSON(),
    };
    await this.file.syncData();
    await this.#place.journal.write(this.#place.key, entry);
    this.recordedBytes = total;
    const now = performance.now();
    this.#nextRecordAt = now + Math.max(RECORD_INTERVAL_MS, (now - started) / RECORD_SHARE);
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
