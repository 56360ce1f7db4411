/**
 * The content of one item as storage serves it: its version, and its download URL, which is refreshed for all connections.
 *
 * @module
 */
import { itemUrl } from "../drive/address.ts";
import type { Connection } from "../connect.ts";
import type { DocumentKind } from "../documents/structure.ts";
import { contentVersion, type DriveItem, isExpectedItem } from "../drive/drive_item.ts";
import { GraphError } from "../errors.ts";
import type { HttpClient } from "../http/client.ts";
import type { HttpResponse } from "../http/response.ts";
import { getDriveType, type Item, type ResolvedItem, toItem } from "../drive/items.ts";
import { readServiceError } from "../graph/errors.ts";
import { compareContent, enrichedKind } from "../transfer/verify.ts";

/** Give up on content that keeps changing. */
const MAX_RESTARTS = 3;
/** How much conversion may add to a small file, in bytes. */
const CONVERSION_BYTES = 16 * 1024 * 1024;

export class RemoteContent {
  /** The item as last read; another object after each refresh. */
  found: ResolvedItem;
  /** Content bytes received over all connections, repeated ones included. */
  arrivedBytes = 0;
  /** Whether the service has ignored a range of this item. */
  rangesUnsupported = false;
  /** Whether storage has served what it calls another item since the last refresh. */
  isForeign = false;
  readonly #connection: Connection;
  #refreshing: Promise<void> | undefined;
  #restarts = 0;

  constructor(connection: Connection, found: ResolvedItem) {
    this.#connection = connection;
    this.found = found;
  }

  get item(): Item {
    return this.found.item;
  }

  /** See {@linkcode contentVersion}. */
  get version(): string | undefined {
    return contentVersion(this.found.driveItem);
  }

  get what(): string {
    return `download of ${this.item.path}`;
  }

  /** The kind of document whose content may differ from what the service states; usually none. */
  get enrichedKind(): DocumentKind | undefined {
    return enrichedKind("downloads", this.item.name, getDriveType(this.found.driveItem));
  }

  /**
   * No content has more bytes than this. Content that is converted may be longer than stated, usually by some kilobytes
   * (PROTOCOL D6), but a disk must not be filled by what cannot be the file.
   */
  get maxBytes(): number {
    return 2 * this.item.size + CONVERSION_BYTES;
  }

  get http(): HttpClient {
    return this.#connection.storage.http;
  }

  /**
   * Requests content from storage; transient failures are retried.
   *
   * @param range As in the header: `bytes=0-99`; without it, everything.
   */
  async request(range: string | undefined, signal: AbortSignal): Promise<HttpResponse> {
    await this.#refreshing;
    const { driveItem } = this.found;
    const url = driveItem["@microsoft.graph.downloadUrl"] ?? driveItem["@content.downloadUrl"] ??
      await this.#redirect();
    const response = await this.#connection.storage.send({
      method: "GET",
      url,
      headers: {
        // Otherwise Deno requests compressed content and decodes it unseen: neither lengths nor ranges would fit.
        "accept-encoding": "identity",
        // Ranges go to this URL only; `/content` ignores them (PROTOCOL D2).
        ...(range === undefined ? {} : { range }),
      },
      retry: "idempotent",
      signal,
    });
    if (response.status === 200 || response.status === 206) {
      const served = idInTag(response.headers.get("etag"));
      const expected = idInTag(this.item.eTag);
      this.isForeign ||= served !== undefined && expected !== undefined && served !== expected;
    }
    return response;
  }

  /**
   * Counts a start from the first byte.
   *
   * @throws {GraphError} `unavailable`, code `restarts`, after too many.
   */
  noteRestart(): void {
    if (++this.#restarts <= MAX_RESTARTS) return;
    throw new GraphError("unavailable", `${this.what}: it had to start over ${MAX_RESTARTS} times`, {
      code: "restarts",
      hint:
        "the file keeps changing, or a proxy drops ranges and connections; run the same command again later",
    });
  }

  /** Reads the item again, with a fresh download URL; once for all connections that still use that of `stale`. */
  async refresh(stale = this.found): Promise<void> {
    if (stale !== this.found) return;
    this.#refreshing ??= this.#readItem().finally(() => this.#refreshing = undefined);
    await this.#refreshing;
  }

  /** Compares a copy with what the service states. */
  compare(bytes: number, quickXorHash: string): "verified" | "unverified" | "different" {
    // Personal drives state a wrong size of some documents, with the right hash, which counts the bytes as well (D6).
    const isRight = quickXorHash === this.item.hash && this.enrichedKind !== undefined;
    return isRight ? "verified" : compareContent({ size: bytes, hash: quickXorHash }, this.item);
  }

  async #readItem(): Promise<void> {
    const { driveId, id, path } = this.item;
    const driveItem = await this.#connection.graph.requestJson<DriveItem>(itemUrl({ driveId, itemId: id }), {
      what: this.what,
      isProgress: false,
      // Another item's bytes would match another item's hash.
      accepts: (value) => isExpectedItem(value, { driveId, id }),
    });
    this.found = { driveItem, item: toItem(driveItem, driveId, path) };
    this.isForeign = false;
  }

  /** Some items come without a download URL; the redirect of their content has it. */
  async #redirect(): Promise<string> {
    const { driveId, id } = this.item;
    const response = await this.#connection.graph.request(itemUrl({ driveId, itemId: id }, "content"), {
      what: this.what,
      isProgress: false,
    });
    const link = response.headers.get("location");
    if (response.status !== 302 || !link) throw await readServiceError(response, this.what);
    await response.discard();
    return link;
  }
}

/** ETags of business drives contain the id of their item: `"{GUID},n"` (PROTOCOL 5). */
function idInTag(tag: string | null): string | undefined {
  return /^"\{([\dA-F-]{36})\}/i.exec(tag ?? "")?.[1]?.toLowerCase();
}
