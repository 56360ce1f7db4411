/** Throttling (PROTOCOL 8). */

import type { FaultRule } from "../faults.ts";
import { type KnownFault, THROTTLED_PLACES } from "./known_fault.ts";

const scripts = ["ls", "get", "put", "put-large"] as const;

/** Once for each operation. */
function everywhere(fault: FaultRule): FaultRule[] {
  return THROTTLED_PLACES.map((place) => ({ ...place, ...fault }));
}

/** HTTP dates have whole seconds: this one is one to two seconds ahead. */
function retryAfterDate(): Record<string, string> {
  return { "Retry-After": new Date(Math.ceil(Date.now() / 1000 + 1) * 1000).toUTCString() };
}

export const THROTTLING = {
  "throttled-with-retry-after": {
    what: "429 with Retry-After: 2",
    item: 1,
    traps: ["8"],
    scripts,
    rules: (): FaultRule[] => everywhere({ status: 429, headers: { "Retry-After": "2" } }),
  },
  "throttled-without-retry-after": {
    what: "429 twice, without Retry-After",
    item: 1,
    traps: ["E1"],
    scripts,
    rules: (): FaultRule[] => everywhere({ status: 429, times: 2 }),
  },
  "throttled-with-date": {
    what: "429 with an HTTP date as Retry-After, one to two seconds ahead",
    item: 1,
    traps: ["8"],
    scripts,
    rules: (): FaultRule[] => everywhere({ status: 429, headers: retryAfterDate }),
  },
  "throttled-as-plain-text": {
    what: "429 with the plain text 429 TOO MANY REQUESTS",
    item: 1,
    traps: ["E1"],
    scripts,
    rules: (): FaultRule[] => everywhere({ status: 429, body: "429 TOO MANY REQUESTS" }),
  },
  "throttled-for-an-hour": {
    what: "429 with Retry-After: 3600, always",
    item: 1,
    traps: ["8"],
    scripts,
    rules: (): FaultRule[] =>
      everywhere({ status: 429, times: "always", headers: { "Retry-After": "3600" } }),
  },
  "server-too-busy": {
    what: "503 with Retry-After: 1",
    item: 2,
    traps: ["8"],
    scripts,
    rules: (): FaultRule[] => everywhere({ status: 503, headers: { "Retry-After": "1" } }),
  },
} satisfies Record<string, KnownFault>;
