/** Query options of Graph requests (PROTOCOL 4.1). */

import { invalidRequest } from "../service_error.ts";

const OPTIONS = ["select", "top", "expand", "orderby", "skiptoken", "skipToken", "skip", "filter", "count"];

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

/** Rejects other options. @throws {ServiceError} 400 */
export function allowOptions(query: Query, ...allowed: string[]): void {
  for (const name of query.keys()) {
    if (name.startsWith("$") && !allowed.includes(name)) {
      throw invalidRequest(`The query parameter '${name}' is not supported here.`);
    }
  }
}

/** The names in `$select`, or undefined. @throws {ServiceError} 400 for a property that the type does not have */
export function selected(query: Query, properties: ReadonlySet<string>, type: string): string[] | undefined {
  const text = query.get("$select");
  if (text === undefined) return undefined;
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!properties.has(name)) {
      throw invalidRequest(
        `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type '${type}'.`,
      );
    }
  }
  return names;
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
