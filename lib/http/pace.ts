/**
 * Hosts that have asked to wait: no request of a run goes to them before that (PROTOCOL 8).
 *
 * @module
 */

/** The pace of all requests of a run. */
export class Pace {
  readonly #heldUntil = new Map<string, number>();
  #latest = -Infinity;

  /** How long requests to a host must wait, in milliseconds. */
  delayMs(host: string, now: number): number {
    // After a clock was set back, a time from before would hold up everything until the clock has caught up.
    if (now < this.#latest) this.#heldUntil.clear();
    this.#latest = now;
    return Math.max(0, (this.#heldUntil.get(host) ?? 0) - now);
  }

  /** The host has asked for no request before this time. */
  hold(host: string, until: number): void {
    this.#heldUntil.set(host, Math.max(this.#heldUntil.get(host) ?? 0, until));
  }
}
