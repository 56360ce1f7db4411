/**
 * The byte ranges of a file: which it has, and which its workers still fetch.
 *
 * @module
 */
import { GraphError } from "../errors.ts";

/** From `start` up to, but not including, `end`. */
export type ByteRange = readonly [start: number, end: number];

/** A set of bytes, as sorted ranges that neither touch nor overlap. */
export class ByteRanges {
  #ranges: ByteRange[] = [];

  constructor(ranges: Iterable<ByteRange> = []) {
    for (const [start, end] of ranges) this.add(start, end);
  }

  add(start: number, end: number): void {
    if (end <= start) return;
    const before = this.#ranges.filter(([, e]) => e < start);
    const after = this.#ranges.filter(([s]) => s > end);
    const touched = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const joined: ByteRange = [
      Math.min(start, touched[0]?.[0] ?? start),
      Math.max(end, touched.at(-1)?.[1] ?? end),
    ];
    this.#ranges = [...before, joined, ...after];
  }

  clear(): void {
    this.#ranges = [];
  }

  /** Number of bytes in the set. */
  get total(): number {
    return this.#ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** The end of the range that starts at the first byte; 0 without one. */
  get prefixEnd(): number {
    const [first] = this.#ranges;
    return first?.[0] === 0 ? first[1] : 0;
  }

  /** The end of the last range. */
  get end(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  /** Whether the set is empty or one range from the first byte on. */
  get isPrefix(): boolean {
    return this.total === this.prefixEnd;
  }

  /** The ranges of a file of `size` bytes that are not in the set. */
  missing(size: number): ByteRange[] {
    const starts = [0, ...this.#ranges.map(([, end]) => end)];
    const ends = [...this.#ranges.map(([start]) => start), size];
    return starts.map((start, index): ByteRange => [start, Math.min(ends[index]!, size)])
      .filter(([start, end]) => start < end);
  }

  toJSON(): ByteRange[] {
    return [...this.#ranges];
  }
}

/** A range whose HTTP connection delivers less than 64 KiB in this time is taken over by an idle worker. */
export const MAX_SILENCE_MS = 5_000;
const PROGRESS_BYTES = 64 * 1024;
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
  /** When the last 64 KiB were complete, or when the job began. */
  progressAt: number;
  /** Position at that time. */
  progressPosition: number;
  /** Aborted when another worker takes over, or when the queue stops. */
  readonly abort: AbortController;
}

/**
 * The ranges of one download, handed out in order. When none is left, an idle worker takes over the rest of a range whose
 * HTTP connection is silent or trickles, so that one dead connection does not delay the download.
 */
export class RangeQueue {
  readonly #waiting: ByteRange[];
  readonly #running = new Set<RangeJob>();
  readonly #now: () => number;
  readonly #stop = new AbortController();
  /** Aborted by {@linkcode RangeQueue.stop}. */
  readonly stopped: AbortSignal = this.#stop.signal;
  #wake = Promise.withResolvers<void>();

  /** @param now Milliseconds since any moment. */
  constructor(ranges: Iterable<ByteRange>, now: () => number = () => performance.now()) {
    this.#waiting = [...ranges];
    this.#now = now;
  }

  /** Waits for the next range; `undefined` when the download is complete or stopped. */
  async next(): Promise<RangeJob | undefined> {
    while (!this.stopped.aborted) {
      const range = this.#waiting.shift() ?? this.#takeOver();
      if (range) {
        const [position, end] = range;
        const progress = { progressAt: this.#now(), progressPosition: position };
        const job = { position, end, ...progress, abort: new AbortController() };
        this.#running.add(job);
        return job;
      }
      if (this.#running.size === 0) return undefined;
      const timer = setTimeout(() => this.#notify(), CHECK_MS);
      await this.#wake.promise;
      clearTimeout(timer);
    }
    return undefined;
  }

  /** Counts bytes that arrived for a job. */
  advance(job: RangeJob, bytes: number): void {
    job.position += bytes;
    if (job.position - job.progressPosition < PROGRESS_BYTES) return;
    job.progressPosition = job.position;
    job.progressAt = this.#now();
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

  #takeOver(): ByteRange | undefined {
    for (const job of this.#running) {
      if (this.#now() - job.progressAt < MAX_SILENCE_MS || job.position >= job.end) continue;
      const rest: ByteRange = [job.position, job.end];
      job.end = job.position;
      this.#running.delete(job);
      job.abort.abort(new GraphError("unavailable", "taken over", { code: "takenOver" }));
      return rest;
    }
    return undefined;
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
