/** Download by pre-authenticated URL, with ranges (PROTOCOL 5). */

import type { ServiceRequest, ServiceResponse } from "../messages.ts";
import { itemNotFound } from "../service_error.ts";
import type { State } from "../state.ts";
import { eTagOf, type Item } from "../tenant/item.ts";
import { mimeType } from "../tenant/mime_types.ts";

/** `{site}/_layouts/15/download.aspx?UniqueId=…&Translate=false&tempauth=…&ApiVersion=2.0`, perhaps of a former version. */
export function downloadUrl(state: State, item: Item, version?: number): string {
  const query = `UniqueId=${item.guid}&Translate=false&tempauth=&ApiVersion=2.0`;
  const grant = { use: "download", driveId: item.drive.id, subject: item.id, version } as const;
  const { site } = item.drive.info;
  const path = `${site.path}/_layouts/15/download.aspx`;
  const origin = state.origins.storage(site);
  return state.signer.sign(origin, path, query, grant, state.settings.downloadUrlLifeSeconds);
}

/** Handles GET and HEAD. Ignores If-Range and If-Match: there is no evidence that they work (PROTOCOL 18). */
export function download(state: State, request: ServiceRequest): ServiceResponse {
  const grant = state.signer.check(request, "download");
  const item = state.tenant.drives.find((drive) => drive.id === grant.driveId)?.item(grant.subject);
  const former = item?.history.find(({ number }) => number === grant.version);
  const content = grant.version === undefined ? item?.content : former?.content;
  if (item === undefined || content === undefined) throw itemNotFound();
  const headers: Record<string, string> = {
    "accept-ranges": "bytes",
    "content-type": mimeType(item.name),
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(item.name)}`,
    etag: eTagOf(item),
    "last-modified": item.modified.toUTCString(),
  };
  const range = parseRange(request.headers["range"], content.length);
  if (range === "unsatisfiable") {
    headers["content-range"] = `bytes */${content.length}`;
    return { status: 416, headers, body: "" };
  }
  if (range === undefined) {
    return {
      status: 200,
      headers,
      body: { file: content.file, start: content.start, length: content.length },
    };
  }
  headers["content-range"] = `bytes ${range.start}-${range.end}/${content.length}`;
  const body = {
    file: content.file,
    start: content.start + range.start,
    length: range.end - range.start + 1,
  };
  return { status: 206, headers, body };
}

/** Parses a single range (RFC 9110); ignores malformed headers and multiple ranges. */
function parseRange(
  header: string | undefined,
  length: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const suffix = Math.min(Number(match[2]), length);
    return suffix === 0 ? "unsatisfiable" : { start: length - suffix, end: length - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === "" ? length - 1 : Math.min(Number(match[2]), length - 1);
  if (start >= length) return "unsatisfiable";
  return end < start ? undefined : { start, end };
}
