/**
 * Hosts that have asked to wait: no request of a run is sent to them before that time (PROTOCOL 8a).
 *
 * @module
 */

/** When a run may send requests to each host. */
export class Pace {
  readonly #heldUntil = new Map<string, number>();
  #latest = -Infinity;

  /** How long requests to a host must wait, in milliseconds. */
  delayMs(host: string, now: number): number {
    // After the clock was set back, earlier entries would block requests for too long.
    if (now < this.#latest) this.#heldUntil.clear();
    this.#latest = now;
    return Math.max(0, (this.#heldUntil.get(host) ?? 0) - now);
  }

  /** The host has asked for no request before this time. */
  hold(host: string, until: number): void {
    this.#heldUntil.set(host, Math.max(this.#heldUntil.get(host) ?? 0, until));
  }
}
