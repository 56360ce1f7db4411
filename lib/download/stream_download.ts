/**
 * Content that comes in order over one connection: taken up where the connection broke, with a fresh link, and received
 * from its first byte when it changed or when the service ignores ranges.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import type { HttpResponse } from "../http/response.ts";
import { parseContentRange, type RemoteContent, RetryBudget, truncatedBodyError } from "./remote_content.ts";
import type { OnProgress } from "../transfer/result.ts";

/** Takes content in order. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** The content comes again from its first byte; `false` when what was written cannot be taken back. */
  restart(): Promise<boolean>;
  /** Told how many bytes the whole content has, as storage announces it. */
  announce?(totalBytes: number): void;
}

/** One item that is received in order. */
export class StreamDownload {
  /** Bytes of the content that are there. */
  received: number;
  readonly #content: RemoteContent;
  readonly #sink: Sink;
  readonly #onProgress: OnProgress | undefined;
  readonly #patience: RetryBudget;

  /** @param from How many bytes from the first one on are there already. */
  constructor(content: RemoteContent, sink: Sink, from: number, onProgress: OnProgress | undefined) {
    this.#content = content;
    this.#sink = sink;
    this.received = from;
    this.#onProgress = onProgress;
    this.#patience = new RetryBudget(content);
  }

  /** Receives the whole content. */
  async run(): Promise<void> {
    for (;;) {
      const answer = await this.#request();
      if (answer && await this.#take(answer)) return;
    }
  }

  /** The content comes again from its first byte. */
  async #restart(): Promise<void> {
    if (!await this.#sink.restart()) {
      throw new GraphError(
        "conflict",
        `${this.#content.item.path} cannot be taken up again: it changed, or the service sends it whole`,
        {
          code: "resumeImpossible",
          hint: "what was written must not be used; run the same command again",
        },
      );
    }
    this.#content.noteRestart();
    this.received = 0;
  }

  /** Asks for the rest; `undefined` when it must be asked again, with what was learnt. */
  async #request(): Promise<HttpResponse | undefined> {
    const { version } = this.#content;
    const from = this.received;
    const asked = await this.#content.request(from > 0 ? `bytes=${from}-` : undefined, "idempotent");
    const { answer } = asked;
    if (answer.status === 200) {
      if (from > 0) await this.#restart();
      return answer;
    }
    if (answer.status === 206 && parseContentRange(answer)?.start === from) return answer;
    await this.#content.afterRefusal(asked);
    if (version !== this.#content.version) await this.#restart();
    return undefined;
  }

  /** Takes the body; `false` when it broke off. */
  async #take(answer: HttpResponse): Promise<boolean> {
    const { version } = this.#content;
    const expected = totalOf(answer);
    if (expected !== undefined) this.#sink.announce?.(expected);
    let fault: GraphError | undefined;
    try {
      for await (const chunk of answer.chunks()) {
        await this.#takeChunk(chunk, expected ?? this.#content.item.size);
        // Its verdict will be that it is damaged.
        if (this.received > this.#content.mostBytes) return true;
      }
      if (expected === undefined || this.received >= expected) return true;
      fault = truncatedBodyError(this.#content);
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind !== "unavailable") throw error;
      fault = error;
    }
    await this.#patience.afterFault(fault);
    if (version !== this.#content.version) await this.#restart();
    return false;
  }

  async #takeChunk(chunk: Uint8Array, total: number): Promise<void> {
    await this.#sink.write(chunk);
    this.received += chunk.length;
    this.#content.arrived(chunk.length);
    this.#onProgress?.(this.received, total);
  }
}

/** The length of the whole content as the answer states it. */
function totalOf(answer: HttpResponse): number | undefined {
  if (answer.status === 206) return parseContentRange(answer)?.total;
  const length = answer.headers.get("content-length");
  return length === null ? undefined : Number(length);
}
