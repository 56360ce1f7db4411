/**
 * The private file that a download grows in, and its record: what the record says is done has been synced to the disk
 * before, so that a kill or a power cut costs at most what came since.
 *
 * @module
 */
import { contentVersion, type DownloadJournal, type DownloadJournalEntry } from "./journal.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { OrderedHash } from "./ordered_hash.ts";
import type { ByteRanges } from "./ranges.ts";

/** At least so long between two records. */
const RECORD_PAUSE_MS = 250;
/** Recording may take this share of the time. */
const RECORD_SHARE = 1 / 20;

/** Less than this is fetched again faster than it is recorded. */
const WORTH_RECORDING_BYTES = 1024 * 1024;

/** Where a partial file and its record lie. */
export interface PartialPlace {
  journal: DownloadJournal;
  key: string;
  /** Whole path of the partial file. */
  path: string;
  /** Whole path that the file is to have. */
  local: string;
  /** Ends the reading of what is there already. */
  signal: AbortSignal | undefined;
}

/** A partial file that is open. */
export class PartialFile {
  /** What is written, synced or not. */
  readonly ranges: ByteRanges;
  readonly hash: OrderedHash;
  readonly place: PartialPlace;
  readonly file: Deno.FsFile;
  /** The local file whose bytes it begins with, when that is only a guess. */
  guessedFrom: string | null = null;
  #found: ResolvedItem;
  #announcedBytes: number | null = null;
  #recordedBytes: number;
  #nextRecordAt = 0;
  #recording: Promise<void> | undefined;
  #failure: unknown;

  private constructor(
    place: PartialPlace,
    file: Deno.FsFile,
    found: ResolvedItem,
    ranges: ByteRanges,
    hash: OrderedHash,
  ) {
    this.place = place;
    this.file = file;
    this.#found = found;
    this.ranges = ranges;
    this.hash = hash;
    this.#recordedBytes = ranges.total;
  }

  /** @param file Open for reading and writing; it is closed with the partial file. */
  static async over(
    place: PartialPlace,
    file: Deno.FsFile,
    found: ResolvedItem,
    ranges: ByteRanges,
  ): Promise<PartialFile> {
    const hash = await OrderedHash.create(await Deno.open(place.path), ranges, place.signal);
    return new PartialFile(place, file, found, ranges, hash);
  }

  /** How many bytes the whole content has, as far as it is known. */
  get totalBytes(): number {
    return this.#announcedBytes ?? this.#found.item.size;
  }

  /** How many bytes a later process would find. */
  get recordedBytes(): number {
    return this.#recordedBytes;
  }

  /** Storage announces more bytes than the item's size now and then (PROTOCOL D6). */
  announce(totalBytes: number): void {
    this.#announcedBytes = totalBytes > this.#found.item.size ? totalBytes : null;
  }

  /** Writes through a handle of its caller's; several may write at once. */
  async write(file: Deno.FsFile, bytes: Uint8Array, position: number): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.hash.offer(bytes, position);
    await file.seek(position, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    this.ranges.add(position, position + bytes.length);
    this.hash.catchUp();
    if (performance.now() >= this.#nextRecordAt) this.#recordAside();
  }

  /** Records all that is written. */
  async record(): Promise<void> {
    await this.#recording;
    if (this.#failure) throw this.#failure;
    await this.#record();
  }

  /** All is written: synced, and recorded as far as it is worth it. */
  async settle(): Promise<void> {
    if (this.ranges.total - this.#recordedBytes >= WORTH_RECORDING_BYTES) return await this.record();
    await this.#recording;
    await this.file.syncData();
  }

  /** Another version, or the same once more: from the first byte. */
  async restart(found: ResolvedItem): Promise<void> {
    this.ranges.clear();
    this.#found = found;
    this.#announcedBytes = null;
    this.guessedFrom = null;
    await this.hash.restart();
    await this.record(); // before a byte of it is overwritten
    await this.file.truncate(0);
  }

  /** The record goes last: without it nobody would know whose the partial file is. */
  async remove(): Promise<void> {
    try {
      await Deno.remove(this.place.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it has got its name
    }
    await this.place.journal.remove(this.place.key);
  }

  async close(): Promise<void> {
    await this.#recording;
    await this.hash.close();
    this.file.close();
  }

  /** While bytes go on coming; a failure is met by the next write. */
  #recordAside(): void {
    this.#recording ??= this.#record()
      .catch((error) => void (this.#failure = error))
      .finally(() => this.#recording = undefined);
  }

  async #record(): Promise<void> {
    const started = performance.now();
    const { total } = this.ranges;
    const entry = newEntry(this.place, this.#found, this.ranges, {
      announcedBytes: this.#announcedBytes,
      guessedFrom: this.guessedFrom,
    });
    await this.file.syncData();
    await this.place.journal.write(this.place.key, entry);
    this.#recordedBytes = total;
    const now = performance.now();
    this.#nextRecordAt = now + Math.max(RECORD_PAUSE_MS, (now - started) / RECORD_SHARE);
  }
}

/** The record of a download. */
export function newEntry(
  place: PartialPlace,
  found: ResolvedItem,
  done: ByteRanges,
  state: Pick<DownloadJournalEntry, "announcedBytes" | "guessedFrom">,
): DownloadJournalEntry {
  const { driveId, id, size, hash, path } = found.item;
  return {
    driveId,
    itemId: id,
    version: contentVersion(found) ?? "",
    size,
    hash,
    path,
    local: place.local,
    ...state,
    done: done.toJSON(),
  };
}
