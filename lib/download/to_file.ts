/**
 * One download to a local path, from what an earlier process left to the finished file.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { throwIfAborted } from "../abort.ts";
import { acceptCopy, assessCopy, type CopyVerdict } from "../content/copy.ts";
import { fetchMissing } from "../content/ranged.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import { GraphError } from "../errors.ts";
import { journalKey } from "../local/journal.ts";
import { toGraphError } from "../local/local_error.ts";
import { lstatIfExists, readAt, rename } from "../local/local_file.ts";
import { dirname, join } from "../std.ts";
import { incompleteError, type TransferResult } from "../transfer/result.ts";
import { hashFile } from "../transfer/verify.ts";
import type { DownloadOptions } from "./download.ts";
import {
  inspectTarget,
  localExistsError,
  type LocalTarget,
  moveIntoPlace,
  takeMode,
} from "./local_target.ts";
import {
  type DownloadJournalEntry,
  isSameContent,
  openDownloadJournal,
  openPartial,
  type PartialFile,
  type PartialPlace,
  removeUnfinished,
} from "./partial_file.ts";

export type DownloadOutcome =
  & Pick<TransferResult, "result" | "verdict" | "bytes">
  & Partial<Pick<TransferResult, "sentBytes" | "resumedFrom">>;

/** One download, while no other process works on the same local path. */
interface FileDownload {
  content: RemoteContent;
  place: PartialPlace;
  target: LocalTarget;
  options: DownloadOptions;
  /** Whether an earlier process left a journal entry, readable or not. */
  isUnfinished: boolean;
}

/** What arrived, its QuickXorHash, and the verdict on it. */
interface Received {
  bytes: number;
  quickXorHash: string;
  assessed: CopyVerdict;
}

/**
 * Downloads content to an exact local path.
 *
 * @throws {GraphError} `unavailable`, code `locked`, when another process downloads to the same path.
 */
export async function downloadToFile(
  { settings, storage: { http }, notice }: Connection,
  content: RemoteContent,
  local: string,
  options: DownloadOptions,
): Promise<DownloadOutcome> {
  const target = await inspectTarget(local);
  const journal = openDownloadJournal(join(settings.state, "downloads"), http.now, notice);
  const key = await journalKey(target.path);
  // The file's own name with a suffix could be longer than the file system allows.
  const path = join(dirname(target.path), `.${key.slice(0, 16)}.partial`);
  // Most files of a second run need nothing: they are not locked.
  const isUnfinished = await journal.has(key);
  const settled = isUnfinished ? undefined : await settleExisting(content, target, options);
  if (settled) return settled;
  const context = { content, place: { journal, key, path, notice }, target, options, isUnfinished };
  return await journal.exclusively(key, http.signal, () => download(context));
}

/** The outcome of a download that an existing local file settles; `undefined` if there is something to do. */
export async function settleExisting(
  content: RemoteContent,
  { local, path, existing }: LocalTarget,
  { conflict = "fail", ifChanged = false }: DownloadOptions,
): Promise<DownloadOutcome | undefined> {
  if (!existing) return undefined;
  const unchanged = ifChanged ? await findUnchanged(content, path, existing) : undefined;
  if (unchanged || conflict === "replace") return unchanged;
  if (conflict === "skip") return { result: "skipped", verdict: "unverified", bytes: 0 };
  if (conflict === "fail") throw localExistsError(local);
  const { item } = content;
  if (existing.size > item.size) {
    const message = `${local} is longer than ${item.path}: ${existing.size} bytes, not ${item.size}`;
    throw new GraphError("conflict", message, { code: "localLonger" });
  }
  return existing.size === item.size ? await findUnchanged(content, path, existing) : undefined;
}

/**
 * Whether the local file has the content of the item. Content that the service may serve otherwise than it states is
 * recognized by the time of its last change, which downloads set.
 */
async function findUnchanged(
  content: RemoteContent,
  path: string,
  { mtime }: Deno.FileInfo,
): Promise<DownloadOutcome | undefined> {
  const { bytes, quickXorHash } = await hashFile(path, content.http.signal);
  const isVerified = content.compare(bytes, quickXorHash) === "verified";
  const { modified } = content.item;
  const isSameTime = mtime !== null && modified !== null &&
    toSeconds(mtime) === toSeconds(new Date(modified));
  if (!isVerified && !(isSameTime && content.enrichedKind !== undefined)) return undefined;
  return { result: "unchanged", verdict: isVerified ? "verified" : "unverified", bytes };
}

function toSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

async function download(context: FileDownload): Promise<DownloadOutcome> {
  const { content, place, target, options, isUnfinished } = context;
  const entry = await place.journal.read(place.key);
  if (isUnfinished) {
    const finished = entry && await findFinished(context, entry);
    const settled = finished ?? await settleExisting(content, target, options);
    if (entry && settled && settled.result !== "skipped") await removeUnfinished(place);
    if (settled) return settled;
  }
  using partial = await openPartial(place, entry, content);
  try {
    return await fill(context, partial);
  } catch (error) {
    throw await keepIncomplete(error, context, partial);
  }
}

/** A process may have been killed after it moved the file into place and before it removed the journal entry. */
async function findFinished(
  { content, place, target: { path, existing } }: FileDownload,
  entry: DownloadJournalEntry,
): Promise<DownloadOutcome | undefined> {
  if (!existing || !isSameContent(entry, content.found)) return undefined;
  const partial = await lstatIfExists(place.path);
  const isLinked = partial && partial.ino !== null && partial.ino === existing.ino &&
    partial.dev === existing.dev;
  if (partial && !isLinked) return undefined;
  const { bytes, quickXorHash } = await hashFile(path, content.http.signal);
  const compared = content.compare(bytes, quickXorHash);
  if (!partial && compared !== "verified") return undefined;
  if (compared === "different" && content.enrichedKind === undefined) return undefined;
  // It was moved into place, so it had a verdict; which one is not recorded.
  const verdict = compared === "different" ? "unverified" : compared;
  return { result: "downloaded", verdict, bytes, resumedFrom: bytes };
}

async function fill(context: FileDownload, partial: PartialFile): Promise<DownloadOutcome> {
  const { content, place, target, options: { conflict = "fail" } } = context;
  const { hash, modified, size } = content.item;
  const { existing, path } = target;
  // The local file is taken for a prefix of the content; without a hash nothing could tell whether it is.
  const isPrefix = existing && existing.size > 0 && existing.size < size && hash !== null;
  if (conflict === "resume" && isPrefix && partial.ranges.total === 0) {
    await partial.copyPrefix(path, content.http.signal);
  }
  const received = await receive(context, partial);
  await takeMode(target, place.path);
  if (modified) await partial.file.utime(new Date(modified), new Date(modified));
  await partial.finish();
  const verdict = await acceptCopy(content, received, received.assessed, place.notice, async () => {
    const kept = join(dirname(place.path), `.${crypto.randomUUID().slice(0, 8)}.damaged`);
    await rename(place.path, kept);
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

/** Fetches the content, again if it is not what the service states: a resumed file may have been damaged before. */
async function receive({ content, place, options }: FileDownload, partial: PartialFile): Promise<Received> {
  /** SHA-256 of a first copy that this process has fetched whole. */
  let first: string | undefined;
  while (true) {
    await fetchMissing(content, partial, options.connections, options.onProgress);
    await partial.file.truncate(partial.ranges.prefixEnd);
    const copy = await partial.hash(content.http.signal);
    if (content.compare(copy.bytes, copy.quickXorHash) === "verified") {
      return { ...copy, assessed: { verdict: "verified" } };
    }
    // What was known of the item may be outdated, or several requests were served from several versions.
    const { version, isForeign } = content;
    await content.refresh();
    if (content.version !== version) {
      first = undefined;
      content.noteRestart();
      await partial.restart();
      continue;
    }
    const compared = content.compare(copy.bytes, copy.quickXorHash);
    const isProven = compared === "verified" || compared === "unverified" && partial.assumedPrefixOf === null;
    if (isProven) return { ...copy, assessed: { verdict: compared } };
    if (partial.resumedFrom === null) {
      const sha256 = await sha256OfFile(place.path, content.http.signal);
      if (first !== undefined) {
        const read = (buffer: Uint8Array, position: number) => readAt(partial.file, buffer, position);
        const isSame = sha256 === first && !isForeign;
        return { ...copy, assessed: await assessCopy(content, { size: copy.bytes, read }, isSame) };
      }
      first = sha256;
    }
    place.notice(
      `${content.item.path} is not what the service states; downloading it once more from the first byte`,
    );
    await partial.restart();
  }
}

async function sha256OfFile(path: string, signal: AbortSignal | undefined): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  for await (const bytes of (await Deno.open(path)).readable) {
    throwIfAborted(signal);
    hash.update(bytes);
  }
  return hash.digest("hex");
}

/** Keeps what arrived, and adds to the error how much that is; what cannot be resumed is removed. */
async function keepIncomplete(
  error: unknown,
  { content: { item: { size } }, place }: FileDownload,
  partial: PartialFile,
): Promise<unknown> {
  const failure = toGraphError(error);
  if (failure.kind === "damaged") return failure;
  try {
    await partial.record();
  } catch {
    // The disk may be full: then the previous journal entry counts.
  }
  const { recordedBytes } = partial;
  if (recordedBytes === 0) {
    await removeUnfinished(place);
    return error;
  }
  const mayPass = failure.kind === "interrupted" || failure.kind === "unavailable";
  const hint = mayPass ? "run the same command again to resume" : failure.hint;
  return incompleteError(failure, { doneBytes: recordedBytes, size, are: "there" }, hint);
}
