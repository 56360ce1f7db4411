/**
 * The byte ranges of a download, handed out in order. When none is left, an idle worker takes over the rest of a range
 * whose HTTP connection is silent or far slower, so that one dying connection does not delay the download.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import { ByteRate, RATE_WINDOW_MS } from "./byte_rate.ts";
import type { ByteRange } from "./ranges.ts";

/** A range is taken over if it arrives this many times slower than the idle worker's last range. */
const SLOWER = 10;
/** How often an idle worker checks the others. */
const CHECK_MS = 500;

const MIB = 1024 * 1024;
const MIN_RANGE_BYTES = MIB;
const MAX_RANGE_BYTES = 32 * MIB;

/** A range that a worker fetches. */
export interface RangeJob {
  /** Position of the next byte. */
  position: number;
  /** Not included; `Infinity` for the rest of the content. Another worker may lower it. */
  end: number;
  readonly rate: ByteRate;
  /** Aborted when another worker takes over, or when the queue stops. */
  readonly abort: AbortController;
}

/** The ranges of one download. */
export class RangeQueue {
  readonly #waiting: ByteRange[];
  readonly #running = new Set<RangeJob>();
  readonly #now: () => number;
  readonly #stop = new AbortController();
  #wake = Promise.withResolvers<void>();

  /** @param now Milliseconds since any moment. */
  constructor(ranges: Iterable<ByteRange>, now: () => number = () => performance.now()) {
    this.#waiting = [...ranges];
    this.#now = now;
  }

  /** Aborted by {@linkcode RangeQueue.stop}. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * Waits for the next range; `undefined` when the download is complete or stopped.
   *
   * @param bytesPerMs Speed of the worker's last range; 0 if it had none.
   */
  async next(bytesPerMs: number): Promise<RangeJob | undefined> {
    while (!this.stopped.aborted) {
      const range = this.#waiting.shift() ?? this.#takeOver(bytesPerMs);
      if (range) return this.#start(range);
      if (this.#running.size === 0) return undefined;
      await this.#change();
    }
    return undefined;
  }

  /** Ends a job; what it did not fetch comes first again. */
  release(job: RangeJob): void {
    if (!this.#running.delete(job)) return;
    if (job.position < job.end) this.#waiting.unshift([job.position, job.end]);
    this.#notify();
  }

  /** Stops all workers. */
  stop(): void {
    this.#stop.abort();
    for (const { abort } of this.#running) abort.abort();
    this.#notify();
  }

  #start([position, end]: ByteRange): RangeJob {
    const job = { position, end, rate: new ByteRate(this.#now), abort: new AbortController() };
    this.#running.add(job);
    return job;
  }

  #takeOver(bytesPerMs: number): ByteRange | undefined {
    for (const job of this.#running) {
      const recent = job.rate.recentBytes();
      const isDying = recent === 0 || (recent ?? Infinity) * SLOWER < bytesPerMs * RATE_WINDOW_MS;
      if (!isDying || job.position >= job.end) continue;
      const rest: ByteRange = [job.position, job.end];
      job.end = job.position;
      this.#running.delete(job);
      job.abort.abort(new GraphError("unavailable", "taken over", { code: "takenOver" }));
      return rest;
    }
    return undefined;
  }

  /** Waits until a range is released, or until it is time to check again. */
  async #change(): Promise<void> {
    const timer = setTimeout(() => this.#notify(), CHECK_MS);
    await this.#wake.promise;
    clearTimeout(timer);
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

/** Splits what is missing into ranges: at least two for each connection, of 1 to 32 MiB. */
export function splitRanges(missing: readonly ByteRange[], size: number, connections: number): ByteRange[] {
  const wanted = Math.ceil(size / (2 * connections) / MIB) * MIB;
  const rangeBytes = Math.min(MAX_RANGE_BYTES, Math.max(MIN_RANGE_BYTES, wanted));
  const ranges: ByteRange[] = [];
  for (const [start, end] of missing) {
    for (let at = start; at < end; at += rangeBytes) ranges.push([at, Math.min(end, at + rangeBytes)]);
  }
  return ranges;
}
