/**
 * Uploads of any size: one request for small files, an upload session for larger ones.
 *
 * @module
 */
import { childUrl } from "./address.ts";
import { commandName } from "./commands.ts";
import { GraphError } from "./errors.ts";
import { type DriveItem, findTarget, itemOf, type UploadTarget } from "./items.ts";
import type { LocationLike } from "./location.ts";
import { remoteName, sameName } from "./names.ts";
import type { Connection } from "./connection.ts";
import {
  checkUnchanged,
  damagedError,
  type LocalFile,
  localFile,
  type OnProgress,
  readAt,
  type TransferResult,
} from "./transfer.ts";
import { type UploadConflict, type Uploaded, uploadThroughSession } from "./upload_session.ts";
import { ContentHash, judge } from "./verify.ts";

/** Largest file that goes in one request, in bytes: 4 MiB. */
export const LARGEST_SIMPLE_BYTES = 4 * 1024 * 1024;

/** How to upload. */
export interface UploadOptions {
  /** What to do when the name is taken. @default "replace" */
  conflict?: UploadConflict;
  onProgress?: OnProgress;
}

/** How to upload through a session. */
export interface LargeUploadOptions extends UploadOptions {
  /** Bytes of a fragment: a multiple of 327,680 (320 KiB) below 60 MiB. @default 10 MiB */
  fragmentBytes?: number;
  /** Description of the item; personal OneDrive only. */
  description?: string;
  /** Whether an unfinished upload of the same file is taken up again. @default true */
  resume?: boolean;
}

/**
 * Uploads a local file: up to 4 MiB in one request
 * (https://learn.microsoft.com/graph/api/driveitem-put-content), larger ones through an upload session.
 *
 * @param location A folder, in which the file keeps its name, or the file to create or replace.
 * @throws {GraphError} `notFound` when the file or the folder is missing, `conflict`, `damaged`, …
 */
export async function uploadFile(
  connection: Connection,
  path: string,
  location: LocationLike,
  options: UploadOptions = {},
): Promise<TransferResult> {
  const file = await localFile(path);
  return await upload(connection, file, location, options, file.size > LARGEST_SIMPLE_BYTES);
}

/**
 * Uploads a local file through a resumable upload session
 * (https://learn.microsoft.com/graph/api/driveitem-createuploadsession); only an empty one goes in one request, for the
 * service has no session for it.
 *
 * @param location A folder, in which the file keeps its name, or the file to create or replace.
 * @throws {GraphError} `notFound` when the file or the folder is missing, `conflict`, `damaged`, …
 */
export async function uploadLargeFile(
  connection: Connection,
  path: string,
  location: LocationLike,
  options: LargeUploadOptions = {},
): Promise<TransferResult> {
  const file = await localFile(path);
  return await upload(connection, file, location, options, file.size > 0);
}

async function upload(
  connection: Connection,
  file: LocalFile,
  location: LocationLike,
  options: LargeUploadOptions,
  session: boolean,
): Promise<TransferResult> {
  const started = performance.now();
  const conflict = options.conflict ?? "replace";
  // Opening comes before any request: what cannot be read must not leave a session behind.
  (await Deno.open(file.path)).close();
  const target = await findTarget(
    connection,
    location,
    remoteName(file.name),
  );
  if (options.description !== undefined && target.driveType !== "personal") {
    throw new GraphError("usage", "descriptions exist in personal OneDrives only", {
      code: "description",
      hint: "leave out --description",
    });
  }
  const uploaded = session
    ? await uploadThroughSession(connection, file, target, { ...options, conflict })
    : await uploadSimply(connection, file, target, conflict);
  const { driveItem } = uploaded;
  const name = driveItem.name ?? target.name;
  const item = itemOf(driveItem, target.folder.driveId, [target.folderPath, name].filter(Boolean).join("/"));
  const local = { size: file.size, hash: uploaded.quickXorHash };
  const verdict = judge(local, item, name, target.driveType);
  if (verdict === "damaged") {
    throw damagedError(
      `${item.path} is not what was sent: ${item.size} bytes with QuickXorHash ${item.hash}, instead of ${file.size} with ${local.hash}`,
      "both copies are kept; compare them before you upload again",
    );
  }
  return {
    path: item.path,
    local: file.path,
    bytes: file.size,
    result: !sameName(name, target.name) ? "renamed" : uploaded.created ? "created" : "replaced",
    verdict,
    id: item.id,
    driveId: item.driveId,
    eTag: item.eTag,
    sha256: uploaded.sha256,
    quickXorHash: item.hash,
    seconds: (performance.now() - started) / 1000,
    sentBytes: uploaded.sentBytes,
    resumedFrom: uploaded.resumedFrom,
  };
}

async function uploadSimply(
  { graph }: Connection,
  local: LocalFile,
  target: UploadTarget,
  conflict: UploadConflict,
): Promise<Uploaded> {
  const bytes = new Uint8Array(local.size);
  {
    using file = await Deno.open(local.path);
    if (await readAt(file, bytes, 0) < local.size) {
      throw new GraphError("conflict", `${local.path} became shorter while it was read`, {
        code: "localChanged",
        hint: "run the same command again when nothing writes to it",
      });
    }
    await checkUnchanged(file, local);
  }
  const hash = await ContentHash.create();
  hash.add(bytes, 0);
  const what = `upload of ${[target.folderPath, target.name].filter(Boolean).join("/")}`;
  const put = () =>
    graph.put<DriveItem>(
      `${childUrl(target.folder, target.name, "content")}?@microsoft.graph.conflictBehavior=${conflict}`,
      {
        what,
        bytes,
        // Without it the service refuses (graph-protocol U19); the type it stores follows from the name.
        headers: { "content-type": "application/octet-stream" },
        // The same bytes under the same name again do no harm; a second "rename" would make a second file.
        retry: conflict === "replace" ? "repeatable" : "refused",
      },
    );
  const { value, status } = await put().catch((error) => {
    // Quick overwrites are refused once in a while (graph-protocol U17).
    if (error instanceof GraphError && error.status === 409 && error.has("resourceModified")) return put();
    throw error;
  });
  if (!value?.id) {
    throw new GraphError("failed", `${what}: the service's answer does not say what it stored`, {
      code: "invalidAnswer",
      hint: `look with ${commandName("ls")}`,
      status,
    });
  }
  return {
    driveItem: value,
    created: status === 201,
    ...hash.digest(),
    sentBytes: bytes.length,
    resumedFrom: null,
  };
}
