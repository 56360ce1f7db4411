/**
 * How fast bytes have been coming lately.
 *
 * @module
 */

/** How long "lately" is. */
export const RATE_WINDOW_MS = 5_000;
const SLICE_MS = 250;

/** The rate of one request. */
export class ByteRate {
  readonly #now: () => number;
  readonly #started: number;
  #slices: { at: number; bytes: number }[] = [];
  #bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#started = now();
  }

  add(bytes: number): void {
    const now = this.#now();
    this.#bytes += bytes;
    const last = this.#slices.at(-1);
    if (last && now - last.at < SLICE_MS) last.bytes += bytes;
    else {
      this.#slices = this.#slices.filter(({ at }) => now - at <= RATE_WINDOW_MS);
      this.#slices.push({ at: now, bytes });
    }
  }

  /** Bytes that came within the window; `undefined` as long as it is younger than that. */
  recentBytes(): number | undefined {
    const now = this.#now();
    if (now - this.#started < RATE_WINDOW_MS) return undefined;
    return this.#slices.filter(({ at }) => now - at < RATE_WINDOW_MS)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Over its whole life. */
  get bytesPerMs(): number {
    return this.#bytes / Math.max(1, this.#now() - this.#started);
  }
}
