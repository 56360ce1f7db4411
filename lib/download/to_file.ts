/**
 * One download to a local path, from what an earlier process left to the finished file.
 *
 * @module
 */
import { dirname, join } from "../std.ts";
import type { Connection } from "../connect.ts";
import type { DownloadConflict, DownloadOptions } from "./download.ts";
import { DownloadJournal, type DownloadJournalEntry, isSameContent } from "./journal.ts";
import type { GraphError } from "../errors.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { ifExists, lstatIfExists, readAt } from "../local/file_operations.ts";
import { toGraphError } from "../local/local_error.ts";
import {
  inspectTarget,
  localExistsError,
  localLongerError,
  type LocalTarget,
  moveIntoPlace,
  takeMode,
} from "./local_target.ts";
import type { PartialFile, PartialPlace } from "./partial_file.ts";
import { fetchMissing } from "../content/ranged.ts";
import { RemoteContent } from "../content/remote_content.ts";
import { openPartial, readUnfinished, removeUnfinished } from "./resume.ts";
import { damagedError, type TransferResult } from "../transfer/result.ts";
import { hashFile } from "../transfer/verify.ts";
import { type CopyVerdict, damaged } from "../content/verdict.ts";
import { describeEnrichment, describeMismatch, FOREIGN, judgeCopy, UNSTABLE } from "./verdict.ts";

/** From this size on, several connections are the default. */
const PARALLEL_FROM_BYTES = 64 * 1024 * 1024;
const PARALLEL_CONNECTIONS = 4;

/** What a download did. */
export type DownloadOutcome = Pick<
  TransferResult,
  "result" | "verdict" | "bytes" | "sentBytes" | "resumedFrom"
>;

const SKIPPED: DownloadOutcome = {
  result: "skipped",
  verdict: "unverified",
  bytes: 0,
  sentBytes: 0,
  resumedFrom: null,
};

/** What arrived, and its verdict. */
type Received = CopyVerdict & { bytes: number; quickXorHash: string };

/**
 * Downloads an item to an exact local path.
 *
 * @throws {GraphError} `unavailable`, code `locked`, when another process downloads to the same path.
 */
export async function downloadToFile(
  connection: Connection,
  found: ResolvedItem,
  local: string,
  options: DownloadOptions,
): Promise<{ outcome: DownloadOutcome; found: ResolvedItem }> {
  const target = await inspectTarget(local);
  const place = await placeOf(connection, target);
  const { journal, key, signal } = place;
  // Most files of a second run need nothing: they are not locked.
  if (target.existing && !await journal.has(key)) {
    if (options.conflict === "skip") return { outcome: SKIPPED, found };
    if (!options.conflict || options.conflict === "fail") throw localExistsError(local);
  }
  return await journal.exclusively(key, signal, async () => {
    const content = new RemoteContent(connection, found);
    const download = new FileDownload(connection, content, place, local, options);
    return { outcome: await download.run(), found: content.found };
  });
}

/** Removes what an earlier process left of a download whose file is there now. */
export async function discardPartial(connection: Connection, local: string): Promise<void> {
  const place = await placeOf(connection, await inspectTarget(local));
  if (!await place.journal.has(place.key)) return; // no lock for most files of a second run
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
  // The file's own name with a suffix could be longer than the file system allows.
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
    await using partial = await openPartial(this.#place, entry, this.#content, notice);
    try {
      return await this.#fill(partial, target);
    } catch (error) {
      throw await this.#incomplete(error, partial);
    }
  }

  /** A process may have been killed after it moved the file into place and before it removed the journal entry. */
  async #findFinished(
    entry: DownloadJournalEntry,
    { path, existing }: LocalTarget,
  ): Promise<DownloadOutcome | undefined> {
    if (!existing || !isSameContent(entry, this.#content.found)) return undefined;
    const partial = await lstatIfExists(this.#place.path);
    const isPartial = partial !== undefined && partial.ino !== null && partial.ino === existing.ino &&
      partial.dev === existing.dev;
    if (partial && !isPartial) return undefined;
    const { bytes, quickXorHash } = await hashFile(path, this.#place.signal);
    const compared = this.#content.compare(bytes, quickXorHash);
    if (!isPartial && compared !== "verified") return undefined;
    if (compared === "different" && this.#content.enrichedKind === undefined) return undefined;
    // It was moved into place, so it had a verdict; which one is not recorded.
    const verdict = compared === "different" ? "unverified" : compared;
    if (partial) await Deno.remove(this.#place.path);
    await this.#place.journal.remove(this.#place.key);
    return { result: "downloaded", verdict, bytes, sentBytes: 0, resumedFrom: bytes };
  }

  /** Applies the conflict behavior to an existing file; `undefined`: download. */
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
    const { bytes, quickXorHash } = await hashFile(path, this.#place.signal);
    if (this.#content.compare(bytes, quickXorHash) !== "verified") return undefined;
    if (entry) await removeUnfinished(this.#place, entry);
    return { result: "unchanged", verdict: "verified", bytes, sentBytes: 0, resumedFrom: null };
  }

  async #fill(partial: PartialFile, target: LocalTarget): Promise<DownloadOutcome> {
    await this.#usePrefix(partial, target);
    const received = await this.#receive(partial);
    const { verdict, bytes, quickXorHash } = received;
    await this.#finish(partial, target, bytes);
    if (verdict === "damaged") throw await this.#keepDamaged(received, received.why);
    if (this.#content.compare(bytes, quickXorHash) === "different") {
      this.#connection.notice(describeEnrichment(bytes, verdict, this.#content));
    }
    const replace = this.#conflict === "replace" ? "any" : this.#conflict === "resume" ? "seen" : "none";
    await moveIntoPlace(this.#place.path, target, replace);
    await this.#place.journal.remove(this.#place.key);
    const { arrivedBytes: sentBytes } = this.#content;
    return { result: "downloaded", verdict, bytes, sentBytes, resumedFrom: partial.resumedFrom };
  }

  /** With the conflict behavior `resume`, the local file is taken for a prefix of the content. */
  async #usePrefix(partial: PartialFile, { path, existing }: LocalTarget): Promise<void> {
    const { size, hash } = this.#content.item;
    if (this.#conflict !== "resume" || !existing || partial.ranges.total > 0) return;
    // Without a hash nothing could tell whether it is.
    if (hash === null || existing.size === 0 || existing.size >= size) return;
    partial.assumedPrefixOf = this.#local; // before a byte of it can be recorded
    await partial.copyPrefix(path, existing.size);
  }

  /** Fetches the content, again if it is not what the service states: a resumed file may have been damaged before. */
  async #receive(partial: PartialFile): Promise<Received> {
    const { onProgress } = this.#options;
    const connections = this.#options.connections ??
      (this.#content.item.size < PARALLEL_FROM_BYTES ? 1 : PARALLEL_CONNECTIONS);
    for (let retriesLeft = partial.resumedFrom === null ? 1 : 2;; retriesLeft--) {
      await fetchMissing(this.#content, partial, { connections, onProgress });
      const received = { bytes: partial.ranges.prefixEnd, quickXorHash: await partial.digest() };
      const judged = await this.#judge(partial, received, retriesLeft);
      if (judged) return { ...received, ...judged };
    }
  }

  /** Judges what arrived; `undefined` if it is to be fetched again, for which the partial file is prepared. */
  async #judge(
    partial: PartialFile,
    { bytes, quickXorHash }: { bytes: number; quickXorHash: string },
    retriesLeft: number,
  ): Promise<CopyVerdict | undefined> {
    const compared = this.#content.compare(bytes, quickXorHash);
    const isMixed = partial.resumedFrom !== null || this.#content.requests > 1;
    if (compared === "verified" || (compared === "unverified" && !isMixed)) return { verdict: compared };
    const { version, item, isForeign } = this.#content;
    const { notice } = this.#connection;
    await this.#content.refresh();
    // What was known of the item may have been outdated.
    if (this.#content.compare(bytes, quickXorHash) === "verified") return { verdict: "verified" };
    if (this.#content.version !== version) {
      this.#content.noteRestart();
      await partial.restart();
      return undefined;
    }
    if (partial.assumedPrefixOf !== null) {
      notice(`${partial.assumedPrefixOf} is not a prefix of ${item.path}; starting from the first byte`);
      await partial.restart();
      return undefined;
    }
    if (compared === "unverified") return { verdict: compared };
    if (partial.isSameCopy && !isForeign) return await this.#judgeCopy(partial);
    if (retriesLeft === 0) return damaged(isForeign ? FOREIGN : UNSTABLE);
    notice(`${item.path} is not what the service states; downloading it once more from the first byte`);
    if (isForeign) await partial.restart();
    else await partial.restartComparing();
    return undefined;
  }

  async #judgeCopy(partial: PartialFile): Promise<CopyVerdict> {
    const copy = {
      size: partial.ranges.prefixEnd,
      read: (buffer: Uint8Array, position: number) => readAt(partial.file, buffer, position),
    };
    return await judgeCopy(this.#content, copy, this.#place.signal);
  }

  /** Sets length, mode and time, and syncs the file. */
  async #finish(partial: PartialFile, target: LocalTarget, bytes: number): Promise<void> {
    await partial.file.truncate(bytes);
    await takeMode(target, this.#place.path);
    const { modified } = this.#content.item;
    if (modified) await partial.file.utime(new Date(modified), new Date(modified));
    await partial.settle();
  }

  async #keepDamaged({ bytes, quickXorHash }: Received, why: string): Promise<GraphError> {
    const kept = join(dirname(this.#place.path), `.${crypto.randomUUID().slice(0, 8)}.damaged`);
    await Deno.rename(this.#place.path, kept);
    await this.#place.journal.remove(this.#place.key);
    return damagedError(
      describeMismatch(bytes, quickXorHash, this.#content, why),
      `the file on the server is unchanged; what arrived is kept as ${kept}`,
    );
  }

  /** Keeps what arrived, and adds to the error how much that is; what cannot be resumed is removed. */
  async #incomplete(error: unknown, partial: PartialFile): Promise<unknown> {
    const failure = toGraphError(error);
    if (failure.kind === "damaged") return failure;
    try {
      await partial.record();
    } catch {
      // The disk may be full: then the previous journal entry counts.
    }
    if (partial.recordedBytes > 0) {
      return incompleteDownloadError(failure, partial.recordedBytes, partial.totalBytes);
    }
    await ifExists(partial.remove());
    return error;
  }
}

/** The error of a download that can be resumed. */
function incompleteDownloadError(failure: GraphError, doneBytes: number, totalBytes: number): GraphError {
  const percent = Math.floor(doneBytes / totalBytes * 100);
  const message = `${failure.message}; ${doneBytes} of ${totalBytes} bytes (${percent} %) are there`;
  return failure.withMessage(message, { hint: resumeHint(failure) });
}

function resumeHint({ kind, code, hint }: GraphError): string | undefined {
  if (kind === "interrupted" || kind === "unavailable") return "run the same command again to resume";
  if (kind === "noSpace") return "free space, then run the same command again to resume";
  if (code === "localExists" || code === "localReplaced") return undefined;
  return `${hint ? `${hint}; ` : ""}the same command resumes`;
}
