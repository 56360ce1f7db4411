/** Faults at the start and end of upload sessions (PROTOCOL 7.1, 7.3). */

import type { FaultRule } from "../faults.ts";
import {
  CREATE_SESSION,
  FRAGMENT,
  type KnownFault,
  LAST_FRAGMENT,
  PUT_CONTENT,
  SECOND_FRAGMENT,
} from "./known_fault.ts";

const scripts = ["put", "put-large"] as const;
const SESSION_NOT_FOUND = {
  status: 404,
  body: {
    error: {
      code: "itemNotFound",
      message: "The upload session was not found",
      innererror: { code: "uploadSessionNotFound" },
    },
  },
};
const LEFTOVER = {
  error: { code: "nameAlreadyExists", message: "An upload session already exists for this file." },
};

export const SESSIONS = {
  "session-lost-once": {
    what: "404 for the first fragment of a new session; a second session works (SharePoint and Office files)",
    item: 5,
    traps: ["U7"],
    scripts,
    rules: () => [{ ...FRAGMENT, ...SESSION_NOT_FOUND }],
  },
  "session-lost-twice": {
    what: "404 for the first fragment of a new session, and of a second session too",
    item: 5,
    traps: ["U7"],
    scripts,
    rules: () => [{ ...FRAGMENT, ...SESSION_NOT_FOUND, times: 2 }],
  },
  "commit-says-500": {
    what: "the last fragment creates the file, but the response is 500",
    item: 7,
    traps: ["U15"],
    scripts,
    rules: () => [{ ...LAST_FRAGMENT, status: 500, when: "after" }],
  },
  "commit-says-404": {
    what: "the last fragment creates the file, but the response is 404",
    item: 7,
    traps: ["U15"],
    scripts,
    rules: () => [{ ...LAST_FRAGMENT, ...SESSION_NOT_FOUND, when: "after" }],
  },
  "commit-answer-lost": {
    what: "the last fragment creates the file, but the connection closes before the response",
    item: 3,
    traps: ["U15"],
    scripts,
    rules: () => [{ ...LAST_FRAGMENT, drop: true, when: "after" }],
  },
  "commit-empty-ranges": {
    what: "the last fragment creates the file, but the response is 202 with empty nextExpectedRanges",
    item: 7,
    traps: ["U15"],
    scripts,
    rules: () => [{ ...LAST_FRAGMENT, status: 202, body: { nextExpectedRanges: [] }, when: "after" }],
  },
  "name-taken-at-commit": {
    what: "another client creates a file of the same name just before the last fragment",
    item: 8,
    traps: ["7.3"],
    scripts,
    rules: () => [{ ...LAST_FRAGMENT, sideEffect: "name-taken" }],
  },
  "leftover-session": {
    what: "409 for a new session: an abandoned session is still open",
    item: 8,
    traps: ["U9"],
    scripts,
    rules: () => [{ ...CREATE_SESSION, times: "always", status: 409, body: LEFTOVER }],
  },
  "file-locked": {
    what: "423 resourceLocked: the file is open in Office",
    item: 9,
    traps: ["U23"],
    scripts,
    rules: (): FaultRule[] =>
      [CREATE_SESSION, PUT_CONTENT].map((place) => ({ ...place, times: "always", status: 423 })),
  },
  "quota-reached": {
    what: "507 quotaLimitReached; in a session at the second fragment",
    item: 9,
    traps: ["U24"],
    scripts,
    rules: (): FaultRule[] =>
      [SECOND_FRAGMENT, PUT_CONTENT].map((place) => ({ ...place, times: "always", status: 507 })),
  },
  "precondition-failed": {
    what: "412: the file has changed in the meantime; in a session at the second fragment",
    item: 9,
    traps: ["U17"],
    scripts,
    rules: (): FaultRule[] =>
      [SECOND_FRAGMENT, PUT_CONTENT].map((place) => ({ ...place, times: "always", status: 412 })),
  },
  "session-error-under-200": {
    what: "the response to a new session is 200 with an error in the body",
    item: 10,
    traps: ["E2"],
    scripts,
    rules: () => [{
      ...CREATE_SESSION,
      times: "always",
      status: 200,
      body: { error: { code: "notSupported", message: "The media type is not supported." } },
    }],
  },
  "session-without-ranges": {
    what: "a new session has no nextExpectedRanges",
    item: 10,
    traps: ["7.1"],
    scripts,
    rules: () => [{ ...CREATE_SESSION, patch: { nextExpectedRanges: null } }],
  },
  "session-on-foreign-host": {
    what: "the upload URL of a new session has a host that is not Microsoft's",
    item: 10,
    traps: ["15"],
    scripts,
    rules: () => [{
      ...CREATE_SESSION,
      times: "always",
      status: 200,
      body: { uploadUrl: "https://uploads.example/up?tempauth=x", nextExpectedRanges: ["0-"] },
    }],
  },
} satisfies Record<string, KnownFault>;
