/**
 * The parts of a file and who fetches them: taken in order from a queue. When none is left, an idle connection takes
 * over the rest of a part whose connection is silent or next to it, so that one dying connection holds up nobody.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import { ByteRate, RATE_WINDOW_MS } from "../transfer/byte_rate.ts";
import type { ByteRange } from "./ranges.ts";

/** A part is taken over when it comes so many times slower than the idle connection's last one. */
const SLOWER = 10;
/** How often an idle connection looks. */
const LOOK_MS = 500;

const MIB = 1024 * 1024;
const MIN_PART_BYTES = MIB;
const MAX_PART_BYTES = 32 * MIB;

/** A part that a connection fetches. */
export interface RangeJob {
  /** Where its next byte belongs. */
  position: number;
  /** Where it ends, the last byte not included; another connection may draw it in. */
  end: number;
  readonly rate: ByteRate;
  /** Aborted when another connection takes over, or when all end. */
  readonly abort: AbortController;
}

/** The parts of one file. */
export class RangeQueue {
  readonly #waiting: ByteRange[];
  readonly #running = new Set<RangeJob>();
  readonly #now: () => number;
  readonly #stop = new AbortController();
  #wake = Promise.withResolvers<void>();

  /** @param now Milliseconds, from any moment on. */
  constructor(parts: Iterable<ByteRange>, now: () => number = () => performance.now()) {
    this.#waiting = [...parts];
    this.#now = now;
  }

  /** Aborted when all end. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * The next part for a connection; `undefined` when there is nothing left to do.
   *
   * @param bytesPerMs How fast the connection's last part came; 0 when it had none.
   */
  async next(bytesPerMs: number): Promise<RangeJob | undefined> {
    while (!this.stopped.aborted) {
      const range = this.#waiting.shift() ?? this.#takeOver(bytesPerMs);
      if (range) return this.#begin(range);
      if (this.#running.size === 0) return undefined;
      await this.#change();
    }
    return undefined;
  }

  /** A connection is done with its part, whole or not; what lacks waits again, before all others. */
  release(part: RangeJob): void {
    if (!this.#running.delete(part)) return;
    if (part.position < part.end) this.#waiting.unshift([part.position, part.end]);
    this.#changed();
  }

  /** All end. */
  stop(): void {
    this.#stop.abort();
    for (const { abort } of this.#running) abort.abort();
    this.#changed();
  }

  #begin([position, end]: ByteRange): RangeJob {
    const part = { position, end, rate: new ByteRate(this.#now), abort: new AbortController() };
    this.#running.add(part);
    return part;
  }

  #takeOver(bytesPerMs: number): ByteRange | undefined {
    for (const part of this.#running) {
      const recent = part.rate.recentBytes();
      const isDying = recent === 0 || (recent ?? Infinity) * SLOWER < bytesPerMs * RATE_WINDOW_MS;
      if (!isDying || part.position >= part.end) continue;
      const rest: ByteRange = [part.position, part.end];
      part.end = part.position;
      this.#running.delete(part);
      part.abort.abort(new GraphError("unavailable", "taken over", { code: "takenOver" }));
      return rest;
    }
    return undefined;
  }

  /** Until a part is released, or it is time to look again. */
  async #change(): Promise<void> {
    const timer = setTimeout(() => this.#changed(), LOOK_MS);
    await this.#wake.promise;
    clearTimeout(timer);
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

/** Cuts what lacks of a file into parts: two for each connection at least, neither tiny nor endless. */
export function splitRanges(missing: readonly ByteRange[], size: number, connections: number): ByteRange[] {
  const wanted = Math.ceil(size / (2 * connections) / MIB) * MIB;
  const partBytes = Math.min(MAX_PART_BYTES, Math.max(MIN_PART_BYTES, wanted));
  const parts: ByteRange[] = [];
  for (const [start, end] of missing) {
    for (let at = start; at < end; at += partBytes) parts.push([at, Math.min(end, at + partBytes)]);
  }
  return parts;
}
