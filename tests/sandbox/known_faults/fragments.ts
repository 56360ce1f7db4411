/** Faults of fragments and upload URLs (PROTOCOL 7.3, 7.4). */

import type { ServiceRequest } from "../messages.ts";
import { FRAGMENT, type KnownFault, SECOND_FRAGMENT } from "./known_fault.ts";

const scripts = ["put", "put-large"] as const;
const BUSY = { status: 503, headers: { "Retry-After": "1" } };

/** Expects the fragment just sent again, as if it had not arrived. */
function repeatsRange({ headers }: ServiceRequest): unknown {
  const start = /\d+/.exec(headers["content-range"] ?? "")?.[0] ?? "0";
  const expirationDateTime = new Date(Date.now() + 900_000).toISOString();
  return { expirationDateTime, nextExpectedRanges: [`${start}-`] };
}

export const FRAGMENTS = {
  "fragment-stored-but-503": {
    what: "the second fragment is stored, but the response is 503",
    item: 2,
    traps: ["7.4"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, ...BUSY, when: "after" }],
  },
  "fragment-refused-with-503": {
    what: "the response to the second fragment is 503, and it is not stored",
    item: 2,
    traps: ["7.4"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, ...BUSY }],
  },
  "answer-lost": {
    what: "the second fragment is stored, but the connection closes before the response",
    item: 3,
    traps: ["U8"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, drop: true, when: "after" }],
  },
  "connection-cut-in-body": {
    what: "the connection closes in the middle of the second fragment; none of it is kept",
    item: 3,
    traps: ["7.3"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, dropAfterBytes: 163_840 }],
  },
  "connection-cut-part-kept": {
    what:
      "the connection closes in the middle of the second fragment; the received part is kept (personal OneDrive)",
    item: 3,
    traps: ["7.3"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, dropAfterBytes: 163_840, keepPart: true }],
  },
  "fragment-overlap": {
    what: "the second fragment is stored, but the response is 416 fragmentOverlap, as for a duplicate",
    item: 4,
    traps: ["U8"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, status: 416, when: "after" }],
  },
  "session-stuck": {
    what: "nextExpectedRanges stops advancing at the second fragment",
    item: 4,
    traps: ["U8"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, times: "always", status: 202, body: repeatsRange }],
  },
  "upload-url-expired": {
    what: "the upload URL expires at the second fragment, as after 24 hours: 401 expiredToken",
    item: 6,
    traps: ["U6"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, sideEffect: "link-expires" }],
  },
  "upload-url-forbidden": {
    what: "the same, with 403 accessDenied",
    item: 6,
    traps: ["U6"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, sideEffect: "link-forbidden" }],
  },
  "upload-url-forbidden-always": {
    what: "403 accessDenied for every fragment of every session: missing permission",
    item: 6,
    traps: ["7.4"],
    scripts,
    rules: () => [{ ...FRAGMENT, times: "always", status: 403 }],
  },
  "token-expires-in-upload": {
    what: "all access tokens expire at the second fragment, which does not need one",
    item: 11,
    traps: ["U5"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, sideEffect: "tokens-expire" }],
  },
} satisfies Record<string, KnownFault>;
