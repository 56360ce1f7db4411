/**
 * How many HTTP connections a download uses. They help where something limits the rate of each, and not where they share what
 * the line has.
 *
 * @module
 */
/** A smaller file is there before measuring could help. */
const MEASURED_FROM_BYTES = 16 * 1024 * 1024;
const FIRST_CONNECTIONS = 2;
/** More gain little, and make the service throttle. */
const MAX_MEASURED_CONNECTIONS = 8;
/** How long a rate is measured: short, since all of a download but its beginning gains. */
const MIN_WINDOW_MS = 50;
const MIN_WINDOW_CHUNKS = 8;
/** Twice the connections pay if the earlier ones keep this share of their rate: then the whole grows by a fifth or more. */
const MIN_KEPT_SHARE = 0.6;

/** Doubles the number of connections as long as it pays, which the rate of the earlier ones tells: new ones start slowly. */
export class ConnectionCount {
  /** How many there should be now. */
  wanted: number;
  #isSettled: boolean;
  readonly #now: () => number;
  /** Those over which something has arrived. */
  readonly #started = new Set<number>();
  /** How many there were before the last ones, and their rate then, in bytes a millisecond. */
  #earlier = { connections: 0, rate: 0 };
  /** What has arrived since all have started. */
  #window: { since: number; chunks: number; bytes: number; earlierBytes: number } | undefined;

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
    if (this.#started.size < this.wanted) return;
    const now = this.#now();
    const window = this.#window;
    if (!window) {
      this.#window = { since: now, chunks: 0, bytes: 0, earlierBytes: 0 };
      return;
    }
    window.chunks++;
    window.bytes += bytes;
    if (connection < this.#earlier.connections) window.earlierBytes += bytes;
    const ms = now - window.since;
    if (ms >= MIN_WINDOW_MS && window.chunks >= MIN_WINDOW_CHUNKS) this.#decide(window, ms);
  }

  #decide({ bytes, earlierBytes }: { bytes: number; earlierBytes: number }, ms: number): void {
    const { connections, rate } = this.#earlier;
    const pays = earlierBytes >= MIN_KEPT_SHARE * rate * ms;
    this.#isSettled = !pays || this.wanted === MAX_MEASURED_CONNECTIONS;
    if (!pays) this.wanted = connections;
    if (this.#isSettled) return;
    this.#earlier = { connections: this.wanted, rate: bytes / ms };
    this.#window = undefined;
    this.wanted *= 2;
  }
}
