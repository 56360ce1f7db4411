/**
 * How quickly requests follow each other: never more than the service takes from one person, and none to a host that has
 * asked to wait (graph-protocol section 8).
 *
 * @module
 */

/** What SharePoint takes from one person: 3,000 requests in 5 minutes. */
const MOST_REQUESTS = 3_000;
const WINDOW_MS = 5 * 60 * 1000;

/** The pace of all requests of a run. */
export class Pace {
  readonly #mostRequests: number;
  /** When the last requests went, as a ring. */
  #times: number[] = [];
  #next = 0;
  #latest = -Infinity;
  readonly #held = new Map<string, number>();

  /** @param mostRequests In any 5 minutes. @default 3_000 */
  constructor(mostRequests: number = MOST_REQUESTS) {
    this.#mostRequests = mostRequests;
  }

  /** How long a request must wait, in milliseconds; with 0 its turn is taken. */
  turn(host: string, now: number, counts = true): { ms: number; reason: string } {
    this.#checkClock(now);
    const held = (this.#held.get(host) ?? 0) - now;
    if (held > 0) return { ms: held, reason: `${host} has asked to wait` };
    if (!counts) return { ms: 0, reason: "" };
    const oldest = this.#times[this.#next];
    const full = oldest === undefined ? 0 : oldest + WINDOW_MS - now;
    if (full > 0) {
      return {
        ms: full,
        reason: `${this.#mostRequests} requests in 5 minutes are all that the service takes`,
      };
    }
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#mostRequests;
    return { ms: 0, reason: "" };
  }

  /** The host has asked for no request before this time. */
  hold(host: string, until: number): void {
    this.#held.set(host, Math.max(this.#held.get(host) ?? 0, until));
  }

  /** After a clock was set back, times from before would be waited for until it has caught up with them. */
  #checkClock(now: number): void {
    if (now < this.#latest) {
      this.#times = [];
      this.#next = 0;
      this.#held.clear();
    }
    this.#latest = now;
  }
}
