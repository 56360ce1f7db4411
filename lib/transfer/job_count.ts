/**
 * How many transfers run at the same time.
 *
 * @module
 */
import type { HttpClient } from "../http/client.ts";

const FIRST_JOBS = 8;
/** More would only be throttled. */
export const MAX_JOBS = 16;
/** One more job is tried when each has ended so many transfers without being throttled. */
const CALM_TRANSFERS = 2;

/** Starts with eight, halves their number when the service throttles, and raises it slowly while it does not. */
export class JobCount {
  /** How many may run now. */
  limit: number;
  readonly #isFixed: boolean;
  readonly #http: Pick<HttpClient, "throttledResponses">;
  #seenResponses = 0;
  #ended = 0;
  /** Number of the transfer from which on throttling is news: those before were running when it was last noticed. */
  #newsFrom = 0;
  /** Number of the transfer after which the limit is raised. */
  #growAfter: number;

  /** @param fixed The number that the user wants. @default adapted to the service */
  constructor(http: Pick<HttpClient, "throttledResponses">, fixed?: number) {
    this.limit = fixed ?? FIRST_JOBS;
    this.#isFixed = fixed !== undefined;
    this.#http = http;
    this.#growAfter = CALM_TRANSFERS * this.limit;
  }

  /** Learns from a transfer that has ended. */
  ended(): void {
    if (this.#isFixed) return;
    const number = ++this.#ended;
    const isThrottled = this.#http.throttledResponses > this.#seenResponses;
    this.#seenResponses = this.#http.throttledResponses;
    if (isThrottled) {
      if (number >= this.#newsFrom) {
        this.#newsFrom = number + this.limit;
        this.limit = Math.ceil(this.limit / 2);
      }
    } else if (number >= this.#growAfter && this.limit < MAX_JOBS) this.limit++;
    else return;
    this.#growAfter = number + CALM_TRANSFERS * this.limit;
  }
}
