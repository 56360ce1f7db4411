/**
 * One download into one local path, from what an earlier process left to the finished file.
 *
 * @module
 */
import { dirname, join } from "../std.ts";
import type { Connection } from "../connect.ts";
import type { DownloadConflict, DownloadOptions } from "./download.ts";
import { DownloadJournal, type DownloadJournalEntry, isSameContent } from "./journal.ts";
import { describeMismatch, incompleteDownloadError, whyDifferent } from "./outcome.ts";
import type { GraphError } from "../errors.ts";
import { hashFile } from "../transfer/file_hash.ts";
import { RangedDownload, type ReceivedFile } from "./ranged_download.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { toGraphError } from "../local/local_error.ts";
import {
  inspectTarget,
  localExistsError,
  localLongerError,
  type LocalTarget,
  lstatIfExists,
  moveIntoPlace,
  takeMode,
} from "./local_target.ts";
import { copyInto } from "./range_writer.ts";
import type { PartialFile, PartialPlace } from "./partial_file.ts";
import { RemoteContent } from "./remote_content.ts";
import { damagedError, type TransferResult } from "../transfer/result.ts";
import { openPartial, readUnfinished, removeUnfinished } from "./partial_download.ts";

/** What a download did. */
export type DownloadOutcome = Pick<
  TransferResult,
  "result" | "verdict" | "bytes" | "sentBytes" | "resumedFrom" | "sha256"
>;

const SKIPPED: DownloadOutcome = {
  result: "skipped",
  verdict: "unverified",
  bytes: 0,
  sentBytes: 0,
  resumedFrom: null,
};

/**
 * Downloads an item to an exact local path.
 *
 * @throws {GraphError} `unavailable`, code `locked`, when another process does the same.
 */
export async function downloadToFile(
  connection: Connection,
  found: ResolvedItem,
  local: string,
  options: DownloadOptions,
): Promise<{ downloaded: DownloadOutcome; found: ResolvedItem }> {
  const target = await inspectTarget(local);
  const place = await placeOf(connection, target);
  const { journal, key, signal } = place;
  const conflict = options.conflict ?? "fail";
  // Nothing is to be done for most files of a second run: they cost no lock.
  if (target.existing && !await journal.has(key)) {
    if (conflict === "skip") return { downloaded: SKIPPED, found };
    if (conflict === "fail") throw localExistsError(local);
  }
  return await journal.exclusively(key, signal, async () => {
    const content = new RemoteContent(connection, found);
    const download = new FileDownload(connection, content, place, local, options);
    return { downloaded: await download.run(), found: content.found };
  });
}

/** Removes what an earlier process has left of a download that is no longer needed: the file is there. */
export async function discardPartial(connection: Connection, local: string): Promise<void> {
  const place = await placeOf(connection, await inspectTarget(local));
  if (!await place.journal.has(place.key)) return; // as with most files of a second run
  await place.journal.exclusively(place.key, place.signal, async () => {
    const entry = await readUnfinished(place, connection.notice);
    if (entry) await removeUnfinished(place, entry);
  });
}

async function placeOf(
  { settings, storage, notice }: Connection,
  { path: local }: LocalTarget,
): Promise<PartialPlace> {
  const { now, signal } = storage.http;
  const journal = new DownloadJournal(join(settings.state, "downloads"), now, notice);
  const key = await journal.keyOf(local);
  // Not the file's name with more behind it: that could be longer than the file system allows.
  return { journal, key, path: join(dirname(local), `.${key.slice(0, 16)}.partial`), local, signal };
}

/** One download, while no other process works on the same local path. */
class FileDownload {
  readonly #connection: Connection;
  readonly #content: RemoteContent;
  readonly #place: PartialPlace;
  readonly #local: string;
  readonly #options: DownloadOptions;
  readonly #conflict: DownloadConflict;

  constructor(
    connection: Connection,
    content: RemoteContent,
    place: PartialPlace,
    local: string,
    options: DownloadOptions,
  ) {
    this.#connection = connection;
    this.#content = content;
    this.#place = place;
    this.#local = local;
    this.#options = options;
    this.#conflict = options.conflict ?? "fail";
  }

  async run(): Promise<DownloadOutcome> {
    const { notice } = this.#connection;
    const target = await inspectTarget(this.#local);
    let entry = await readUnfinished(this.#place, notice);
    if (entry) {
      const finished = await this.#findFinished(entry, target);
      if (finished) return finished;
      if (!await lstatIfExists(this.#place.path)) {
        await this.#place.journal.remove(this.#place.key);
        entry = undefined;
      }
    }
    const settled = await this.#settleConflict(target, entry);
    if (settled) return settled;
    const partial = await openPartial(this.#place, entry, this.#content.found, notice);
    try {
      return await this.#fill(partial, target);
    } catch (error) {
      throw await this.#unfinished(error, partial);
    } finally {
      await partial.close();
    }
  }

  /** A process may have died after its work was done, and before it could say so. */
  async #findFinished(
    entry: DownloadJournalEntry,
    { path, existing }: LocalTarget,
  ): Promise<DownloadOutcome | undefined> {
    if (!existing || !isSameContent(entry, this.#content.found)) return undefined;
    const partial = await lstatIfExists(this.#place.path);
    const isPartial = partial !== undefined && partial.ino !== null && partial.ino === existing.ino &&
      partial.dev === existing.dev;
    if (partial && !isPartial) return undefined;
    const { bytes, quickXorHash, sha256 } = await hashFile(path, this.#place.signal);
    const compared = this.#content.compare(bytes, quickXorHash);
    // It got its name, so a verdict was found: where that needed more than the hash, it was noted before.
    const verdict = compared === "different" ? undefined : compared;
    if (!verdict || (!isPartial && verdict !== "verified")) return undefined;
    if (partial) await Deno.remove(this.#place.path);
    await this.#place.journal.remove(this.#place.key);
    return { result: "downloaded", verdict, bytes, sentBytes: 0, resumedFrom: bytes, sha256 };
  }

  /** What to do about a file that is there; `undefined`: download. */
  async #settleConflict(
    { path, existing }: LocalTarget,
    entry: DownloadJournalEntry | undefined,
  ): Promise<DownloadOutcome | undefined> {
    if (!existing || this.#conflict === "replace") return undefined;
    if (this.#conflict === "skip") return SKIPPED;
    if (this.#conflict === "fail") throw localExistsError(this.#local);
    const { item } = this.#content;
    if (existing.size > item.size) throw localLongerError(item, this.#local, existing.size);
    if (existing.size < item.size) return undefined;
    const { bytes, quickXorHash, sha256 } = await hashFile(path, this.#place.signal);
    if (this.#content.compare(bytes, quickXorHash) !== "verified") return undefined;
    if (entry) await removeUnfinished(this.#place, entry);
    return { result: "unchanged", verdict: "verified", bytes, sentBytes: 0, resumedFrom: null, sha256 };
  }

  async #fill(partial: PartialFile, target: LocalTarget): Promise<DownloadOutcome> {
    await this.#takeBeginning(partial, target);
    const reception = new RangedDownload(this.#content, partial, {
      connections: this.#options.connections,
      onProgress: this.#options.onProgress,
      notice: this.#connection.notice,
    });
    const received = await reception.run();
    await this.#finish(partial, target, received);
    if (received.verdict === "damaged") throw await this.#keepDamaged(received, received.why);
    const { verdict, bytes, sha256, quickXorHash } = received;
    if (this.#content.compare(bytes, quickXorHash) === "different") {
      this.#connection.notice(whyDifferent(bytes, verdict, this.#content));
    }
    const replace = this.#conflict === "replace" ? "any" : this.#conflict === "resume" ? "seen" : "none";
    await moveIntoPlace(this.#place.path, target, replace);
    await this.#place.journal.remove(this.#place.key);
    const { resumedFrom } = reception;
    return {
      result: "downloaded",
      verdict,
      bytes,
      sentBytes: this.#content.arrivedBytes,
      resumedFrom,
      sha256,
    };
  }

  /** For `--conflict resume`: the local file becomes the beginning of a partial one that holds nothing yet. */
  async #takeBeginning(partial: PartialFile, { path, existing }: LocalTarget): Promise<void> {
    const { size, hash } = this.#content.item;
    if (this.#conflict !== "resume" || !existing || partial.ranges.total > 0) return;
    // Without a hash nobody could tell whether it is.
    if (hash === null || existing.size === 0 || existing.size >= size) return;
    partial.guessedFrom = this.#local; // before a byte of it can be recorded
    await copyInto(partial, path, existing.size);
  }

  /** Length, mode and time as they are to be, all of it on the disk, and known to be. */
  async #finish(partial: PartialFile, target: LocalTarget, { bytes }: ReceivedFile): Promise<void> {
    await partial.file.truncate(bytes);
    await takeMode(target, this.#place.path);
    const { modified } = this.#content.item;
    if (modified) await partial.file.utime(new Date(modified), new Date(modified));
    await partial.settle();
  }

  async #keepDamaged({ bytes, quickXorHash }: ReceivedFile, why: string): Promise<GraphError> {
    const { item } = this.#content;
    const kept = join(dirname(this.#place.path), `.${crypto.randomUUID().slice(0, 8)}.damaged`);
    await Deno.rename(this.#place.path, kept);
    await this.#place.journal.remove(this.#place.key);
    return damagedError(
      `${item.path} ${describeMismatch(bytes, quickXorHash, this.#content, why)}`,
      `the file on the server is as it was; what arrived is kept as ${kept}`,
    );
  }

  /** Keeps what came, and says how much it is and how to go on; what nobody could go on from is removed. */
  async #unfinished(error: unknown, partial: PartialFile): Promise<unknown> {
    const failure = toGraphError(error);
    if (failure.kind === "damaged") return failure;
    try {
      await partial.record();
    } catch {
      // The disk may be full: then the last record holds.
    }
    if (partial.recordedBytes === 0) {
      await partial.remove();
      return error;
    }
    return incompleteDownloadError(failure, partial.recordedBytes, partial.totalBytes);
  }
}
