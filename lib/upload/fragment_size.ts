/**
 * How large the fragments of an upload are. The service stores a fragment before it responds, and takes the next one only
 * then; on a fast line with a distant or slow service this pause costs more than the bytes, so fragments grow.
 *
 * @module
 */
import { DEFAULT_FRAGMENT_BYTES, FRAGMENT_UNIT_BYTES } from "./protocol.ts";

/** More hardly saves time, and costs memory. */
const MAX_ADAPTED_BYTES = 3 * DEFAULT_FRAGMENT_BYTES;
const GROWTH = 2;
/** A shorter pause, or a smaller part of the time of a fragment, is not worth larger fragments. */
const SHORT_PAUSE_MS = 20;
const SMALL_PART = 1 / 20;

/** Starts at 10 MiB and grows up to 30 MiB, unless the user has chosen a size. */
export class FragmentSize {
  #bytes: number;
  #isAdaptive: boolean;
  /** The size and time of the fragment before. */
  #previous: { bytes: number; ms: number } | undefined;

  /** @param chosen In bytes, a multiple of 320 KiB. @default one that adapts to the line */
  constructor(chosen?: number) {
    this.#bytes = chosen ?? DEFAULT_FRAGMENT_BYTES;
    this.#isAdaptive = chosen === undefined;
  }

  /** Of the next fragment. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the fragment after the next one may have. */
  get bytesAhead(): number {
    return this.#isAdaptive ? this.#grown : this.#bytes;
  }

  /** Learns from a fragment that was acknowledged: its size, and the time from its first byte to the response. */
  acknowledged(bytes: number, ms: number): void {
    const previous = this.#previous;
    this.#previous = { bytes, ms };
    if (!this.#isAdaptive || ms <= SHORT_PAUSE_MS) return;
    if (!previous || previous.bytes === bytes) return this.#grow();
    // What both sizes have in common does not come from their bytes.
    const msPerByte = Math.max(0, (ms - previous.ms) / (bytes - previous.bytes));
    const pauseMs = ms - bytes * msPerByte;
    if (isLong(pauseMs, ms)) return this.#grow();
    this.#isAdaptive = false;
    if (!isLong(pauseMs, previous.ms)) this.#bytes = previous.bytes; // it was large enough
  }

  /** Halves the fragments: over a slow connection each takes less time. */
  shrink(): void {
    this.#bytes = Math.max(inWholeUnits(this.#bytes / 2), FRAGMENT_UNIT_BYTES);
    this.#isAdaptive = false;
  }

  get #grown(): number {
    return Math.min(inWholeUnits(this.#bytes * GROWTH), MAX_ADAPTED_BYTES);
  }

  #grow(): void {
    this.#bytes = this.#grown;
    this.#isAdaptive = this.#bytes < MAX_ADAPTED_BYTES;
  }
}

function inWholeUnits(bytes: number): number {
  return Math.floor(bytes / FRAGMENT_UNIT_BYTES) * FRAGMENT_UNIT_BYTES;
}

/** Whether a pause is worth larger fragments than those that take so long. */
function isLong(pauseMs: number, fragmentMs: number): boolean {
  return pauseMs > Math.max(SHORT_PAUSE_MS, fragmentMs * SMALL_PART);
}
