/**
 * Deno's fetch repeats a request by itself, once and silently, when a connection that it reuses breaks before the answer
 * came, even a PUT whose bytes were all sent (measured on 2.9.6; 2.7.11 does so on new connections too; never with a
 * Blob as body). A scripted drop would then go unseen, and a stored fragment would come twice. So the repetition of a
 * dropped request is dropped as well, without effect.
 */

import type { ServiceRequest } from "./messages.ts";

/** fetch repeats within a few milliseconds; what comes later is the client's own decision. */
const WINDOW_MS = 100;

export class SilentRepeats {
  /** By target: what the repetition will look like, and until when. */
  readonly #expected = new Map<string, { signature: string; until: number }>();

  /** Notes a request whose connection a fault rule is breaking. */
  dropped(request: ServiceRequest): void {
    if (!request.reused) return;
    this.#expected.set(request.target, {
      signature: signatureOf(request),
      until: performance.now() + WINDOW_MS,
    });
  }

  /** Whether this is the repetition. Any other request for the same target shows that the client has seen the drop. */
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
