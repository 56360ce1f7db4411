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
import { statIfExists } from "../local/local_file.ts";
import { inspectTarget, localPathFor } from "./local_target.ts";
import { RemoteContent } from "../content/remote_content.ts";
import { discardPartial, type DownloadOutcome, downloadToFile, settleConflict } from "./to_file.ts";
import type { ByteSink } from "../content/in_order.ts";
import { downloadToSink } from "./to_stream.ts";
import { forTransfer, type OnProgress, type TransferResult } from "../transfer/result.ts";
import { hashFile } from "../transfer/verify.ts";

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
  const context = forTransfer(connection);
  const content = new RemoteContent(context, found);
  const outcome = await run(context, content, local, options);
  const result = toResult(content.found, local, outcome, started);
  return options.dryRun ? { ...result, dryRun: true } : result;
}

async function run(
  connection: Connection,
  content: RemoteContent,
  local: string,
  options: DownloadOptions,
): Promise<DownloadOutcome> {
  const { signal } = connection.storage.http;
  const unchanged = options.ifChanged ? await findUnchanged(content, local, signal) : undefined;
  if (unchanged && !options.dryRun) await discardPartial(connection, local);
  if (unchanged) return unchanged;
  if (!options.dryRun) return await downloadToFile(connection, content, local, options);
  // In a dry run, even its folder may be missing.
  const target = await statIfExists(local) && await inspectTarget(local);
  const settled = target && await settleConflict(content, target, options.conflict ?? "fail", signal);
  return settled ?? { result: "downloaded", verdict: "unverified", bytes: content.item.size };
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
  const outcome = await downloadToSink(context, content, sink, onProgress);
  return toResult(content.found, "-", outcome, started);
}

/**
 * Whether the local file has the content of the item. Content that the service may serve otherwise than it states is
 * recognized by the time of its last change, which downloads set.
 */
async function findUnchanged(
  content: RemoteContent,
  local: string,
  signal: AbortSignal | undefined,
): Promise<DownloadOutcome | undefined> {
  const info = await statIfExists(local);
  if (!info?.isFile) return undefined;
  const { bytes, quickXorHash } = await hashFile(local, signal);
  if (content.compare(bytes, quickXorHash) === "verified") {
    return { result: "unchanged", verdict: "verified", bytes };
  }
  const { modified } = content.item;
  const isSameTime = info.mtime !== null && modified !== null &&
    toSeconds(info.mtime) === toSeconds(new Date(modified));
  if (!isSameTime || content.enrichedKind === undefined) return undefined;
  return { result: "unchanged", verdict: "unverified", bytes };
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
    sentBytes: outcome.sentBytes ?? 0,
    resumedFrom: outcome.resumedFrom ?? null,
  };
}
