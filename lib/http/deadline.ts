/**
 * The longest time without progress, over everything that waits for the service: headers, silent or trickling bodies,
 * pauses, retries. Other time does not count: a user who signs in, standard input, local hashing.
 *
 * @module
 */
import { GraphError } from "../errors.ts";

/** A request in flight gets this long in any case: a maximum wait of 0 means no retries. */
const MIN_LIMIT_MS = 4_000;
const MAX_SILENCE_MS = 60_000;
const MIN_SILENCE_MS = 2_000;

/** Thrown when a wait exceeds its own limit, which may be before the deadline. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** A deadline that progress extends. */
export class Deadline {
  readonly maxWaitMs: number;
  /** The time without progress after which it expires, in milliseconds: `maxWaitMs`, but at least 4 seconds. */
  readonly limitMs: number;
  readonly #now: () => number;
  readonly #parent: Deadline | undefined;
  #spentMs = 0;
  #active = 0;
  #since = 0;

  /** @param parent Expires for all of its children at once; progress of a child is progress of the parent. */
  constructor(maxWaitMs: number, now: () => number, parent?: Deadline) {
    this.maxWaitMs = maxWaitMs;
    this.limitMs = Math.max(maxWaitMs, MIN_LIMIT_MS);
    this.#now = now;
    this.#parent = parent;
  }

  /** How long a request or a body may stay silent before the attempt fails, in milliseconds. */
  get maxSilenceMs(): number {
    return Math.min(MAX_SILENCE_MS, Math.max(MIN_SILENCE_MS, this.maxWaitMs / 4));
  }

  /** Time left, in milliseconds. */
  get remainingMs(): number {
    return Math.min(this.limitMs - this.#elapsedMs, this.#parent?.remainingMs ?? Infinity);
  }

  /** Whether a pause fits into the remaining time. */
  allows(pauseMs: number): boolean {
    return this.#elapsedMs + pauseMs <= this.maxWaitMs && (this.#parent?.allows(pauseMs) ?? true);
  }

  /** Data has arrived, or was acknowledged. */
  progress(): void {
    this.#spentMs = 0;
    this.#since = this.#now();
    this.#parent?.progress();
  }

  /**
   * Waits for the service; this time counts.
   *
   * @throws {TimeoutError} after `limitMs`.
   * @throws {GraphError} `unavailable` at the deadline: code `noProgress`, or `stalled` if the parent has expired as well.
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
        if (leftMs <= 0) return reject(new TimeoutError(`silent for ${seconds(limitMs)}`));
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
    const code = stalled ? "stalled" : "noProgress";
    return new GraphError("unavailable", `no progress within ${seconds(this.maxWaitMs)}`, { code });
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
