/**
 * The item that an upload makes, looked up where the service's answer does not tell whether it is there: a commit may have
 * taken effect although its answer was lost or says otherwise (PROTOCOL U15).
 *
 * @module
 */
import { childUrl } from "../drive/address.ts";
import { type ExpectedItem, isExpectedItem } from "../drive/drive_item.ts";
import type { GraphClient } from "../graph/client.ts";
import { type DriveItem, toItem } from "../drive/items.ts";
import { expectedItem, type UploadTarget } from "./target.ts";
import type { LocalFile } from "../local/local_file.ts";
import { type ContentHash, mayBeRewritten } from "../transfer/verify.ts";

/** The item that an upload completed. */
export interface CommittedUpload {
  driveItem: DriveItem;
  created: boolean;
}

/** Finds out whether the item of a target is the one that was uploaded. */
export class CommittedItem {
  /** Version of the item that had the name before the upload; `undefined`: there was none. */
  versionBefore: string | undefined;
  readonly #graph: GraphClient;
  readonly #local: LocalFile;
  readonly #target: UploadTarget;
  /** Time of the last change as it was sent with the session. */
  readonly #modified: string | undefined;

  constructor(graph: GraphClient, local: LocalFile, target: UploadTarget, modified: string | undefined) {
    this.#graph = graph;
    this.#local = local;
    this.#target = target;
    this.#modified = modified;
  }

  /** Notes the version that has the name at present. */
  async noteVersionBefore(): Promise<void> {
    const { existing } = this.#target;
    const current = existing === "unknown" ? await this.#current() : existing;
    this.versionBefore = current && versionOf(current);
  }

  /** The uploaded item, if it is there. @param hash Of the whole content. */
  async find(hash: ContentHash, lookUps: number): Promise<CommittedUpload | undefined> {
    const { http } = this.#graph;
    for (let tries = 1;; tries++) {
      const driveItem = await this.#current();
      if (driveItem && this.#isOurs(driveItem, hash)) {
        return { driveItem, created: this.versionBefore === undefined };
      }
      const ms = http.backoffMs(tries);
      if (tries === lookUps || !http.deadline.allows(ms)) return undefined;
      await http.wait(ms, "the service completes the file");
    }
  }

  #isOurs(driveItem: DriveItem, content: ContentHash): boolean {
    if (versionOf(driveItem) === this.versionBefore) return false;
    const { size, hash, modified } = toItem(driveItem, this.#target.folder.driveId, "");
    const sameTime = modified === this.#modified; // which a rewritten file keeps
    if (mayBeRewritten(this.#target.name, this.#target.driveType)) return sameTime;
    return size === this.#local.size && (hash === null ? sameTime : hash === content.quickXorHash());
  }

  async #current(): Promise<DriveItem | undefined> {
    const { folder, name } = this.#target;
    const answer = await this.#graph.request(childUrl(folder, name), { what: name, isProgress: false });
    if (answer.status === 200) return parseItem(await answer.text(), expectedItem(this.#target));
    await answer.discard();
    return undefined;
  }
}

/** The expected item; `undefined` when the answer is empty, cut, an error in spite of its status, or another item. */
export function parseItem(text: string, expected: ExpectedItem): DriveItem | undefined {
  try {
    const value = JSON.parse(text);
    return isExpectedItem(value, expected) ? value : undefined;
  } catch {
    return undefined; // the item itself tells
  }
}

/** Changes with the content alone; an eTag changes when a session is created (PROTOCOL U17). */
function versionOf(driveItem: DriveItem): string {
  return driveItem.cTag ?? driveItem.eTag ?? "";
}
