/**
 * Finding out how an upload ended where the service's response does not tell, and saying so: a commit may have taken
 * effect although its response was lost or says otherwise (PROTOCOL U15).
 *
 * @module
 */
import { childUrl } from "../drive/address.ts";
import { contentVersion } from "../drive/drive_item.ts";
import { type DriveItem, toItem } from "../drive/items.ts";
import { GraphError } from "../errors.ts";
import type { GraphClient } from "../graph/client.ts";
import type { LocalFile } from "../local/local_file.ts";
import { mayBeRewritten } from "../transfer/verify.ts";
import { parseItem } from "./protocol.ts";
import { expectedItem, type UploadTarget } from "./target.ts";

/** A session ends this long after its last fragment (PROTOCOL 7.2). */
const SESSION_LIFE_MS = 15 * 60 * 1000;

/** The item that an upload committed. */
export interface CommittedUpload {
  driveItem: DriveItem;
  created: boolean;
}

/** The item that has the name of a target; `undefined` when there is none, or it cannot be read. */
export async function findItem(graph: GraphClient, target: UploadTarget): Promise<DriveItem | undefined> {
  const { folder, name } = target;
  const response = await graph.request(childUrl(folder, name), { what: name, isProgress: false });
  if (response.status === 200) return parseItem(await response.text(), expectedItem(target));
  await response.discard();
  return undefined;
}

/** What tells an uploaded item from another one of its name. */
export interface UploadedContent {
  local: LocalFile;
  /** QuickXorHash of the whole content. */
  quickXorHash: string;
  /** Time of the last change, as it was sent with the session. */
  modified: string | undefined;
  /** Version of the item that had the name before; `undefined`: there was none. */
  versionBefore: string | undefined;
}

/** Looks for the uploaded item, waiting between attempts; `undefined` when it is not there. */
export async function findCommitted(
  graph: GraphClient,
  target: UploadTarget,
  content: UploadedContent,
  attempts: number,
): Promise<CommittedUpload | undefined> {
  const { http } = graph;
  for (let attempt = 1;; attempt++) {
    const driveItem = await findItem(graph, target);
    if (driveItem && isUploaded(driveItem, target, content)) {
      return { driveItem, created: content.versionBefore === undefined };
    }
    const ms = http.backoffMs(attempt);
    if (attempt === attempts || !http.deadline.allows(ms)) return undefined;
    await http.wait(ms, "the service completes the file");
  }
}

function isUploaded(driveItem: DriveItem, target: UploadTarget, content: UploadedContent): boolean {
  if (contentVersion(driveItem) === content.versionBefore) return false;
  const { size, hash, modified } = toItem(driveItem, target.folder.driveId, "");
  const isSameTime = modified === content.modified;
  // A rewritten file has another size and hash, and keeps its time.
  if (mayBeRewritten(target.name, target.driveType)) return isSameTime;
  return size === content.local.size && (hash === null ? isSameTime : hash === content.quickXorHash);
}

/** Whether a later run can resume the session after this error. */
export function isResumable({ kind, code }: GraphError): boolean {
  return kind === "interrupted" ||
    (kind === "unavailable" && !["sessionStuck", "sessionLost"].includes(code));
}

/**
 * The error of an upload that can be resumed: how much the service has.
 *
 * @param retryAfterMs How long the service asks to wait; a session that ends before cannot be resumed.
 */
export function incompleteUploadError(
  failure: GraphError,
  storedBytes: number,
  totalBytes: number,
  retryAfterMs: number,
): GraphError {
  const percent = Math.floor(storedBytes / totalBytes * 100);
  return failure.withMessage(
    `${failure.message}; ${storedBytes} of ${totalBytes} bytes (${percent} %) are uploaded`,
    retryAfterMs > SESSION_LIFE_MS ? {} : { hint: "run the same command again within 15 minutes to resume" },
  );
}

/** The session is gone, and a second one as well (PROTOCOL U7). */
export function sessionLostError(failure: GraphError, what: string): GraphError {
  return failure.withMessage(`${what}: the service lost two upload sessions in a row`, {
    kind: "unavailable",
    code: "sessionLost",
    hint: "the file may be open, or the service still processes its last version; try again in some minutes",
  });
}

/** A 409 that no item of that name explains (PROTOCOL U9, E7). */
export function blockedNameError(failure: GraphError, what: string): GraphError {
  return failure.withMessage(
    `${what}: the name is blocked by an unfinished upload, or it is a OneNote notebook`,
    {
      kind: "conflict",
      hint:
        "an unfinished upload expires 15 minutes after its last fragment; then run the same command again",
    },
  );
}

/** All bytes were sent, and the file cannot be found. */
export function notCommittedError(what: string, mayBeRenamed: boolean): GraphError {
  const renamed = mayBeRenamed ? " under this name; it may have got another" : "";
  return new GraphError(
    "unavailable",
    `${what}: the service has all bytes, but shows no such file${renamed}`,
    {
      code: "notCommitted",
    },
  );
}

/** The session does not advance (PROTOCOL U8). */
export function stuckError(what: string, nextByte: number): GraphError {
  return new GraphError("unavailable", `${what}: stuck at byte ${nextByte}`, {
    code: "sessionStuck",
    hint: "run the same command again",
  });
}
