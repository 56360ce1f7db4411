/**
 * The content of one item as storage serves it: its link, a fresh one for all connections when it expires, and what is
 * known of its version.
 *
 * @module
 */
import { itemUrl } from "../drive/address.ts";
import type { Connection } from "../connect.ts";
import type { DocumentKind } from "../documents/structure.ts";
import { isExpectedItem } from "../drive/drive_item.ts";
import { contentVersion } from "./journal.ts";
import { GraphError } from "../errors.ts";
import type { HttpResponse } from "../http/response.ts";
import { retryAfterMs } from "../http/retry.ts";
import { type DriveItem, getDriveType, type Item, type ResolvedItem, toItem } from "../drive/items.ts";
import { readServiceError } from "../graph/errors.ts";
import { formatDuration } from "../format.ts";
import { enrichedKind } from "../transfer/enrichment.ts";
import { compareContent, type Content } from "../transfer/verify.ts";

/** Broken connections in a row without a new byte, before we give up. */
const MAX_FAULTS = 6;
/** Fresh links in a row without a new byte, before we believe the refusal. */
const MAX_FRESH_LINKS = 2;
/** A content that keeps changing is not to be had. */
const MAX_RESTARTS = 3;

/** How much conversion may add to a small file, in bytes. */
const CONVERSION_BYTES = 16 * 1024 * 1024;

/** An answer, and which link it came from. */
export interface ContentAnswer {
  answer: HttpResponse;
  link: number;
}

/** The content of one item. */
export class RemoteContent {
  found: ResolvedItem;
  /** Content bytes that came over all connections, repeated ones included. */
  arrivedBytes = 0;
  /** How often content was asked for. */
  requests = 0;
  /** Whether the service has shown that it does not serve parts of this item. */
  wholeOnly = false;
  /** Whether storage has served what it calls another item since the last look. */
  isForeign = false;
  readonly #connection: Connection;
  #contentType = "";
  #link = 0;
  #refreshing: Promise<void> | undefined;
  #freshLinks = 0;
  #restarts = 0;
  #notBefore = -Infinity;
  #waiting: Promise<void> | undefined;

  constructor(connection: Connection, found: ResolvedItem) {
    this.#connection = connection;
    this.found = found;
  }

  get item(): Item {
    return this.found.item;
  }

  /** Of the content, as of the last look; see {@linkcode contentVersion}. */
  get version(): string | undefined {
    return contentVersion(this.found);
  }

  /** For messages. */
  get what(): string {
    return `download of ${this.item.path}`;
  }

  /**
   * Asks storage for content.
   *
   * @param range As in the header: `bytes=0-99`; without it everything is asked for.
   * @param retry `never` where the caller deals with what passes.
   */
  async request(
    range: string | undefined,
    retry: "idempotent" | "never",
    signal?: AbortSignal,
  ): Promise<ContentAnswer> {
    await this.#refreshing;
    const link = this.#link;
    this.requests++;
    const { driveItem } = this.found;
    const url = driveItem["@microsoft.graph.downloadUrl"] ?? driveItem["@content.downloadUrl"] ??
      await this.#redirect();
    const answer = await this.#connection.storage.send({
      method: "GET",
      url,
      headers: {
        // Deno asks for compressed content otherwise, decodes it unseen, and neither lengths nor ranges fit any more.
        "accept-encoding": "identity",
        // Ranges go to this URL only; `/content` ignores them (PROTOCOL D2).
        ...(range === undefined ? {} : { range }),
      },
      retry,
      signal,
    });
    if (answer.status === 200 || answer.status === 206) {
      this.#contentType = answer.headers.get("content-type") ?? "";
      const served = idInTag(answer.headers.get("etag"));
      const expected = idInTag(this.item.eTag);
      this.isForeign ||= served !== undefined && expected !== undefined && served !== expected;
    }
    return { answer, link };
  }

  /** Bytes have come: what went wrong before has passed. */
  arrived(bytes: number): void {
    this.arrivedBytes += bytes;
    this.#freshLinks = 0;
  }

  /** Gets a fresh link after an answer that is none; throws what it says when that does not help. */
  async afterRefusal({ answer, link }: ContentAnswer): Promise<void> {
    const error = await readServiceError(answer, this.what);
    // The link lives for an hour at most, and a new one can be refused as well (PROTOCOL D3).
    const mayBeStale = [401, 403, 404, 410, 206, 416].includes(answer.status);
    if (!mayBeStale || error.has("malwareDetected")) throw error;
    if (link === this.#link && !this.#refreshing && ++this.#freshLinks > MAX_FRESH_LINKS) throw error;
    await this.refresh(link);
  }

  /** Reads the facts again, with a fresh link: once for all connections that still use link number `stale`. */
  async refresh(stale = this.#link): Promise<void> {
    if (stale !== this.#link) return;
    this.#refreshing ??= this.#readFacts().finally(() => this.#refreshing = undefined);
    await this.#refreshing;
  }

  /** Counts a start from the first byte. */
  noteRestart(): void {
    if (++this.#restarts <= MAX_RESTARTS) return;
    throw new GraphError("unavailable", `${this.what}: it had to begin again ${MAX_RESTARTS} times`, {
      code: "restarts",
      hint:
        "it changes all the time, or a proxy drops ranges and connections; run the same command again later",
    });
  }

  /**
   * No content has more bytes than this. What is converted on its way out may be longer than stated (PROTOCOL D6),
   * mostly by some kilobytes; a disk must not be filled by what cannot be the file.
   */
  get mostBytes(): number {
    return 2 * this.item.size + CONVERSION_BYTES;
  }

  /** The kind of document whose content may come otherwise than the service states; mostly there is none. */
  get enrichedKind(): DocumentKind | undefined {
    return kindOf(this.found);
  }

  /** Whether the last answer brought a page, in place of a file that is none. */
  get isPage(): boolean {
    return this.#contentType.startsWith("text/html") && this.enrichedKind !== "html";
  }

  /** See {@linkcode compareDownload}. */
  compare(bytes: number, quickXorHash: string): "verified" | "unverified" | "different" {
    return compareDownload({ size: bytes, hash: quickXorHash }, this.found);
  }

  /** The error of an answer that asks for patience; all connections wait as long as it says. */
  async refusedForNow(answer: HttpResponse): Promise<GraphError> {
    const { http } = this.#connection.storage;
    const askedMs = retryAfterMs(answer.headers, http.now());
    if (askedMs !== undefined) this.#notBefore = Math.max(this.#notBefore, http.now() + askedMs);
    const error = await readServiceError(answer, this.what);
    return error.kind === "unavailable" ? error : error.withMessage(error.message, { kind: "unavailable" });
  }

  /** Until the service may be asked again. */
  async untilAllowed(reason = "the service asks for patience"): Promise<void> {
    const { http } = this.#connection.storage;
    for (let ms; (ms = this.#notBefore - http.now()) > 0;) {
      if (!http.deadline.allows(ms)) {
        throw new GraphError("unavailable", `${this.what}: the service is throttling`, {
          code: "longWait",
          hint: `wait ${formatDuration(ms / 1000)}, as the service asks, then run the same command again`,
        });
      }
      this.#waiting ??= http.wait(ms, reason).finally(() => this.#waiting = undefined);
      await this.#waiting;
    }
  }

  /**
   * Waits after fault number `faults` in a row: as long as the service asks, otherwise longer each time, and gets a fresh
   * link.
   */
  async pause(faults: number, fault: GraphError): Promise<void> {
    const { http } = this.#connection.storage;
    if (this.#notBefore > http.now()) return await this.untilAllowed(fault.message);
    const link = this.#link;
    const ms = http.backoffMs(faults);
    if (!http.deadline.allows(ms)) throw fault;
    await http.wait(ms, fault.message);
    await this.refresh(link);
  }

  async #readFacts(): Promise<void> {
    const { driveId, id, path } = this.item;
    const driveItem = await this.#connection.graph.requestJson<DriveItem>(itemUrl({ driveId, itemId: id }), {
      what: this.what,
      isProgress: false,
      // Another item's bytes would fit another item's hash.
      accepts: (value) => isExpectedItem(value, { driveId, id }),
    });
    this.found = { driveItem, item: toItem(driveItem, driveId, path) };
    this.isForeign = false;
    this.#link++;
  }

  /** Some items come without a link; the redirect of their content is the same. */
  async #redirect(): Promise<string> {
    const { driveId, id } = this.item;
    const answer = await this.#connection.graph.request(itemUrl({ driveId, itemId: id }, "content"), {
      what: this.what,
      isProgress: false,
    });
    const link = answer.headers.get("location");
    if (answer.status !== 302 || !link) throw await readServiceError(answer, this.what);
    await answer.discard();
    return link;
  }
}

/** The faults of one connection: those in a row, while no other connection gets on either, are counted. */
export class RetryBudget {
  readonly #content: RemoteContent;
  #faults = 0;
  #arrivedBytes = 0;

  constructor(content: RemoteContent) {
    this.#content = content;
  }

  /** Waits, longer each time, and gets a fresh link; throws `fault` when it was one too many. */
  async afterFault(fault: GraphError): Promise<void> {
    if (this.#content.arrivedBytes > this.#arrivedBytes) this.#faults = 0;
    this.#arrivedBytes = this.#content.arrivedBytes;
    if (++this.#faults > MAX_FAULTS) throw fault;
    await this.#content.pause(this.#faults, fault);
  }
}

/** A body that ended before its time. */
export function truncatedBodyError(content: RemoteContent): GraphError {
  return new GraphError("unavailable", `${content.what}: only a part came`, {
    code: "partOnly",
    hint: "run the same command again",
  });
}

/** Compares content with what the service states of an item. */
export function compareDownload(
  local: Content,
  found: ResolvedItem,
): "verified" | "unverified" | "different" {
  const { size, hash } = found.item;
  // Personal drives state a wrong size of some documents, with the right hash, which counts the bytes as well (D6).
  const isRight = hash !== null && local.hash === hash && kindOf(found) !== undefined;
  return isRight ? "verified" : compareContent(local, { size, hash });
}

function kindOf({ item, driveItem }: ResolvedItem): DocumentKind | undefined {
  return enrichedKind("downloads", item.name, getDriveType(driveItem));
}

/** Tags of business drives hold the id of their item: `"{GUID},n"` (PROTOCOL 5). */
function idInTag(tag: string | null): string | undefined {
  return /^"\{([\dA-F-]{36})\}/i.exec(tag ?? "")?.[1]?.toLowerCase();
}

/** `Content-Range` of an answer; the total is `undefined` when the service does not know it. */
export function parseContentRange(
  { headers }: HttpResponse,
): { start: number; end: number; total: number | undefined } | undefined {
  const [, start, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ??
    [];
  if (start === undefined) return undefined;
  return { start: Number(start), end: Number(last) + 1, total: total === "*" ? undefined : Number(total) };
}
