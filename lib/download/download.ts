/**
 * Downloads (https://learn.microsoft.com/graph/api/driveitem-get-content): into a private partial file that a later
 * process goes on with, verified, and only then given their name; or in order to standard output.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { type CopyVerdict, damaged, FOREIGN, judgeCopy } from "./verdict.ts";
import { describeMismatch, whyDifferent } from "./outcome.ts";
import { usageError } from "../errors.ts";
import { discardPartial, type DownloadOutcome, downloadToFile } from "./file_download.ts";
import { getItem, type ResolvedItem } from "../drive/items.ts";
import {
  inspectTarget,
  localExistsError,
  localLongerError,
  localPathFor,
  statIfExists,
} from "./local_target.ts";
import type { LocationInput } from "../drive/location.ts";
import { findUnchanged } from "./unchanged.ts";
import { fetchPrivateCopy } from "./private_copy.ts";
import { type Sink, StreamDownload } from "./stream_download.ts";
import { RemoteContent } from "./remote_content.ts";
import { damagedError, forTransfer, type OnProgress, type TransferResult } from "../transfer/result.ts";
import { ContentHash } from "../transfer/verify.ts";

/**
 * What to do when the local file exists. `resume`: it may be the beginning of the remote file, left by another tool; it
 * is replaced when the whole is verified.
 */
export type DownloadConflict = "fail" | "replace" | "skip" | "resume";

/** How to download. */
export interface DownloadOptions {
  /** @default "fail" */
  conflict?: DownloadConflict;
  /** Connections at once, {@linkcode MAX_CONNECTIONS} at most. @default 1 below 64 MiB, otherwise 4 */
  connections?: number;
  /** Fetches nothing when the same content is there already. @default false */
  ifChanged?: boolean;
  /** Changes nothing and tells what would be done. @default false */
  dryRun?: boolean;
  onProgress?: OnProgress;
}

/** More at once gain nothing, and make the service throttle. */
export const MAX_CONNECTIONS = 16;

/**
 * Downloads a file. What an earlier process of the same download left is gone on with.
 *
 * @param destination A file or a folder; `-` for standard output. @default the current folder
 * @throws {GraphError} `notFound`, `conflict` when the local file exists, `damaged` when the content is not what the
 *   service said it would be (it is kept under another name then), …
 */
export async function downloadFile(
  connection: Connection,
  location: LocationInput,
  destination = ".",
  options: DownloadOptions = {},
): Promise<TransferResult> {
  const started = performance.now();
  const found = await getItem(connection, location);
  checkFile(found);
  if (destination !== "-") {
    const local = await localPathFor(destination, found.item.name);
    return await downloadItem(connection, found, local, options, started);
  }
  const content = new RemoteContent(forTransfer(connection), found);
  const downloaded = await toStandardOutput(connection, content, options);
  return resultOf(content.found, "-", downloaded, started);
}

/**
 * Downloads an item that was found already.
 *
 * @param local Exact path of the local file; its folder must exist.
 * @param started When the work began, by `performance.now()`. @default now
 * @throws {GraphError} As {@linkcode downloadFile}.
 */
export async function downloadItem(
  connection: Connection,
  found: ResolvedItem,
  local: string,
  options: DownloadOptions = {},
  started = performance.now(),
): Promise<TransferResult> {
  checkFile(found);
  checkConnections(options.connections);
  const present = options.ifChanged ? await findUnchanged(connection, found, local) : undefined;
  const nothing = { sentBytes: 0, resumedFrom: null };
  const dry = options.dryRun ? { dryRun: true as const } : {};
  if (present) {
    if (!options.dryRun) await discardPartial(connection, local);
    return { ...resultOf(found, local, { result: "unchanged", ...nothing, ...present }, started), ...dry };
  }
  if (options.dryRun) {
    const expected = { ...await expectedDownload(connection, found, local, options.conflict), ...nothing };
    return { ...resultOf(found, local, expected, started), ...dry };
  }
  const { downloaded, found: latest } = await downloadToFile(forTransfer(connection), found, local, options);
  return resultOf(latest, local, downloaded, started);
}

/** @throws {GraphError} `usage` for a number of connections that cannot be meant. */
function checkConnections(connections: number | undefined): void {
  if (connections === undefined) return;
  if (Number.isInteger(connections) && connections >= 1 && connections <= MAX_CONNECTIONS) return;
  throw usageError(
    `${connections} is not a number of connections`,
    `give a number from 1 to ${MAX_CONNECTIONS}`,
    "invalidConnections",
  );
}

/** What a download would do. */
async function expectedDownload(
  connection: Connection,
  found: ResolvedItem,
  local: string,
  conflict: DownloadConflict = "fail",
) {
  const { size } = found.item;
  // Its folder may not be there yet, either.
  const existing = await statIfExists(local) && (await inspectTarget(local)).existing;
  if (existing && conflict === "fail") throw localExistsError(local);
  if (existing && conflict === "resume") {
    if (existing.size > size) throw localLongerError(found.item, local, existing.size);
    const present = existing.size === size ? await findUnchanged(connection, found, local) : undefined;
    if (present?.verdict === "verified") return { result: "unchanged" as const, ...present };
  }
  const skipped = existing && conflict === "skip";
  return {
    result: skipped ? "skipped" as const : "downloaded" as const,
    verdict: "unverified" as const,
    bytes: skipped ? 0 : size,
  };
}

function checkFile({ item }: ResolvedItem): void {
  if (item.type === "file") return;
  const kind = item.type === "package"
    ? "a OneNote notebook, which has no content of its own"
    : `a ${item.type}`;
  throw usageError(`${item.path || "the root folder"} is ${kind}`, "name a file", "notAFile");
}

async function toStandardOutput(
  connection: Connection,
  content: RemoteContent,
  options: DownloadOptions,
): Promise<DownloadOutcome> {
  const hash = await ContentHash.create();
  const sink: Sink = {
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
      hash.add(bytes, hash.position);
    },
    restart: () => Promise.resolve(hash.position === 0), // what was written cannot be taken back
  };
  await new StreamDownload(content, sink, 0, options.onProgress).run();
  const bytes = hash.position;
  const { quickXorHash, sha256 } = hash.digest();
  const judged = await judgeWritten(connection, content, { bytes, quickXorHash, sha256 });
  if (judged.verdict === "damaged") {
    throw damagedError(
      `${content.item.path} ${describeMismatch(bytes, quickXorHash, content, judged.why)}`,
      "what was written to standard output must not be used",
    );
  }
  const { verdict } = judged;
  if (content.compare(bytes, quickXorHash) === "different") {
    connection.notice(whyDifferent(bytes, verdict, content));
  }
  return {
    result: "downloaded",
    verdict,
    bytes,
    sentBytes: content.arrivedBytes,
    resumedFrom: null,
    sha256,
  };
}

/** Judges what was written to standard output, by a second copy where it is not what the service states. */
async function judgeWritten(
  connection: Connection,
  content: RemoteContent,
  written: { bytes: number; quickXorHash: string; sha256: string },
): Promise<CopyVerdict> {
  const compared = content.compare(written.bytes, written.quickXorHash);
  if (compared !== "different") return { verdict: compared };
  const { isForeign } = content;
  await content.refresh();
  if (content.compare(written.bytes, written.quickXorHash) === "verified") return { verdict: "verified" };
  if (content.enrichedKind === undefined) return damaged("the service is not known to change such files");
  using copy = await fetchPrivateCopy(connection, content);
  if (isForeign || content.isForeign) return damaged(FOREIGN);
  if (copy.sha256 !== written.sha256) return damaged("it comes differently each time");
  return await judgeCopy(content, copy.content, connection.storage.http.signal);
}

function resultOf(
  { item }: ResolvedItem,
  local: string,
  downloaded: DownloadOutcome,
  started: number,
): TransferResult {
  return {
    path: item.path,
    local,
    id: item.id,
    driveId: item.driveId,
    eTag: item.eTag,
    quickXorHash: item.hash,
    seconds: (performance.now() - started) / 1000,
    ...downloaded,
  };
}
