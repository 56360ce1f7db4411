/**
 * The longest time without progress (`--max-wait`), over everything that waits for the service: headers, silent or
 * trickling bodies, pauses, retries. Time in which nothing is awaited does not count: a user who signs in, standard
 * input, local hashing.
 *
 * @module
 */
import { GraphError } from "../errors.ts";

/** A request in flight gets so long however short the deadline is: `--max-wait 0s` means no retries. */
const MIN_LIMIT_MS = 4_000;
const MAX_SILENCE_MS = 60_000;
const MIN_SILENCE_MS = 2_000;

/** A wait that took longer than its own limit; the deadline may have time left. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** One deadline; progress starts it anew. */
export class Deadline {
  readonly maxWaitMs: number;
  readonly #now: () => number;
  readonly #parent: Deadline | undefined;
  #spentMs = 0;
  #active = 0;
  #since = 0;

  /**
   * @param now Milliseconds since any moment.
   * @param parent Expires for all of its children at once; their progress is its own.
   */
  constructor(maxWaitMs: number, now: () => number, parent?: Deadline) {
    this.maxWaitMs = maxWaitMs;
    this.#now = now;
    this.#parent = parent;
  }

  /** How long a request, or a body, may stay silent before it is dropped and tried again, in milliseconds. */
  get maxSilenceMs(): number {
    return Math.min(MAX_SILENCE_MS, Math.max(MIN_SILENCE_MS, this.maxWaitMs / 4));
  }

  /** When it expires without any progress, in milliseconds: `maxWaitMs`, and 4 seconds at least. */
  get limitMs(): number {
    return Math.max(this.maxWaitMs, MIN_LIMIT_MS);
  }

  /** Time left, in milliseconds. */
  get remainingMs(): number {
    const own = this.limitMs - this.#elapsedMs;
    return Math.min(own, this.#parent?.remainingMs ?? Infinity);
  }

  /** Whether a pause fits into the time that is left. */
  allows(pauseMs: number): boolean {
    return this.#elapsedMs + pauseMs <= this.maxWaitMs && (this.#parent?.allows(pauseMs) ?? true);
  }

  /** Something arrived, or was acknowledged. */
  progress(): void {
    this.#spentMs = 0;
    this.#since = this.#now();
    this.#parent?.progress();
  }

  /**
   * Waits for the service; the time counts.
   *
   * @param limitMs Limit of this wait alone. @default none
   * @throws {TimeoutError} after `limitMs`.
   * @throws {GraphError} `unavailable` when the deadline has expired: code `noProgress`, or `stalled` when nothing else
   *   that shares the parent makes progress either.
   */
  async wait<T>(work: () => Promise<T>, limitMs = Infinity): Promise<T> {
    this.#begin();
    const started = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const check = () => {
        const leftMs = limitMs - (performance.now() - started);
        const { remainingMs } = this;
        if (remainingMs <= 0) return reject(this.#expired());
        if (leftMs <= 0) {
          return reject(new TimeoutError(`silent for ${seconds(limitMs)}`));
        }
        timer = setTimeout(check, Math.min(leftMs, remainingMs));
      };
      check();
    });
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
      this.#end();
    }
  }

  #expired(): GraphError {
    const stalled = this.#parent === undefined || this.#parent.remainingMs <= 0;
    return new GraphError("unavailable", `no progress within ${seconds(this.maxWaitMs)}`, {
      code: stalled ? "stalled" : "noProgress",
      hint: "check the network, or wait longer with --max-wait; then run the same command again",
    });
  }

  get #elapsedMs(): number {
    return this.#spentMs + (this.#active > 0 ? this.#now() - this.#since : 0);
  }

  #begin(): void {
    if (this.#active++ === 0) this.#since = this.#now();
    if (this.#parent) this.#parent.#begin();
  }

  #end(): void {
    if (--this.#active === 0) this.#spentMs += this.#now() - this.#since;
    if (this.#parent) this.#parent.#end();
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
