/**
 * When a reused connection breaks before the response, Deno's fetch silently sends the request once more, even a
 * PUT whose body was sent completely (measured on 2.9.6; 2.7.11 does so on new connections too; never with a Blob
 * as body). The sandbox drops that repetition too: otherwise a scripted drop would go unnoticed and a stored
 * fragment would arrive twice.
 */

import type { ServiceRequest } from "./messages.ts";

/** fetch repeats within a few milliseconds; a later request is a retry by the client itself. */
const WINDOW_MS = 100;

export class SilentRepeats {
  /** By target: what the repetition will look like, and how long to expect it. */
  readonly #expected = new Map<string, { signature: string; until: number }>();

  /** Called when a fault rule breaks the connection of this request. */
  dropped(request: ServiceRequest): void {
    if (!request.reused) return;
    this.#expected.set(request.target, {
      signature: signatureOf(request),
      until: performance.now() + WINDOW_MS,
    });
  }

  /**
   * Whether fetch sent this request again without its caller knowing. Any other request for the target ends the
   * wait.
   */
  isRepeat(request: ServiceRequest): boolean {
    const expected = this.#expected.get(request.target);
    if (expected === undefined) return false;
    this.#expected.delete(request.target);
    return !request.reused && expected.signature === signatureOf(request) &&
      performance.now() <= expected.until;
  }
}

function signatureOf({ service, method, headers }: ServiceRequest): string {
  return [service, method, headers["content-range"], headers["content-length"]].join(" ");
}
