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
    what:
      "SharePoint writes properties into Office files: the answer shows another size and hash than was sent",
    item: 16,
    traps: ["U20", "10.2"],
    scripts: UPLOADS,
    behavior: { rewriteOfficeFiles: "in-response" },
  },
  "sharepoint-rewrite-told-late": {
    what: "the same, after an answer that still shows the old size and hash",
    item: 16,
    traps: ["U20", "10.2"],
    scripts: UPLOADS,
    behavior: { rewriteOfficeFiles: "after-response" },
  },
  "stored-document-damaged": {
    what:
      "the same, and a byte in the middle of what SharePoint stores is another; the directory of the ZIP archive is right",
    item: 16,
    traps: ["U20", "10.2"],
    scripts: UPLOADS,
    behavior: { rewriteOfficeFiles: "in-response", storedDamage: "flipped-byte" },
  },
  "stored-first-byte": {
    what: "of an upload only the first byte is stored, and answered with the size and hash of that",
    item: 16,
    traps: ["U12", "10.2"],
    scripts: UPLOADS,
    behavior: { storedDamage: "first-byte-only" },
  },
  "empty-answer": {
    what: "an upload in one request takes effect, and is answered by 201 without a body",
    item: 17,
    traps: ["9"],
    scripts: ["put"],
    rules: () => [{ ...PUT_CONTENT, status: 201, body: "", when: "after" }],
  },
  "empty-answer-at-commit": {
    what: "the last fragment makes the file, and is answered by 201 without a body",
    item: 17,
    traps: ["9"],
    scripts: UPLOADS,
    rules: () => [{ ...LAST_FRAGMENT, status: 201, body: "", when: "after" }],
  },
  "empty-answer-to-listing": {
    what: "a listing is answered by 200 without a body",
    item: 17,
    traps: ["9"],
    scripts: ["ls"],
    rules: () => [{ ...GET_CHILDREN, times: "always", status: 200, body: "" }],
  },
  "length-required-html": {
    what: "an upload in one request is answered by 411 and a page of HTML",
    item: 17,
    traps: ["9"],
    scripts: ["put"],
    rules: () => [{ ...PUT_CONTENT, times: "always", status: 411, body: LENGTH_REQUIRED }],
  },
  "gateway-timeout": {
    what: "504 after a second (in life after 60 s), though uploads have taken effect by then",
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
