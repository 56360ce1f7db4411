/**
 * Downloads (https://learn.microsoft.com/graph/api/driveitem-get-content): into a private partial file that a later
 * process can resume, verified, then moved into place; or in order into a stream.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import {
  acceptCopy,
  assessCopy,
  type ByteSink,
  type CopyVerdict,
  fetchInOrder,
  fetchPrivateCopy,
  type InOrderContent,
  UNEXPLAINED,
} from "../content/copy.ts";
import { RemoteContent } from "../content/remote_content.ts";
import { getItem, type ResolvedItem } from "../drive/items.ts";
import type { LocationInput } from "../drive/location.ts";
import { GraphError, usageError } from "../errors.ts";
import { statIfExists } from "../local/local_file.ts";
import { forTransfer, type OnProgress, secondsSince, type TransferResult } from "../transfer/result.ts";
import { inspectTarget, localPathFor } from "./local_target.ts";
import { type DownloadOutcome, downloadToFile, settleExisting } from "./to_file.ts";

/**
 * What to do when the local file exists. `resume`: it may be a prefix of the remote file, left by another tool; it is
 * replaced once the whole content is verified.
 */
export type DownloadConflict = "fail" | "replace" | "skip" | "resume";

/** How to download. */
export interface DownloadOptions {
  /** What to do when the local file exists. @default "fail" */
  conflict?: DownloadConflict;
  /** HTTP connections for one file, at most {@linkcode MAX_CONNECTIONS}. @default chosen by measuring, up to 8 */
  connections?: number;
  /** Downloads nothing if the local file has the same content. @default false */
  ifChanged?: boolean;
  /** Changes nothing; the result says what would be done. @default false */
  dryRun?: boolean;
  /** Called as bytes arrive. */
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
  const found = await getItem(connection, location);
  return await downloadItem(connection, found, await localPathFor(destination, found.item), options);
}

/**
 * Downloads an item to an exact local path, whose folder must exist.
 *
 * @throws {GraphError} like {@linkcode downloadFile}.
 */
export async function downloadItem(
  connection: Connection,
  found: ResolvedItem,
  local: string,
  options: DownloadOptions = {},
): Promise<TransferResult> {
  const started = performance.now();
  assertFile(found);
  const context = forTransfer(connection);
  const content = new RemoteContent(context, found);
  const outcome = options.dryRun
    ? await foresee(content, local, options)
    : await downloadToFile(context, content, local, options);
  const result = toResult(content.found, local, outcome, started);
  return options.dryRun ? { ...result, dryRun: true } : result;
}

async function foresee(
  content: RemoteContent,
  local: string,
  options: DownloadOptions,
): Promise<DownloadOutcome> {
  const target = await statIfExists(local) && await inspectTarget(local); // even its folder may be missing
  const settled = target && await settleExisting(content, target, options);
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
  const refuseRestart = (bytes: number): Promise<void> => {
    if (bytes > 0) throw resumeImpossible(content);
    return Promise.resolve();
  };
  // A sink may keep what it gets, but these bytes are overwritten by the next ones.
  const keepable = (bytes: Uint8Array) => sink(bytes.slice());
  const written = await fetchInOrder(content, keepable, refuseRestart, onProgress);
  const assessed = await assessWritten(context, content, written);
  const hint = () => Promise.resolve("what was written to standard output must not be used");
  const verdict = await acceptCopy(content, written, assessed, connection.notice, hint);
  const { arrivedBytes: sentBytes } = content;
  const outcome: DownloadOutcome = { result: "downloaded", verdict, bytes: written.bytes, sentBytes };
  return toResult(content.found, "-", outcome, started);
}

/** Assesses what was written, by a second copy if it is not what the service states. */
async function assessWritten(
  connection: Connection,
  content: RemoteContent,
  { bytes, quickXorHash, sha256 }: InOrderContent,
): Promise<CopyVerdict> {
  const compared = content.compare(bytes, quickXorHash);
  if (compared !== "different") return { verdict: compared };
  await content.refresh();
  if (content.compare(bytes, quickXorHash) === "verified") return { verdict: "verified" };
  if (content.enrichedKind === undefined) return UNEXPLAINED;
  using copy = await fetchPrivateCopy(connection, content);
  return await assessCopy(content, copy.content, copy.sha256 === sha256 && !content.isForeign);
}

function resumeImpossible({ item }: RemoteContent): GraphError {
  return new GraphError(
    "conflict",
    `the download of ${item.path} cannot be resumed: the file changed, or the service ignores ranges`,
    { code: "resumeImpossible", hint: "what was written must not be used; run the same command again" },
  );
}

function assertFile({ item }: ResolvedItem): void {
  if (item.type === "file") return;
  const kind = item.type === "package"
    ? "a OneNote notebook, which has no content of its own"
    : `a ${item.type}`;
  throw usageError(`${item.path || "the root folder"} is ${kind}`, "name a file", "notAFile");
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
    webUrl: item.webUrl,
    quickXorHash: item.hash,
    seconds: secondsSince(started),
    ...outcome,
    sentBytes: outcome.sentBytes ?? 0,
    resumedFrom: outcome.resumedFrom ?? null,
  };
}
