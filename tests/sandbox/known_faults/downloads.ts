/** Downloads that are late, incomplete or wrong (PROTOCOL 5). */

import type { ServiceResponse } from "../messages.ts";
import { DOWNLOAD, type KnownFault } from "./known_fault.ts";

const scripts = ["get"] as const;
const CUT_BYTES = 1_000_000;
const PAGE = "<!DOCTYPE html><html><head><title>Sign in to your account</title></head></html>";
const HTML = { "Content-Type": "text/html; charset=utf-8" };

/** The service reports a smaller size than it sends for files that it converts, such as HEIC (PROTOCOL D6). */
function withUnderstatedSize(response: ServiceResponse): ServiceResponse {
  if (response.status !== 200 || typeof response.body !== "string") return response;
  const item = JSON.parse(response.body);
  if (item.file === undefined) return response;
  const file = { ...item.file, hashes: { quickXorHash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } };
  return { ...response, body: JSON.stringify({ ...item, file, size: Math.floor(item.size / 2) }) };
}

/** The first half of a file, with a matching Content-Length. */
function half({ status, headers, body }: ServiceResponse): ServiceResponse {
  if (typeof body === "string") return { status, headers, body };
  return { status, headers, body: { ...body, length: Math.floor(body.length / 2) } };
}

export const DOWNLOADS = {
  "download-url-expired": {
    what:
      "the connection closes after 1 MB, and the download URL has expired: 401 until the client gets a new one",
    item: 14,
    traps: ["D3"],
    scripts,
    rules: () => [
      { ...DOWNLOAD, truncateBodyTo: CUT_BYTES },
      { ...DOWNLOAD, nth: 2, sideEffect: "link-expires" },
    ],
  },
  "download-url-refused": {
    what: "the first download URL is rejected with 401; the next one works",
    item: 14,
    traps: ["5"],
    scripts,
    rules: () => [{ ...DOWNLOAD, sideEffect: "link-expires" }],
  },
  "range-ignored": {
    what: "the connection closes after 1 MB, and the response to the rest is 200 with the whole content",
    item: 14,
    traps: ["D2"],
    scripts,
    rules: () => [
      { ...DOWNLOAD, truncateBodyTo: CUT_BYTES },
      { ...DOWNLOAD, nth: 2, times: "always", hideHeaders: ["range"] },
    ],
  },
  "body-cut": {
    what: "the body ends after 1 MB, before its Content-Length",
    item: 14,
    traps: ["5"],
    scripts,
    rules: () => [{ ...DOWNLOAD, truncateBodyTo: CUT_BYTES }],
  },
  "body-too-long": {
    what: "the body is twice the item's size and has a different hash",
    item: 14,
    traps: ["D6"],
    scripts,
    rules: () => [{
      service: "graph",
      method: "GET",
      path: "/drives/",
      times: "always",
      rewrite: withUnderstatedSize,
    }],
  },
  "html-instead-of-content": {
    what: "the response to the download URL is 200 with an HTML page",
    item: 14,
    traps: ["D1", "D5"],
    scripts,
    rules: () => [{ ...DOWNLOAD, times: "always", status: 200, headers: HTML, body: PAGE }],
  },
  "text-instead-of-content": {
    what: "the response to the download URL is 200 with eleven bytes of plain text: server busy",
    item: 14,
    traps: ["D5", "D6"],
    scripts,
    rules: () => [{ ...DOWNLOAD, times: "always", status: 200, body: "server busy" }],
  },
  "half-content": {
    what:
      "the response to the download URL is 200 with only the first half of the content and a matching length",
    item: 14,
    traps: ["5", "D6"],
    scripts,
    rules: () => [{ ...DOWNLOAD, times: "always", rewrite: half }],
  },
  "redirect-to-html": {
    what: "the response to the download URL is 302 to an HTML page",
    item: 14,
    traps: ["D1", "D5"],
    scripts,
    rules: () => [{
      ...DOWNLOAD,
      times: "always",
      status: 302,
      headers: { ...HTML, Location: "/_layouts/15/Error.aspx" },
      body: PAGE,
    }],
  },
  "content-empty": {
    what: "the response to the download URL is 200 without a body",
    item: 14,
    traps: ["D5"],
    scripts,
    rules: () => [{ ...DOWNLOAD, times: "always", status: 200, headers: {}, body: "" }],
  },
} satisfies Record<string, KnownFault>;
