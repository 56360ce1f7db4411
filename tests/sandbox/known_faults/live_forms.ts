/** Forms of responses that were seen live besides the usual ones: clients must bear both (PROTOCOL 17.2). */

import type { FaultRule } from "../faults.ts";
import { type KnownFault, PUT_CONTENT, SECOND_FRAGMENT, THROTTLED_PLACES } from "./known_fault.ts";

const FILES = ["ls", "get", "put", "put-large"] as const;
const UPLOADS = ["put", "put-large"] as const;

export const LIVE_FORMS = {
  "older-forms": {
    what:
      "ids, tags, times, ranges, encoded paths and errors of earlier years; personal OneDrives are not migrated",
    item: 18,
    traps: ["2.1", "9", "11", "N8"],
    scripts: FILES,
    options: { olderForms: true },
  },
  "forbidden-as-not-found": {
    what: "a read without permission gets 404 instead of 403",
    item: 18,
    traps: ["2.3"],
    scripts: FILES,
    behavior: { forbiddenAsNotFound: true },
  },
  "throttled-as-bad-request": {
    what: "429 twice with the code BadRequest, without Retry-After",
    item: 18,
    traps: ["E1"],
    scripts: FILES,
    rules: (): FaultRule[] =>
      THROTTLED_PLACES.map((place) => ({
        ...place,
        status: 429,
        times: 2,
        body: { error: { code: "BadRequest", message: "Too many requests" } },
      })),
  },
  "fragment-conflict": {
    what:
      "the response to the second fragment is 416, an optimistic concurrency failure, and it is not stored",
    item: 18,
    traps: ["U8"],
    scripts: UPLOADS,
    rules: () => [{
      ...SECOND_FRAGMENT,
      status: 416,
      body: {
        error: { code: "invalidRange", message: "Optimistic concurrency failure during fragmented upload" },
      },
    }],
  },
  "precondition-not-allowed": {
    what: "412 with the code notAllowed; in a session at the second fragment",
    item: 18,
    traps: ["9", "U17"],
    scripts: UPLOADS,
    rules: (): FaultRule[] =>
      [SECOND_FRAGMENT, PUT_CONTENT].map((place) => ({
        ...place,
        times: "always",
        status: 412,
        body: { error: { code: "notAllowed", message: "The version does not match." } },
      })),
  },
} satisfies Record<string, KnownFault>;
