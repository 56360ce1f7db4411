/**
 * Finds out how an upload ended where the service's response does not say: a commit may have taken effect although its
 * response was lost or says otherwise (PROTOCOL U15).
 *
 * @module
 */
import { childUrl } from "../drive/address.ts";
import { contentVersion } from "../drive/drive_item.ts";
import { type DriveItem, toItem } from "../drive/items.ts";
import type { GraphClient } from "../graph/client.ts";
import { mayBeRewritten } from "../transfer/verify.ts";
import { parseItem } from "./protocol.ts";
import { expectedItem, type UploadTarget } from "./target.ts";

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

/** What distinguishes an uploaded item from another of the same name. */
export interface SentContent {
  size: number;
  quickXorHash: string;
  /** Time of the last change, as it was sent with the session. */
  modified: string | undefined;
  /** Version of the item that had the name before; `undefined`: there was none. */
  versionBefore: string | undefined;
}

/** Looks for the uploaded item, waiting between attempts; `undefined` when it is not there. */
export async function findUploaded(
  graph: GraphClient,
  target: UploadTarget,
  sent: SentContent,
  attempts: number,
): Promise<CommittedUpload | undefined> {
  const { http } = graph;
  for (let attempt = 1;; attempt++) {
    const driveItem = await findItem(graph, target);
    if (driveItem && isUploaded(driveItem, target, sent)) {
      return { driveItem, created: sent.versionBefore === undefined };
    }
    const ms = http.backoffMs(attempt);
    if (attempt === attempts || !http.deadline.allows(ms)) return undefined;
    await http.wait(ms, "the service completes the file");
  }
}

function isUploaded(driveItem: DriveItem, target: UploadTarget, sent: SentContent): boolean {
  if (contentVersion(driveItem) === sent.versionBefore) return false;
  const { size, hash, modified } = toItem(driveItem, target.folder.driveId, "");
  const isSameTime = modified === sent.modified;
  // A rewritten file has another size and hash, and keeps its time.
  if (mayBeRewritten(target.name, target.driveType)) return isSameTime;
  return size === sent.size && (hash === null ? isSameTime : hash === sent.quickXorHash);
}
