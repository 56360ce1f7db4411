/**
 * How many HTTP connections a download uses. They help where something limits the rate of each, and not where they share what
 * the line has.
 *
 * @module
 */
/** A smaller file is there before more connections could help. */
const MEASURED_FROM_BYTES = 16 * 1024 * 1024;
const FIRST_CONNECTIONS = 2;
/** More gain little, and make the service throttle. */
const MAX_MEASURED_CONNECTIONS = 8;
/** How long the first connections are alone: short, since all others wait for it. */
const ALONE_MS = 40;
/** How long they are watched beside the others, which start slowly. */
const TOGETHER_MS = 300;
const MIN_CHUNKS = 8;
/** Measuring is inexact, and one connection too many costs less than one too few. */
const MARGIN = 1.25;

/**
 * Measures the first two connections alone, then beside six more. If they keep all of their rate, all eight pay; if they keep
 * half of it, four would have the same rate together.
 */
export class ConnectionCount {
  /** How many there should be now. */
  wanted: number;
  #isSettled: boolean;
  readonly #now: () => number;
  /** Those over which something has arrived. */
  readonly #started = new Set<number>();
  /** What has arrived over the first ones since all have started. */
  #window: { since: number; chunks: number; bytes: number } | undefined;
  /** Rate of the first ones alone, in bytes a millisecond. */
  #rateAlone = 0;

  /**
   * @param size Of the content.
   * @param fixed The number that the user wants. @default chosen by measuring
   * @param now In milliseconds. @default `performance.now`
   */
  constructor(size: number, fixed: number | undefined, now: () => number = () => performance.now()) {
    this.#isSettled = fixed !== undefined || size < MEASURED_FROM_BYTES;
    this.wanted = fixed ?? (this.#isSettled ? 1 : FIRST_CONNECTIONS);
    this.#now = now;
  }

  /** Notes what has arrived over a connection, counted from 0, and decides how many are wanted. */
  noteArrival(connection: number, bytes: number): void {
    if (this.#isSettled) return;
    this.#started.add(connection);
    if (this.#started.size < this.wanted || connection >= FIRST_CONNECTIONS) return;
    const now = this.#now();
    const window = this.#window;
    if (!window) {
      this.#window = { since: now, chunks: 0, bytes: 0 };
      return;
    }
    window.chunks++;
    window.bytes += bytes;
    const ms = now - window.since;
    const isAlone = this.wanted === FIRST_CONNECTIONS;
    if (ms < (isAlone ? ALONE_MS : TOGETHER_MS) || window.chunks < MIN_CHUNKS) return;
    const rate = window.bytes / ms;
    this.#window = undefined;
    if (isAlone) {
      this.#rateAlone = rate;
      this.wanted = MAX_MEASURED_CONNECTIONS;
    } else {
      const paying = Math.ceil(MAX_MEASURED_CONNECTIONS * rate / this.#rateAlone * MARGIN);
      this.wanted = Math.min(MAX_MEASURED_CONNECTIONS, Math.max(FIRST_CONNECTIONS, paying));
      this.#isSettled = true;
    }
  }
}
