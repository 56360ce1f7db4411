/** Files that SharePoint rewrites, and malformed responses (PROTOCOL 9, 10.2). */

import { GET_CHILDREN, type KnownFault, LAST_FRAGMENT, PUT_CONTENT, SECOND_FRAGMENT } from "./known_fault.ts";

const UPLOADS = ["put", "put-large"] as const;
const LENGTH_REQUIRED = "<!DOCTYPE html><html><body><h2>Length Required</h2>" +
  "<p>HTTP Error 411. The request must be chunked or have a content length.</p></body></html>";
/** A real gateway takes 60 s. */
const GATEWAY_MS = 1_000;
const TIMEOUT = {
  status: 504,
  delayMs: GATEWAY_MS,
  body: { error: { code: "UnknownError", message: "", innerError: {} } },
};

export const ODD_RESPONSES = {
  "sharepoint-rewrite": {
    what: "SharePoint writes properties into Office files: the response shows a different size and hash",
    item: 16,
    traps: ["U20", "10.2"],
    scripts: UPLOADS,
    behavior: { rewriteOfficeFiles: "in-response" },
  },
  "sharepoint-rewrite-told-late": {
    what: "the same, but the response still shows the uploaded size and hash",
    item: 16,
    traps: ["U20", "10.2"],
    scripts: UPLOADS,
    behavior: { rewriteOfficeFiles: "after-response" },
  },
  "stored-document-damaged": {
    what: "the same, and a byte in the middle of the stored file is wrong; the ZIP directory is intact",
    item: 16,
    traps: ["U20", "10.2"],
    scripts: UPLOADS,
    behavior: { rewriteOfficeFiles: "in-response", storedDamage: "flipped-byte" },
  },
  "stored-first-byte": {
    what: "only the first byte of an upload is stored; the response shows its size and hash",
    item: 16,
    traps: ["U12", "10.2"],
    scripts: UPLOADS,
    behavior: { storedDamage: "first-byte-only" },
  },
  "empty-answer": {
    what: "a single-request upload succeeds, but the response is 201 without a body",
    item: 17,
    traps: ["9"],
    scripts: ["put"],
    rules: () => [{ ...PUT_CONTENT, status: 201, body: "", when: "after" }],
  },
  "empty-answer-at-commit": {
    what: "the last fragment creates the file, but the response is 201 without a body",
    item: 17,
    traps: ["9"],
    scripts: UPLOADS,
    rules: () => [{ ...LAST_FRAGMENT, status: 201, body: "", when: "after" }],
  },
  "empty-answer-to-listing": {
    what: "the response to a listing is 200 without a body",
    item: 17,
    traps: ["9"],
    scripts: ["ls"],
    rules: () => [{ ...GET_CHILDREN, times: "always", status: 200, body: "" }],
  },
  "length-required-html": {
    what: "the response to a single-request upload is 411 with an HTML page",
    item: 17,
    traps: ["9"],
    scripts: ["put"],
    rules: () => [{ ...PUT_CONTENT, times: "always", status: 411, body: LENGTH_REQUIRED }],
  },
  "gateway-timeout": {
    what: "504 after one second (really after 60 s), although uploads have succeeded",
    item: 17,
    traps: ["9"],
    scripts: ["ls", ...UPLOADS],
    rules: () => [
      { ...GET_CHILDREN, ...TIMEOUT },
      { ...PUT_CONTENT, ...TIMEOUT, when: "after" },
      { ...SECOND_FRAGMENT, ...TIMEOUT, when: "after" },
    ],
  },
} satisfies Record<string, KnownFault>;
