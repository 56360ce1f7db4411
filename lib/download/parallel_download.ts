/**
 * Content that comes over several connections at once, each with its own range of the bytes and its own file handle
 * (https://learn.microsoft.com/graph/api/driveitem-get-content#partial-range-downloads).
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import { RangeWriter } from "./range_writer.ts";
import type { PartialFile } from "./partial_file.ts";
import { type RangeJob, RangeQueue, splitRanges } from "./range_queue.ts";
import {
  type ContentAnswer,
  parseContentRange,
  type RemoteContent,
  RetryBudget,
  truncatedBodyError,
} from "./remote_content.ts";
import type { OnProgress } from "../transfer/result.ts";

/** Answers with another range than was asked for, before we no longer ask for ranges. */
const MAX_WRONG_RANGES = 2;

/** How a reception in parts ended: `whole` when the service shows that it must be received in one stream. */
export type Ended = "done" | "changed" | "whole";

/** Ends all connections, although nothing failed. */
class Stop extends Error {
  readonly why: "changed" | "whole";

  constructor(why: "changed" | "whole") {
    super(why);
    this.why = why;
  }
}

/** One version of one item, received in parts. */
export class ParallelDownload {
  readonly #content: RemoteContent;
  readonly #version: string | undefined;
  readonly #size: number;
  readonly #partial: PartialFile;
  readonly #parts: RangeQueue;
  readonly #onProgress: OnProgress | undefined;
  #done: number;
  #wrongRanges = 0;

  constructor(
    content: RemoteContent,
    partial: PartialFile,
    connections: number,
    onProgress: OnProgress | undefined,
  ) {
    this.#content = content;
    this.#version = content.version;
    this.#size = content.item.size;
    this.#partial = partial;
    this.#parts = new RangeQueue(splitRanges(partial.ranges.missing(this.#size), this.#size, connections));
    this.#onProgress = onProgress;
    this.#done = partial.ranges.total;
  }

  /** Receives what lacks. After a failure all that came is written. */
  async run(connections: number): Promise<Ended> {
    let failure: unknown;
    const workers = Array.from({ length: connections }, async () => {
      try {
        await this.#work();
      } catch (error) {
        failure ??= error;
        this.#parts.stop();
      }
    });
    await Promise.all(workers);
    if (failure instanceof Stop) return failure.why;
    if (failure) throw failure;
    return "done";
  }

  async #work(): Promise<void> {
    const writer = new RangeWriter(this.#partial);
    const patience = new RetryBudget(this.#content);
    try {
      let bytesPerMs = 0;
      for (;;) {
        await unlessAborted(this.#content.untilAllowed(), this.#parts.stopped);
        const part = await this.#parts.next(bytesPerMs);
        if (!part) return;
        bytesPerMs = await this.#tryPart(part, writer, patience) ?? bytesPerMs;
      }
    } finally {
      writer.close();
    }
  }

  /** Fetches what it can of a part and returns its rate; `undefined` when the connection failed or was given up. */
  async #tryPart(part: RangeJob, writer: RangeWriter, patience: RetryBudget): Promise<number | undefined> {
    let fault: GraphError | undefined;
    await writer.seek(part.position);
    try {
      await this.#fetch(part, writer);
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind !== "unavailable") throw error;
      fault = error;
    } finally {
      this.#parts.release(part);
      await writer.flush();
    }
    if (!fault) return part.rate.bytesPerMs;
    if (fault.code !== "takenOver") {
      await unlessAborted(patience.afterFault(fault), this.#parts.stopped);
      this.#checkVersion();
    }
    return undefined;
  }

  async #fetch(part: RangeJob, writer: RangeWriter): Promise<void> {
    const { signal } = part.abort;
    const range = `bytes=${part.position}-${part.end - 1}`;
    const asked = await this.#content.request(range, "never", signal);
    const got = await this.#judge(asked, part);
    if (!got) return;
    const start = part.position;
    const endsThere = asked.answer.headers.get("content-length") === String(part.end - start);
    for await (const chunk of asked.answer.chunks()) {
      // Never more than was asked for, nor what another connection has taken over meanwhile.
      if (part.position >= part.end) return;
      const bytes = chunk.subarray(0, part.end - part.position);
      part.position += bytes.length;
      part.rate.add(bytes.length);
      this.#done += bytes.length;
      this.#content.arrived(chunk.length);
      await writer.write(bytes);
      this.#onProgress?.(this.#done, this.#size);
      // A connection whose body was read to its end serves the next part as well.
      if (part.position >= part.end && !endsThere) return;
    }
    const expected = Math.min(part.end, got.end);
    if (part.position < expected || part.position === start) throw truncatedBodyError(this.#content);
  }

  /** What range an answer brings; `undefined` when it must be asked for again. */
  async #judge(asked: ContentAnswer, part: RangeJob): Promise<{ end: number } | undefined> {
    const { answer } = asked;
    const { status } = answer;
    if (status === 408 || status === 429 || status >= 500) throw await this.#content.refusedForNow(answer);
    const got = status === 206 ? parseContentRange(answer) : undefined;
    const otherTotal = got?.total !== undefined && got.total !== this.#size;
    if (got?.start === part.position && !otherTotal) return got;
    if (status === 200 || status === 206 || status === 416) {
      await answer.discard();
      await this.#content.refresh(asked.link);
      this.#checkVersion();
      // Ranges are ignored, or the item is one of those whose size is not true (PROTOCOL D2, D6).
      if (status !== 206 || otherTotal || ++this.#wrongRanges > MAX_WRONG_RANGES) throw new Stop("whole");
      return undefined;
    }
    await this.#content.afterRefusal(asked);
    this.#checkVersion();
    return undefined;
  }

  #checkVersion(): void {
    if (this.#content.version !== this.#version) throw new Stop("changed");
  }
}

/** Ends at once with the signal: between its tries a request waits for the service, not for us. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const stop = () =>
    aborted.reject(
      signal.reason instanceof GraphError
        ? signal.reason
        : new GraphError("interrupted", "another connection ended the download", { code: "interrupted" }),
    );
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
