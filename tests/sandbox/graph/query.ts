/** Query options of Graph requests (PROTOCOL 4.1). */

import { invalidRequest, notImplemented, type ServiceError } from "../service_error.ts";
import { MISSING_PROPERTIES } from "./drive_item_properties.ts";

const OPTIONS = ["select", "top", "expand", "orderby", "skiptoken", "skipToken", "skip", "filter", "count"];
/** Options of OData that the sandbox does not model anywhere. */
const MISSING_OPTIONS = [
  "search",
  "format",
  "levels",
  "apply",
  "compute",
  "index",
  "schemaversion",
  "deltatoken",
];

/** The query options of a request; OData options with their `$`. */
export type Query = ReadonlyMap<string, string>;

/**
 * Parses the raw query. Names are case-sensitive; a `$` is optional but must be used consistently in a request
 * (QP, CASE).
 */
export function parseQuery(raw: string): Query {
  const query = new Map<string, string>();
  let spelling: "with" | "without" | undefined;
  for (const part of raw.split("&").filter((part) => part !== "")) {
    const [name, value] = splitPair(part);
    const bare = name.startsWith("$") ? name.slice(1) : name;
    if (name.startsWith("$") && MISSING_OPTIONS.includes(bare)) throw missingOption(name);
    if (name.startsWith("$") && !OPTIONS.includes(bare)) {
      throw invalidRequest(`The query parameter '${name}' is not supported.`);
    }
    if (OPTIONS.includes(bare)) {
      const used = bare === name ? "without" : "with";
      if (spelling !== undefined && spelling !== used) {
        throw invalidRequest("Query options must all start with '$' or none.");
      }
      spelling = used;
    }
    const key = OPTIONS.includes(bare) ? `$${bare}` : name;
    if (query.has(key)) throw invalidRequest(`Query option '${name}' was specified more than once.`);
    query.set(key, value);
  }
  return query;
}

function splitPair(part: string): [string, string] {
  const mark = part.indexOf("=");
  try {
    const [name, value] = (mark < 0 ? [part, ""] : [part.slice(0, mark), part.slice(mark + 1)])
      .map((text) => decodeURIComponent(text.replaceAll("+", " "))) as [string, string];
    return [name, value];
  } catch {
    throw invalidRequest("The query is not percent-encoded UTF-8.");
  }
}

/** Rejects other options: `$skip` in the service's name (PROTOCOL L8), the rest in our own. @throws {ServiceError} 400, 501 */
export function allowOptions(query: Query, ...allowed: string[]): void {
  for (const name of query.keys()) {
    if (!name.startsWith("$") || allowed.includes(name)) continue;
    if (name === "$skip") throw invalidRequest(`The query parameter '${name}' is not supported here.`);
    throw missingOption(name);
  }
}

function missingOption(name: string): ServiceError {
  return notImplemented(`the query option '${name}' here`, "query-parameters");
}

/**
 * The names in `$select`, or undefined. `isMissing` says which unknown ones the service has.
 *
 * @throws {ServiceError} 400 for a property that the type does not have, 501
 */
export function selected(
  query: Query,
  properties: ReadonlySet<string>,
  type: string,
  isMissing = (name: string) => MISSING_PROPERTIES.has(name),
): string[] | undefined {
  const text = query.get("$select");
  if (text === undefined) return undefined;
  const names = text.split(",").map((name) => name.trim());
  // Such as `*`, or a path below a property.
  if (!names.every((name) => /^[\w@.]+$/.test(name))) throw missingOption(`$select=${text}`);
  const unknown = names.find((name) => !properties.has(name));
  if (unknown === undefined) return names;
  if (isMissing(unknown)) {
    throw notImplemented(
      `the property '${unknown}'`,
      `api/resources/${type.split(".").at(-1)!.toLowerCase()}`,
    );
  }
  throw invalidRequest(
    `Parsing OData Select and Expand failed: Could not find a property named '${unknown}' on type '${type}'.`,
  );
}

/** The selected properties of an object, and its annotations. */
export function pick(
  json: Record<string, unknown>,
  names: readonly string[] | undefined,
): Record<string, unknown> {
  if (names === undefined) return json;
  return Object.fromEntries(
    Object.entries(json).filter(([name]) => name.startsWith("@odata.") || names.includes(name)),
  );
}
