/**
 * The download engine: a queue of byte ranges and one worker for each HTTP connection. An ordinary download is one range
 * up to the end of the content and one worker.
 *
 * @module
 */
import { GraphError, isGraphError } from "../errors.ts";
import { RangeQueue, splitRanges } from "./range_queue.ts";
import type { RangeJob } from "./range_queue.ts";
import type { ByteRange, ByteRanges } from "./ranges.ts";
import { type ContentResponse, parseContentRange, type RemoteContent } from "./remote_content.ts";
import type { OnProgress } from "../transfer/result.ts";

/** Faults in a row without a new byte over any connection before a worker gives up. */
const MAX_FAULTS = 6;
/** Responses with the wrong range before ranges are no longer requested. */
const MAX_WRONG_RANGES = 2;

/** Where content goes. */
export interface DownloadTarget {
  /** What it has already. */
  readonly ranges: ByteRanges;
  /** Length of the whole content, as far as known. */
  readonly totalBytes: number;
  /** A writer for one worker; several may write at the same time. */
  openWriter(): TargetWriter;
  /** Called with the length of the whole content as storage states it. */
  announce(totalBytes: number): void;
  /**
   * Starts over for the version of the content that is current now.
   *
   * @throws {GraphError} when what was written cannot be taken back.
   */
  restart(): Promise<void>;
}

/** Writes consecutive bytes. */
export interface TargetWriter extends AsyncDisposable {
  seek(position: number): void;
  write(bytes: Uint8Array): Promise<void>;
  /** Writes what is still buffered. */
  flush(): Promise<void>;
}

/** How to fetch. */
export interface FetchOptions {
  /** @default 1 */
  connections?: number;
  onProgress?: OnProgress | undefined;
}

/** Why a download must start over. */
type Restart = "changed" | "rangesUnsupported";

/** What a response means for a range. */
type Step =
  | { step: "read"; response: ContentResponse["response"]; end: number | undefined }
  | { step: "retry" }
  | { step: "restart"; reason: Restart };

/**
 * Fetches all missing content; after a failure everything that arrived is written.
 *
 * @throws {GraphError} `unavailable`, code `restarts`, for content that keeps changing.
 */
export async function fetchMissing(
  content: RemoteContent,
  target: DownloadTarget,
  { connections = 1, onProgress }: FetchOptions = {},
): Promise<void> {
  for (;;) {
    const restart = await new Round(content, target, connections, onProgress).run();
    if (!restart) return;
    if (restart === "rangesUnsupported") content.rangesUnsupported = true;
    content.noteRestart();
    await target.restart();
  }
}

/** One attempt to fetch one version of the content. */
class Round {
  readonly #content: RemoteContent;
  readonly #target: DownloadTarget;
  readonly #version: string | undefined;
  readonly #size: number;
  readonly #workers: number;
  readonly #queue: RangeQueue;
  readonly #onProgress: OnProgress | undefined;
  #doneBytes: number;
  #wrongRanges = 0;

  constructor(
    content: RemoteContent,
    target: DownloadTarget,
    connections: number,
    onProgress: OnProgress | undefined,
  ) {
    this.#content = content;
    this.#target = target;
    this.#version = content.version;
    this.#size = content.item.size;
    this.#onProgress = onProgress;
    this.#doneBytes = target.ranges.total;
    const ranges = plan(content, target, connections);
    this.#workers = ranges[0]?.[1] === Infinity ? 1 : connections;
    this.#queue = new RangeQueue(ranges);
  }

  /** Returns why the download must start over; `undefined` when it is complete. */
  async run(): Promise<Restart | undefined> {
    let ended: { restart: Restart } | { error: unknown } | undefined;
    await Promise.all(
      Array.from({ length: this.#workers }, async () => {
        try {
          const restart = await this.#work();
          if (restart) ended ??= { restart };
        } catch (error) {
          ended ??= { error };
        }
        if (ended) this.#queue.stop();
      }),
    );
    if (ended && "error" in ended) throw ended.error;
    return ended?.restart;
  }

  async #work(): Promise<Restart | undefined> {
    await using writer = this.#target.openWriter();
    const budget = { faults: 0, arrivedBytes: 0 };
    let bytesPerMs = 0;
    for (let job; (job = await this.#queue.next(bytesPerMs));) {
      const outcome = await this.#attempt(job, writer);
      if (outcome === "changed" || outcome === "rangesUnsupported") return outcome;
      if (outcome === undefined) bytesPerMs = job.rate.bytesPerMs;
      else if (outcome.code !== "takenOver") {
        if (this.#content.arrivedBytes > budget.arrivedBytes) budget.faults = 0;
        budget.arrivedBytes = this.#content.arrivedBytes;
        if (++budget.faults > MAX_FAULTS) throw outcome;
        await this.#content.pause(budget.faults, outcome, this.#queue.stopped);
        if (this.#isOutdated) return "changed";
      }
    }
    return undefined;
  }

  /** Fetches what it can of a range; returns the fault that interrupted it, if any. */
  async #attempt(job: RangeJob, writer: TargetWriter): Promise<Restart | GraphError | undefined> {
    const arrivedBefore = this.#content.arrivedBytes;
    let isReading = false;
    writer.seek(job.position);
    try {
      const step = await this.#request(job);
      if (step.step === "restart") return step.reason;
      isReading = step.step === "read";
      if (step.step === "read") await this.#read(job, step, writer);
      return undefined;
    } catch (error) {
      if (!isGraphError(error) || error.kind !== "unavailable") throw error;
      // Requests were repeated already: that is final, unless other connections still work.
      const othersWork = this.#content.arrivedBytes > arrivedBefore;
      if (isReading || othersWork || error.code === "takenOver") return error;
      throw error;
    } finally {
      await writer.flush();
      this.#queue.release(job);
    }
  }

  async #request(job: RangeJob): Promise<Step> {
    const { position, end } = job;
    const isOpenEnded = end === Infinity;
    const received = await this.#content.request(rangeHeader(position, end), job.abort.signal);
    const { response } = received;
    const { status } = response;
    if (status === 200 && isOpenEnded && position === 0) {
      const length = response.headers.get("content-length");
      return { step: "read", response, end: length === null ? undefined : Number(length) };
    }
    const range = status === 206 ? parseContentRange(response) : undefined;
    const isOtherSize = !isOpenEnded && range?.total !== undefined && range.total !== this.#size;
    if (range?.start === position && !isOtherSize) {
      return { step: "read", response, end: isOpenEnded ? range.total : range.end };
    }
    const isUnranged = status === 200 || status === 416 || status === 206 && !isOpenEnded;
    if (isUnranged) {
      await response.discard();
      await this.#content.refresh(received.link);
    } else await this.#content.afterRefusal(received);
    if (this.#isOutdated) return { step: "restart", reason: "changed" };
    // Ranges are ignored, or the stated size is not the true one (PROTOCOL D2, D6).
    const isUnsupported = isUnranged &&
      (status !== 206 || isOtherSize || ++this.#wrongRanges > MAX_WRONG_RANGES);
    return isUnsupported ? { step: "restart", reason: "rangesUnsupported" } : { step: "retry" };
  }

  async #read(
    job: RangeJob,
    { response, end }: Extract<Step, { step: "read" }>,
    writer: TargetWriter,
  ): Promise<void> {
    const start = job.position;
    const isOpenEnded = job.end === Infinity;
    const totalBytes = isOpenEnded ? end ?? this.#size : this.#size;
    if (isOpenEnded && end !== undefined) this.#target.announce(end);
    const endsWithRange = response.headers.get("content-length") === String(job.end - start);
    for await (const chunk of response.chunks()) {
      // A body may be longer than requested, and another worker may have taken over meanwhile.
      if (job.position >= job.end) return;
      const bytes = chunk.subarray(0, job.end - job.position);
      job.position += bytes.length;
      job.rate.add(bytes.length);
      this.#doneBytes += bytes.length;
      this.#content.noteArrived(chunk.length);
      await writer.write(bytes);
      this.#onProgress?.(this.#doneBytes, totalBytes);
      // Beyond this it cannot be the file, whatever follows.
      if (isOpenEnded && job.position > this.#content.maxBytes) job.end = job.position;
      // Reading to the end of the body lets its HTTP connection serve the next range.
      if (job.position >= job.end && !endsWithRange) return;
    }
    const expected = Math.min(end ?? job.position, job.end);
    if (job.position < expected || !isOpenEnded && job.position === start) {
      throw truncatedBodyError(this.#content);
    }
    if (isOpenEnded) job.end = job.position;
  }

  get #isOutdated(): boolean {
    return this.#content.version !== this.#version;
  }
}

/** One range up to the end of the content where one HTTP connection does; otherwise what is missing, split. */
function plan(
  { item, rangesUnsupported }: RemoteContent,
  { ranges, totalBytes }: DownloadTarget,
  connections: number,
): ByteRange[] {
  const { isPrefix, prefixEnd } = ranges;
  if (totalBytes > 0 && isPrefix && prefixEnd === totalBytes) return [];
  if (rangesUnsupported || isPrefix && (connections === 1 || totalBytes === 0)) {
    return [[prefixEnd, Infinity]];
  }
  return splitRanges(ranges.missing(item.size), item.size, connections);
}

function rangeHeader(position: number, end: number): string | undefined {
  if (end !== Infinity) return `bytes=${position}-${end - 1}`;
  return position > 0 ? `bytes=${position}-` : undefined;
}

function truncatedBodyError(content: RemoteContent): GraphError {
  return new GraphError("unavailable", `${content.what}: the response ended early`, {
    code: "truncatedBody",
    hint: "run the same command again",
  });
}
