/** The timestamps that clients may set (PROTOCOL 11). */

import { invalidRequest } from "../service_error.ts";
import type { FileSystemInfo } from "../tenant/item.ts";

/** Parses a `fileSystemInfo` facet. @throws {ServiceError} 400 */
export function readFileSystemInfo(value: unknown): Partial<FileSystemInfo> {
  if (typeof value !== "object" || value === null) throw invalidRequest("fileSystemInfo is not an object.");
  const info: Partial<FileSystemInfo> = {};
  for (const [name, time] of Object.entries(value)) {
    if (name === "createdDateTime") info.created = readTime(name, time);
    else if (name === "lastModifiedDateTime") info.modified = readTime(name, time);
    else if (name !== "lastAccessedDateTime") {
      throw invalidRequest(`fileSystemInfo has no property '${name}'.`);
    }
  }
  return info;
}

/** ISO 8601 with up to seven fractional digits and an offset. */
function readTime(name: string, value: unknown): Date {
  if (
    typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)$/.test(value)
  ) {
    throw invalidRequest(`Cannot convert the value of '${name}' to type 'Edm.DateTimeOffset'.`);
  }
  const time = new Date(value.replace(/(\.\d{3})\d+/, "$1"));
  if (Number.isNaN(time.getTime())) throw invalidRequest(`The value of '${name}' is no valid time.`);
  return time;
}
