/** `$filter` of children, as far as clients use it (PROTOCOL 4.1j). */

import { notImplemented, ServiceError } from "../service_error.ts";
import type { Drive } from "../tenant/drive.ts";
import type { Item } from "../tenant/item.ts";
import { nameKey } from "../tenant/names.ts";

/** The items that the expression selects. @throws {ServiceError} 400 for what the service does not support, 501 */
export function filtered(items: Item[], expression: string | undefined, drive: Drive): Item[] {
  if (expression === undefined) return items;
  const [, facet, operator] = /^(file|folder|package) (eq|ne) null$/.exec(expression.trim()) ?? [];
  if (facet !== undefined) {
    const isSupported = drive.cid !== undefined || (facet === "folder" && operator === "ne");
    if (!isSupported) throw new ServiceError(400, "notSupported", "Operation not supported");
    return items.filter(({ kind }) => (kind === facet) === (operator === "ne"));
  }
  const [, name] = /^name eq '((?:[^']|'')*)'$/.exec(expression.trim()) ?? [];
  if (name === undefined) throw notImplemented(`$filter=${expression}`, "filter-query-parameter");
  const key = nameKey(name.replaceAll("''", "'"));
  return items.filter((item) => nameKey(item.name) === key);
}
