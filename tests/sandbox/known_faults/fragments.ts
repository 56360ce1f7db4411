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
    what: "the second fragment is stored, and answered by 503",
    item: 2,
    traps: ["7.4"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, ...BUSY, when: "after" }],
  },
  "fragment-refused-with-503": {
    what: "the second fragment is answered by 503, and not stored",
    item: 2,
    traps: ["7.4"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, ...BUSY }],
  },
  "answer-lost": {
    what: "the second fragment is stored, and the connection ends before the answer",
    item: 3,
    traps: ["U8"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, drop: true, when: "after" }],
  },
  "connection-cut-in-body": {
    what: "the connection ends in the middle of the second fragment; nothing of it is kept",
    item: 3,
    traps: ["7.3"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, dropAfterBytes: 163_840 }],
  },
  "connection-cut-part-kept": {
    what:
      "the connection ends in the middle of the second fragment; what came of it is kept (personal OneDrive)",
    item: 3,
    traps: ["7.3"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, dropAfterBytes: 163_840, keepPart: true }],
  },
  "fragment-overlap": {
    what: "the second fragment is stored, and answered by 416 fragmentOverlap as one that is there already",
    item: 4,
    traps: ["U8"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, status: 416, when: "after" }],
  },
  "session-stuck": {
    what: "from the second fragment on nextExpectedRanges does not move any more",
    item: 4,
    traps: ["U8"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, times: "always", status: 202, body: repeatsRange }],
  },
  "upload-url-expired": {
    what: "at the second fragment the 24 hours of the upload URL are over: 401 expiredToken",
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
    what: "403 accessDenied for every fragment of every session: a matter of rights",
    item: 6,
    traps: ["7.4"],
    scripts,
    rules: () => [{ ...FRAGMENT, times: "always", status: 403 }],
  },
  "token-expires-in-upload": {
    what: "all access tokens expire at the second fragment, which needs none",
    item: 11,
    traps: ["U5"],
    scripts,
    rules: () => [{ ...SECOND_FRAGMENT, sideEffect: "tokens-expire" }],
  },
} satisfies Record<string, KnownFault>;
