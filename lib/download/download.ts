/**
 * Downloads (https://learn.microsoft.com/graph/api/driveitem-get-content): into a private partial file that a later
 * process can resume, verified, then moved into place; or in order into a stream.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { usageError } from "../errors.ts";
import { getItem, type ResolvedItem } from "../drive/items.ts";
import type { LocationInput } from "../drive/location.ts";
import { statIfExists } from "../local/file_operations.ts";
import { inspectTarget, localExistsError, localLongerError, localPathFor } from "./local_target.ts";
import { compareDownload, downloadKind, RemoteContent } from "../content/remote_content.ts";
import { discardPartial, type DownloadOutcome, downloadToFile } from "./to_file.ts";
import type { ByteSink } from "../content/in_order.ts";
import { downloadToSink } from "./to_stream.ts";
import { forTransfer, type OnProgress, type TransferResult } from "../transfer/result.ts";
import { hashFile, type Verdict } from "../transfer/verify.ts";

/**
 * What to do when the local file exists. `resume`: it may be a prefix of the remote file, left by another tool; it is
 * replaced once the whole content is verified.
 */
export type DownloadConflict = "fail" | "replace" | "skip" | "resume";

/** How to download. */
export interface DownloadOptions {
  /** @default "fail" */
  conflict?: DownloadConflict;
  /** HTTP connections for one file, at most {@linkcode MAX_CONNECTIONS}. @default 1 below 64 MiB, otherwise 4 */
  connections?: number;
  /** Downloads nothing if the local file has the same content. @default false */
  ifChanged?: boolean;
  /** Changes nothing; the result says what would be done. @default false */
  dryRun?: boolean;
  onProgress?: OnProgress;
}

/** More gain nothing, and make the service throttle. */
export const MAX_CONNECTIONS = 16;

/**
 * Downloads a file, resuming what an earlier process left of the same download.
 *
 * @param destination A file or a folder. @default the current folder
 * @throws {GraphError} `notFound`; `conflict` when the local file exists; `damaged` when the content is not what the
 *   service states, which is kept under another name then.
 */
export async function downloadFile(
  connection: Connection,
  location: LocationInput,
  destination = ".",
  options: DownloadOptions = {},
): Promise<TransferResult> {
  const started = performance.now();
  const found = await getItem(connection, location);
  assertFile(found);
  const local = await localPathFor(destination, found.item.name);
  return await downloadItem(connection, found, local, options, started);
}

/**
 * Downloads an item to an exact local path, whose folder must exist.
 *
 * @param started When the work began, by `performance.now()`. @default now
 * @throws {GraphError} like {@linkcode downloadFile}.
 */
export async function downloadItem(
  connection: Connection,
  found: ResolvedItem,
  local: string,
  options: DownloadOptions = {},
  started = performance.now(),
): Promise<TransferResult> {
  assertFile(found);
  assertConnections(options.connections);
  const unchanged = options.ifChanged ? await findUnchanged(connection, found, local) : undefined;
  if (options.dryRun) {
    const outcome = unchanged ?? await predict(connection, found, local, options.conflict);
    return { ...toResult(found, local, outcome, started), dryRun: true };
  }
  if (unchanged) {
    await discardPartial(connection, local);
    return toResult(found, local, unchanged, started);
  }
  const { outcome, found: latest } = await downloadToFile(forTransfer(connection), found, local, options);
  return toResult(latest, local, outcome, started);
}

/**
 * Downloads a file into a stream, over one HTTP connection. Interrupted responses are resumed, but nothing that was
 * written can be taken back.
 *
 * @param sink Takes the bytes in order.
 * @throws {GraphError} `damaged` when what was written is not what the service states; `conflict`, code
 *   `resumeImpossible`, when the file changed meanwhile.
 */
export async function downloadStream(
  connection: Connection,
  location: LocationInput,
  sink: ByteSink,
  { onProgress }: Pick<DownloadOptions, "onProgress"> = {},
): Promise<TransferResult> {
  const started = performance.now();
  const found = await getItem(connection, location);
  assertFile(found);
  const context = forTransfer(connection);
  const content = new RemoteContent(context, found);
  const { bytes, verdict } = await downloadToSink(context, content, sink, { onProgress });
  const { arrivedBytes: sentBytes } = content;
  const outcome = { result: "downloaded" as const, verdict, bytes, sentBytes, resumedFrom: null };
  return toResult(content.found, "-", outcome, started);
}

/**
 * Whether the local file has the content of the item. Content that the service may serve otherwise than it states is
 * recognized by the time of its last change, which downloads set.
 */
async function findUnchanged(
  { storage }: Connection,
  found: ResolvedItem,
  local: string,
): Promise<DownloadOutcome | undefined> {
  const info = await statIfExists(local);
  if (!info?.isFile) return undefined;
  const { bytes, quickXorHash } = await hashFile(local, storage.http.signal);
  const nothing = { result: "unchanged" as const, bytes, sentBytes: 0, resumedFrom: null };
  if (compareDownload({ size: bytes, hash: quickXorHash }, found) === "verified") {
    return { ...nothing, verdict: "verified" };
  }
  const isSameTime = info.mtime !== null && found.item.modified !== null &&
    toSeconds(info.mtime) === toSeconds(new Date(found.item.modified));
  return isSameTime && downloadKind(found) !== undefined ? { ...nothing, verdict: "unverified" } : undefined;
}

/** What a download would do. */
async function predict(
  connection: Connection,
  found: ResolvedItem,
  local: string,
  conflict: DownloadConflict = "fail",
): Promise<DownloadOutcome> {
  const { size } = found.item;
  const nothing = { verdict: "unverified" as Verdict, sentBytes: 0, resumedFrom: null };
  // Its folder may not exist either.
  const existing = await statIfExists(local) && (await inspectTarget(local)).existing;
  if (existing && conflict === "fail") throw localExistsError(local);
  if (existing && conflict === "skip") return { ...nothing, result: "skipped", bytes: 0 };
  if (existing && conflict === "resume") {
    if (existing.size > size) throw localLongerError(found.item, local, existing.size);
    const unchanged = existing.size === size ? await findUnchanged(connection, found, local) : undefined;
    if (unchanged?.verdict === "verified") return unchanged;
  }
  return { ...nothing, result: "downloaded", bytes: size };
}

function assertConnections(connections: number | undefined): void {
  if (connections === undefined) return;
  if (Number.isInteger(connections) && connections >= 1 && connections <= MAX_CONNECTIONS) return;
  throw usageError(
    `${connections} is not a number of connections`,
    `give a number from 1 to ${MAX_CONNECTIONS}`,
    "invalidConnections",
  );
}

function assertFile({ item }: ResolvedItem): void {
  if (item.type === "file") return;
  const kind = item.type === "package"
    ? "a OneNote notebook, which has no content of its own"
    : `a ${item.type}`;
  throw usageError(`${item.path || "the root folder"} is ${kind}`, "name a file", "notAFile");
}

function toSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

function toResult(
  { item }: ResolvedItem,
  local: string,
  outcome: DownloadOutcome,
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
    ...outcome,
  };
}
