/**
 * The content of one item on its way from storage: taken up where a connection broke, with a fresh link, and received
 * from its first byte when it changed or when the service ignores ranges.
 *
 * @module
 */
import { itemUrl } from "./address.ts";
import type { Connection } from "./connection.ts";
import { GraphError } from "./errors.ts";
import type { HttpAnswer } from "./http.ts";
import { type DriveItem, type FoundItem, type Item, itemOf } from "./items.ts";
import { serviceError } from "./service_error.ts";
import type { OnProgress } from "./transfer.ts";
import { ContentHash, judgeDownload, type Verdict } from "./verify.ts";

/** Takes content in order. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** The content comes again from its first byte; `false` when what was written cannot be taken back. */
  restart(): Promise<boolean>;
}

/** Broken connections in a row without a new byte, before we give up. */
const MOST_FAULTS = 6;
/** Fresh links in a row without a new byte, before we believe the refusal. */
const MOST_FRESH_LINKS = 2;
/** A content that keeps changing is not to be had. */
const MOST_RESTARTS = 3;

/** One item that is received. */
export class Reception {
  received = 0;
  /** Content bytes that came, repeated ones included. */
  sentBytes = 0;
  hash: ContentHash;
  item: Item;
  #driveItem: DriveItem;
  #contentType = "";
  #furthest = 0;
  #faults = 0;
  #freshLinks = 0;
  #restarts = 0;
  readonly #connection: Connection;
  readonly #sink: Sink;
  readonly #onProgress: OnProgress | undefined;

  constructor(
    connection: Connection,
    found: FoundItem,
    sink: Sink,
    onProgress: OnProgress | undefined,
    hash: ContentHash,
  ) {
    this.#connection = connection;
    this.#sink = sink;
    this.#onProgress = onProgress;
    this.item = found.item;
    this.#driveItem = found.driveItem;
    this.hash = hash;
  }

  /** Receives the whole content. */
  async run(): Promise<void> {
    for (;;) {
      const answer = await this.#request();
      if (answer && await this.#take(answer)) return;
    }
  }

  /** Compares what came with what the service states. A page in place of a file is never a version of it. */
  verdict(quickXorHash: string): Verdict | "damaged" {
    const { size, hash, name } = this.item;
    const driveType = this.#driveItem.parentReference?.driveType ?? "";
    const verdict = judgeDownload(
      { size: this.received, hash: quickXorHash },
      { size, hash },
      name,
      driveType,
    );
    const isPage = this.#contentType.startsWith("text/html") && !/\.(html?|aspx|mht)$/i.test(name);
    return verdict === "enriched" && (this.received === 0 || isPage) ? "damaged" : verdict;
  }

  /** Whether the item has changed since its facts were read; then it is made ready to be received again. */
  async changed(): Promise<boolean> {
    const changed = await this.#refresh();
    if (changed) await this.#restart();
    return changed;
  }

  /** Asks for the rest; `undefined` when it must be asked again, with what was learnt. */
  async #request(): Promise<HttpAnswer | undefined> {
    const link = this.#driveItem["@microsoft.graph.downloadUrl"] ?? await this.#redirect();
    const answer = await this.#connection.storage.send({
      method: "GET",
      url: link,
      headers: {
        // Deno asks for compressed content otherwise, decodes it unseen, and neither lengths nor ranges fit any more.
        "accept-encoding": "identity",
        // Ranges go to this URL only; `/content` ignores them (graph-protocol D2).
        ...(this.received > 0 ? { range: `bytes=${this.received}-` } : {}),
      },
      retry: "repeatable",
    });
    if (answer.status === 200) {
      if (this.received > 0) await this.#restart();
      return answer;
    }
    if (answer.status === 206 && rangeOf(answer.headers)?.start === this.received) return answer;
    const error = await serviceError(answer, `download of ${this.item.path}`);
    // The link lives for an hour at most, and a new one can be refused as well (graph-protocol D3).
    const mayBeStale = [401, 403, 404, 410, 206, 416].includes(answer.status);
    if (!mayBeStale || error.has("malwareDetected") || ++this.#freshLinks > MOST_FRESH_LINKS) throw error;
    if (await this.#refresh() && this.received > 0) await this.#restart();
    return undefined;
  }

  /** Takes the body; `false` when it broke off. */
  async #take(answer: HttpAnswer): Promise<boolean> {
    const expected = totalOf(answer);
    this.#contentType = answer.headers.get("content-type") ?? "";
    let fault: GraphError | undefined;
    try {
      for await (const chunk of answer.chunks()) await this.#takeChunk(chunk, expected ?? this.item.size);
      if (expected === undefined || this.received >= expected) return true;
      fault = new GraphError("unavailable", `download of ${this.item.path}: only a part came`, {
        code: "partOnly",
        hint: "run the same command again",
      });
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind !== "unavailable") throw error;
      fault = error;
    }
    if (++this.#faults > MOST_FAULTS) throw fault;
    const { http } = this.#connection.storage;
    await http.wait(http.backoffMs(this.#faults), fault.message);
    if (await this.#refresh()) await this.#restart();
    return false;
  }

  async #takeChunk(chunk: Uint8Array, total: number): Promise<void> {
    await this.#sink.write(chunk);
    this.hash.add(chunk, this.received);
    this.received += chunk.length;
    this.sentBytes += chunk.length;
    if (this.received > this.#furthest) {
      this.#furthest = this.received;
      this.#faults = 0;
      this.#freshLinks = 0;
    }
    this.#onProgress?.(this.received, total);
  }

  /** A fresh link; tells whether the content has changed meanwhile. */
  async #refresh(): Promise<boolean> {
    const { driveId, id } = this.item;
    const before = this.#driveItem;
    this.#driveItem = await this.#connection.graph.call<DriveItem>(itemUrl({ driveId, itemId: id }), {
      what: `download of ${this.item.path}`,
    });
    this.item = itemOf(this.#driveItem, driveId, this.item.path);
    return (before.cTag ?? before.eTag) !== (this.#driveItem.cTag ?? this.#driveItem.eTag);
  }

  async #restart(): Promise<void> {
    if (this.received > 0 && !await this.#sink.restart()) {
      throw new GraphError(
        "conflict",
        `${this.item.path} cannot be taken up again: it changed, or the service sends it whole`,
        {
          code: "resumeImpossible",
          hint: "what was written must not be used; run the same command again",
        },
      );
    }
    if (++this.#restarts > MOST_RESTARTS) {
      throw new GraphError(
        "unavailable",
        `download of ${this.item.path}: it had to begin again ${MOST_RESTARTS} times`,
        {
          code: "restarts",
          hint:
            "it changes all the time, or a proxy drops ranges and connections; run the same command again later",
        },
      );
    }
    this.received = 0;
    this.hash = await ContentHash.create();
  }

  /** Some items come without a link; the redirect of their content is the same. */
  async #redirect(): Promise<string> {
    const { driveId, id, path } = this.item;
    const what = `download of ${path}`;
    const answer = await this.#connection.graph.answer(itemUrl({ driveId, itemId: id }, "content"), { what });
    const link = answer.headers.get("location");
    if (answer.status !== 302 || !link) throw await serviceError(answer, what);
    await answer.discard();
    return link;
  }
}

/** The length of the whole content as the answer states it. */
function totalOf({ status, headers }: HttpAnswer): number | undefined {
  if (status === 206) return rangeOf(headers)?.total;
  const length = headers.get("content-length");
  return length === null ? undefined : Number(length);
}

function rangeOf(headers: Headers): { start: number; total: number | undefined } | undefined {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)/.exec(headers.get("content-range") ?? "") ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), total: total === "*" ? undefined : Number(total) };
}
