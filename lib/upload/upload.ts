/**
 * Uploads of any size: one request for small files, an upload session for larger ones.
 *
 * @module
 */
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import type { DriveItem } from "../drive/drive_item.ts";
import { type Item, toItem } from "../drive/items.ts";
import type { LocationInput } from "../drive/location.ts";
import { joinRemote, remoteName, sameName } from "../drive/names.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { createSpool, type LocalContent, openLocalFile, writeAll } from "../local/local_file.ts";
import { forTransfer, type OnProgress, secondsSince, type TransferResult } from "../transfer/result.ts";
import { compareContent, hashContent, mayBeRewritten, type Verdict } from "../transfer/verify.ts";
import { type UploadConflict, type UploadOutcome, uploadThroughSession } from "./session.ts";
import { uploadSimple } from "./simple.ts";
import { type FolderFinder, retryUntilVisible } from "./folders.ts";
import { findItem, findTarget, pathOf, type UploadTarget } from "./target.ts";
import { isUploadUnfinished } from "./journal.ts";
import { verifyUpload } from "./verdict.ts";

/** Largest file that goes in one request, in bytes: 4 MiB. */
const MAX_SIMPLE_BYTES = 4 * 1024 * 1024;
/** Up to this size one request is the way out where the service loses every session (PROTOCOL U7); it is held in memory. */
const MAX_FALLBACK_BYTES = 64 * 1024 * 1024;
/** Times of the last change that differ by less are equal: the service keeps seconds, some file systems two. */
const TIME_TOLERANCE_MS = 2_000;

/** How to upload. */
export interface UploadOptions {
  /** What to do when the name is taken. @default "fail" */
  conflict?: UploadConflict;
  /**
   * Sends nothing when the same content is there already: by QuickXorHash; for files that SharePoint rewrites (Office
   * documents, PDF, JPEG, HTML in site libraries), whose hash is never that of the local file, by the time of the last
   * change. That does not see a change that keeps the time, nor one within two seconds of the uploaded version.
   * @default false
   */
  ifChanged?: boolean;
  /** Keeps the time of the last change of small files too, which takes an upload session. @default false */
  times?: boolean;
  /** Changes nothing, and returns what would be done. @default false */
  dryRun?: boolean;
  /** Takes a resumable upload session for small files too, except for empty ones. @default false */
  session?: boolean;
  /** Bytes of a fragment of a session: a multiple of 327,680 (320 KiB) below 60 MiB. @default 10 to 30 MiB, adapted to the line */
  fragmentBytes?: number | undefined;
  /** Description of the item, sent with a session; personal OneDrive only. */
  description?: string;
  /** Whether to resume an unfinished upload of the same file. @default true */
  resume?: boolean;
  /** Called as bytes are sent. */
  onProgress?: OnProgress;
  /**
   * Makes missing folders. @default a missing folder is an error
   *
   * @internal
   */
  folders?: FolderFinder | undefined;
}

/**
 * Uploads a local file: up to 4 MiB in one request
 * (https://learn.microsoft.com/graph/api/driveitem-put-content), larger ones through an upload session
 * (https://learn.microsoft.com/graph/api/driveitem-createuploadsession).
 *
 * @param location A folder, in which the file keeps its name, or the file to create or replace.
 * @throws {GraphError} `notFound` when the file or the folder is missing, `conflict`, `damaged`, …
 */
export async function uploadFile(
  connection: Connection,
  path: string,
  location: LocationInput,
  options: UploadOptions = {},
): Promise<TransferResult> {
  using content = await openLocalFile(path);
  const target = await findTarget(connection, location, remoteName(content.name), options.folders);
  return await uploadContent(connection, content, target, options);
}

/**
 * Uploads a stream, which is read to its end into a private temporary file first, since an upload needs the size.
 *
 * @param location The file to create or replace, not a folder.
 * @throws {GraphError} as {@linkcode uploadFile}; `usage` when the location is a folder.
 */
export async function uploadStream(
  connection: Connection,
  input: ReadableStream<Uint8Array>,
  location: LocationInput,
  options: UploadOptions = {},
): Promise<TransferResult> {
  // Before the input is read, which may take long.
  const target = await findTarget(connection, location, undefined, options.folders);
  const { settings, graph } = connection;
  const { signal } = graph.http;
  const spooled = await createSpool(join(settings.state, "spool"), target.name, (file) => {
    const writable = new WritableStream<Uint8Array>({ write: (bytes) => writeAll(file, bytes) });
    return input.pipeTo(writable, signal ? { signal } : {});
  });
  using content = spooled.content;
  return await uploadContent(connection, content, target, options);
}

/** Uploads opened content to a resolved target. */
export async function uploadContent(
  connection: Connection,
  content: LocalContent,
  target: UploadTarget,
  options: UploadOptions,
): Promise<TransferResult> {
  const started = performance.now();
  connection = forTransfer(connection);
  if (options.description !== undefined && target.driveType !== "personal") {
    throw new GraphError("usage", "descriptions exist in personal OneDrives only", { code: "description" });
  }
  const common = {
    path: pathOf(target),
    local: content.path,
    bytes: content.size,
    seconds: 0,
    id: "",
    driveId: target.folder.driveId,
    eTag: null,
    webUrl: null,
    quickXorHash: null,
    sentBytes: 0,
    resumedFrom: null,
  };
  if (options.ifChanged || options.dryRun) {
    if (target.existing === "unknown") target.existing = await findItem(connection.graph, target);
    const existing = target.existing && itemIn(target, target.existing);
    const verdict = options.ifChanged && existing && await compare(connection, content, target, existing);
    const dryRun = options.dryRun ? { dryRun: true as const } : {};
    if (verdict) return { ...common, ...resultOf(existing), verdict, result: "unchanged", ...dryRun };
    if (options.dryRun) {
      const result = predict(existing, options.conflict);
      return { ...common, ...(existing && resultOf(existing)), result, verdict: "unverified", ...dryRun };
    }
  }
  const work = () => send(connection, content, target, { ...options, conflict: options.conflict ?? "fail" });
  const { uploaded, item, verdict } = await (target.fresh ? retryUntilVisible(connection, work) : work());
  return {
    ...common,
    ...resultOf(item),
    result: !sameName(item.name, target.name) ? "renamed" : uploaded.created ? "created" : "replaced",
    verdict,
    seconds: secondsSince(started),
    sentBytes: uploaded.sentBytes,
    resumedFrom: uploaded.resumedFrom,
  };
}

/** Sends, and compares what the service has with what was sent. */
async function send(
  connection: Connection,
  content: LocalContent,
  target: UploadTarget,
  options: UploadOptions & { conflict: UploadConflict },
): Promise<{ uploaded: UploadOutcome; item: Item; verdict: Verdict }> {
  const { conflict } = options;
  let isContinued = false;
  const verify = async (uploaded: UploadOutcome) => {
    const { driveItem, quickXorHash, sentBytes, resumedFrom } = uploaded;
    isContinued = resumedFrom !== null || sentBytes < content.size;
    const found = { driveItem, item: itemIn(target, driveItem) };
    return { uploaded, ...await verifyUpload(connection, content, target.driveType, found, quickXorHash) };
  };
  // Only a session keeps the time of the last change, by which a rewritten file is recognized.
  const keepsTime = options.times || mayBeRewritten(target.name, target.driveType);
  const session = options.session || content.size > MAX_SIMPLE_BYTES || (keepsTime && content.modified);
  try {
    return content.size > 0 && session
      ? await uploadThroughSession(connection, content, target, options, verify)
      : await verify(await uploadSimple(connection, content, target, conflict));
  } catch (error) {
    if (!isGraphError(error) || conflict === "fail") throw error;
    if (conflict === "replace" && error.code === "damaged" && isContinued) {
      connection.notice(`${error.message}; it was sent by several runs, so all of it is sent again`);
      return await send(connection, content, { ...target, existing: "unknown" }, {
        ...options,
        resume: false,
      });
    }
    if (conflict === "replace" && error.code === "sessionLost" && content.size <= MAX_FALLBACK_BYTES) {
      connection.notice(
        `${pathOf(target)}: the service loses its upload sessions; sending it in one request`,
      );
      return await verify(await uploadSimple(connection, content, target, conflict));
    }
    throw error.has("nameAlreadyExists") ? blockedError(target, error) : error;
  }
}

/** The error for a name that is taken although it may be (PROTOCOL U9, E7). */
function blockedError(target: UploadTarget, error: GraphError): GraphError {
  const message = `${
    pathOf(target)
  }: the name is blocked by an unfinished upload, or is that of a folder or notebook`;
  const hint = "an unfinished upload ends 15 minutes after its last fragment; otherwise choose another name";
  return error.withMessage(message, { hint });
}

/** Whether the item has the content already; `undefined` when it has not, or that is unknown. */
async function compare(
  connection: Connection,
  content: LocalContent,
  target: UploadTarget,
  item: Item,
): Promise<Verdict | undefined> {
  if (item.type !== "file") return undefined;
  if (item.size === content.size) {
    const { bytes, quickXorHash } = await hashContent(content, connection.graph.http.signal);
    if (compareContent({ size: bytes, hash: quickXorHash }, item) === "verified") return "verified";
  }
  if (!mayBeRewritten(item.name, target.driveType)) return undefined;
  // NaN where either is unknown. The service keeps whole seconds.
  const differenceMs = Math.abs(Date.parse(item.modified ?? "") - (content.modified?.getTime() ?? NaN));
  if (!(differenceMs < TIME_TOLERANCE_MS)) return undefined;
  // An upload whose stored copy was never verified, or found damaged, has the same time.
  return await isUploadUnfinished(connection, content, target) ? undefined : "unverified";
}

function predict(
  existing: Item | undefined,
  conflict: UploadConflict = "fail",
): "created" | "renamed" | "replaced" {
  if (!existing) return "created";
  if (conflict === "fail" || existing.type !== "file") {
    const message = `the ${existing.type} ${existing.path} already exists`;
    throw new GraphError("conflict", message, { code: "nameAlreadyExists" });
  }
  return conflict === "rename" ? "renamed" : "replaced";
}

function resultOf({ path, id, driveId, eTag, webUrl, hash }: Item) {
  return { path, id, driveId, eTag, webUrl, quickXorHash: hash };
}

function itemIn(target: UploadTarget, driveItem: DriveItem): Item {
  const name = driveItem.name ?? target.name;
  return toItem(driveItem, target.folder.driveId, joinRemote(target.folderPath, name));
}
