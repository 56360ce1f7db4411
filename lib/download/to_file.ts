/**
 * One download to a local path, from what an earlier process left to the finished file.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { fetchMissing } from "../content/ranged.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import { acceptCopy, type CopyVerdict, FOREIGN, judgeCopy, UNSTABLE } from "../content/verdict.ts";
import { GraphError } from "../errors.ts";
import { journalKey } from "../local/journal.ts";
import { toGraphError } from "../local/local_error.ts";
import { ifExists, lstatIfExists, readAt } from "../local/local_file.ts";
import { dirname, join } from "../std.ts";
import type { TransferResult } from "../transfer/result.ts";
import { hashFile } from "../transfer/verify.ts";
import type { DownloadConflict, DownloadOptions } from "./download.ts";
import { type DownloadJournalEntry, isSameContent, openDownloadJournal } from "./journal.ts";
import {
  inspectTarget,
  localExistsError,
  type LocalTarget,
  moveIntoPlace,
  takeMode,
} from "./local_target.ts";
import type { PartialFile, PartialPlace } from "./partial_file.ts";
import { openPartial, readUnfinished, removeUnfinished } from "./resume.ts";

/** From this size on, several connections are the default. */
const PARALLEL_FROM_BYTES = 64 * 1024 * 1024;
const PARALLEL_CONNECTIONS = 4;

/** What a download did. */
export type DownloadOutcome =
  & Pick<TransferResult, "result" | "verdict" | "bytes">
  & Partial<Pick<TransferResult, "sentBytes" | "resumedFrom">>;

/** One download, while no other process works on the same local path. */
interface FileDownload {
  content: RemoteContent;
  place: PartialPlace;
  target: LocalTarget;
  options: DownloadOptions;
}

/** What arrived, and its QuickXorHash. */
interface Received {
  bytes: number;
  quickXorHash: string;
}

/**
 * Downloads content to an exact local path.
 *
 * @throws {GraphError} `unavailable`, code `locked`, when another process downloads to the same path.
 */
export async function downloadToFile(
  connection: Connection,
  content: RemoteContent,
  local: string,
  options: DownloadOptions,
): Promise<DownloadOutcome> {
  const { conflict = "fail" } = options;
  const target = await inspectTarget(local);
  const place = await placeOf(connection, target.path);
  // Most files of a second run need nothing: they are not locked.
  const isInTheWay = target.existing && (conflict === "skip" || conflict === "fail");
  if (isInTheWay && !await place.journal.has(place.key)) {
    const settled = await settleConflict(content, target, conflict, place.signal);
    if (settled) return settled;
  }
  return await place.journal.exclusively(place.key, place.signal, async () => {
    const target = await inspectTarget(local);
    return await download({ content, place, target, options: { ...options, conflict } });
  });
}

/** Applies the conflict behavior to an existing file; `undefined`: download. */
export async function settleConflict(
  content: RemoteContent,
  { local, path, existing }: LocalTarget,
  conflict: DownloadConflict,
  signal: AbortSignal | undefined,
): Promise<DownloadOutcome | undefined> {
  if (!existing || conflict === "replace") return undefined;
  if (conflict === "skip") return { result: "skipped", verdict: "unverified", bytes: 0 };
  if (conflict === "fail") throw localExistsError(local);
  const { item } = content;
  if (existing.size > item.size) {
    const message = `${local} is longer than ${item.path}: ${existing.size} bytes, not ${item.size}`;
    throw new GraphError("conflict", message, { code: "localLonger" });
  }
  if (existing.size < item.size) return undefined;
  const { bytes, quickXorHash } = await hashFile(path, signal);
  const isWhole = content.compare(bytes, quickXorHash) === "verified";
  return isWhole ? { result: "unchanged", verdict: "verified", bytes } : undefined;
}

/** Removes what an earlier process left of a download whose file is there now. */
export async function discardPartial(connection: Connection, local: string): Promise<void> {
  const place = await placeOf(connection, (await inspectTarget(local)).path);
  if (!await place.journal.has(place.key)) return; // no lock for most files of a second run
  await place.journal.exclusively(place.key, place.signal, async () => {
    const entry = await readUnfinished(place);
    if (entry) await removeUnfinished(place, entry);
  });
}

async function placeOf({ settings, storage, notice }: Connection, local: string): Promise<PartialPlace> {
  const { now, signal } = storage.http;
  const journal = openDownloadJournal(join(settings.state, "downloads"), now, notice);
  const key = await journalKey(local);
  // The file's own name with a suffix could be longer than the file system allows.
  return { journal, key, path: join(dirname(local), `.${key.slice(0, 16)}.partial`), local, signal, notice };
}

async function download(context: FileDownload): Promise<DownloadOutcome> {
  const { place } = context;
  let entry = await readUnfinished(place);
  if (entry) {
    const finished = await findFinished(context, entry);
    if (finished) return finished;
    if (!await lstatIfExists(place.path)) {
      await place.journal.remove(place.key);
      entry = undefined;
    }
  }
  const { content, target, options: { conflict = "fail" } } = context;
  const settled = await settleConflict(content, target, conflict, place.signal);
  if (settled?.result === "unchanged" && entry) await removeUnfinished(place, entry);
  if (settled) return settled;
  await using partial = await openPartial(place, entry, content);
  try {
    return await fill(context, partial);
  } catch (error) {
    throw await keepIncomplete(error, partial);
  }
}

/** A process may have been killed after it moved the file into place and before it removed the journal entry. */
async function findFinished(
  { content, place, target: { path, existing } }: FileDownload,
  entry: DownloadJournalEntry,
): Promise<DownloadOutcome | undefined> {
  if (!existing || !isSameContent(entry, content.found)) return undefined;
  const partial = await lstatIfExists(place.path);
  const isPartial = partial !== undefined && partial.ino !== null && partial.ino === existing.ino &&
    partial.dev === existing.dev;
  if (partial && !isPartial) return undefined;
  const { bytes, quickXorHash } = await hashFile(path, place.signal);
  const compared = content.compare(bytes, quickXorHash);
  if (!isPartial && compared !== "verified") return undefined;
  if (compared === "different" && content.enrichedKind === undefined) return undefined;
  // It was moved into place, so it had a verdict; which one is not recorded.
  const verdict = compared === "different" ? "unverified" : compared;
  if (partial) await Deno.remove(place.path);
  await place.journal.remove(place.key);
  return { result: "downloaded", verdict, bytes, resumedFrom: bytes };
}

async function fill(context: FileDownload, partial: PartialFile): Promise<DownloadOutcome> {
  const { content, place, target, options: { conflict } } = context;
  if (conflict === "resume") await assumePrefix(context, partial);
  const { received, judged } = await receive(context, partial);
  await partial.file.truncate(received.bytes);
  await takeMode(target, place.path);
  const { modified } = content.item;
  if (modified) await partial.file.utime(new Date(modified), new Date(modified));
  await partial.sync();
  const verdict = await acceptCopy(content, received, judged, place.notice, async () => {
    const kept = join(dirname(place.path), `.${crypto.randomUUID().slice(0, 8)}.damaged`);
    await Deno.rename(place.path, kept);
    await place.journal.remove(place.key);
    return `the file on the server is unchanged; what arrived is kept as ${kept}`;
  });
  await moveIntoPlace(place.path, target, conflict);
  await place.journal.remove(place.key);
  const { arrivedBytes: sentBytes } = content;
  return {
    result: "downloaded",
    verdict,
    bytes: received.bytes,
    sentBytes,
    resumedFrom: partial.resumedFrom,
  };
}

/** With the conflict behavior `resume`, the local file is taken for a prefix of the content. */
async function assumePrefix(
  { content, target: { local, path, existing } }: FileDownload,
  partial: PartialFile,
): Promise<void> {
  const { size, hash } = content.item;
  if (!existing || partial.ranges.total > 0) return;
  // Without a hash nothing could tell whether it is.
  if (hash === null || existing.size === 0 || existing.size >= size) return;
  partial.assumedPrefixOf = local; // before a byte of it can be recorded
  await partial.copyPrefix(path, existing.size);
}

/** Fetches the content, again if it is not what the service states: a resumed file may have been damaged before. */
async function receive(
  context: FileDownload,
  partial: PartialFile,
): Promise<{ received: Received; judged: CopyVerdict }> {
  const { content, options } = context;
  const byDefault = content.item.size < PARALLEL_FROM_BYTES ? 1 : PARALLEL_CONNECTIONS;
  for (let retriesLeft = partial.resumedFrom === null ? 1 : 2;; retriesLeft--) {
    await fetchMissing(content, partial, options.connections ?? byDefault, options.onProgress);
    const received = { bytes: partial.ranges.prefixEnd, quickXorHash: await partial.digest() };
    const judged = await judge(context, partial, received, retriesLeft);
    if (judged) return { received, judged };
  }
}

/** Judges what arrived; `undefined` if it is to be fetched again, for which the partial file is prepared. */
async function judge(
  { content, place }: FileDownload,
  partial: PartialFile,
  { bytes, quickXorHash }: Received,
  retriesLeft: number,
): Promise<CopyVerdict | undefined> {
  const compared = content.compare(bytes, quickXorHash);
  const isMixed = partial.resumedFrom !== null || content.requests > 1;
  if (compared === "verified" || (compared === "unverified" && !isMixed)) return { verdict: compared };
  const { version, item, isForeign } = content;
  await content.refresh();
  // What was known of the item may have been outdated.
  if (content.compare(bytes, quickXorHash) === "verified") return { verdict: "verified" };
  if (content.version !== version) {
    content.noteRestart();
    await partial.restart();
    return undefined;
  }
  if (partial.assumedPrefixOf !== null) {
    place.notice(`${partial.assumedPrefixOf} is not a prefix of ${item.path}; starting from the first byte`);
    await partial.restart();
    return undefined;
  }
  if (compared === "unverified") return { verdict: compared };
  if (partial.isSameCopy && !isForeign) {
    const read = (buffer: Uint8Array, position: number) => readAt(partial.file, buffer, position);
    return await judgeCopy(content, { size: bytes, read }, place.signal);
  }
  if (retriesLeft === 0) return isForeign ? FOREIGN : UNSTABLE;
  place.notice(`${item.path} is not what the service states; downloading it once more from the first byte`);
  if (isForeign) await partial.restart();
  else await partial.restartComparing();
  return undefined;
}

/** Keeps what arrived, and adds to the error how much that is; what cannot be resumed is removed. */
async function keepIncomplete(error: unknown, partial: PartialFile): Promise<unknown> {
  const failure = toGraphError(error);
  if (failure.kind === "damaged") return failure;
  try {
    await partial.record();
  } catch {
    // The disk may be full: then the previous journal entry counts.
  }
  const { recordedBytes, totalBytes } = partial;
  if (recordedBytes === 0) {
    await ifExists(partial.remove());
    return error;
  }
  const percent = Math.floor(recordedBytes / totalBytes * 100);
  const message = `${failure.message}; ${recordedBytes} of ${totalBytes} bytes (${percent} %) are there`;
  return failure.withMessage(message, { hint: resumeHint(failure) });
}

function resumeHint({ kind, code, hint }: GraphError): string | undefined {
  if (kind === "interrupted" || kind === "unavailable") return "run the same command again to resume";
  if (kind === "noSpace") return "free space, then run the same command again to resume";
  if (code === "localExists" || code === "localReplaced") return undefined;
  return `${hint ? `${hint}; ` : ""}the same command resumes`;
}
