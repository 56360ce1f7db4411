/** Splits the raw path of a Graph request into steps (PROTOCOL 3.1). */

import { invalidRequest, ServiceError } from "../service_error.ts";

/** Either one segment of the URL, or a path between two colons. */
export type AddressStep = { kind: "name"; text: string } | { kind: "path"; segments: string[] };

/** Graph's error for misplaced colons (api-docs#1241, n8n PR 32470, PROTOCOL N1 and N2). */
export function malformedAddress(): ServiceError {
  return new ServiceError(400, "BadRequest", "Entity only allows writes with a JSON Content-Type header.");
}

/**
 * Splits the raw path at its colons, then decodes each segment once. A colon that appears only after decoding is
 * an error: `%3A` does not escape it. A slash that appears only then separates names (PROTOCOL 3.2c).
 */
export function parseAddressPath(rawPath: string): AddressStep[] {
  // Channel ids contain a colon (19:…@thread.tacv2); below /teams, nothing is addressed by path.
  const parts = rawPath.startsWith("/teams/") ? [rawPath] : rawPath.split(":");
  return parts.flatMap((part, index): AddressStep[] => {
    const isLast = index === parts.length - 1;
    const isPath = index % 2 === 1;
    // A trailing colon is optional.
    if (!isPath && part === "" && isLast) return [];
    if (!part.startsWith("/") || (isPath && part === "/" && !isLast)) throw malformedAddress();
    // So is a trailing slash (PROTOCOL 3.1f).
    const segments = part.replace(/\/$/, "").split("/").slice(1).map(decode);
    return isPath ? [pathStep(segments)] : segments.flatMap(nameSteps);
  });
}

function pathStep(segments: readonly string[]): AddressStep {
  if (segments.some((segment) => segment.includes(":"))) throw malformedAddress();
  // Of a path with encoded slashes, no step on the way has removed "." (PROTOCOL 3.2c).
  const split = (segment: string) =>
    segment.split("/").filter((name, _, { length }) => name !== "." || length === 1);
  return { kind: "path", segments: segments.flatMap(split) };
}

/** `items('ID')` is OData's spelling of `items/ID` (PROTOCOL 3.1e). */
function nameSteps(segment: string): AddressStep[] {
  const [, collection, key = ""] = /^(\w+)\('(.*)'\)$/s.exec(segment) ?? [];
  const names = collection === undefined ? [segment] : [collection, key.replaceAll("''", "'")];
  return names.map((text) => ({ kind: "name", text }));
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidRequest("The request URI is not valid: it is not percent-encoded UTF-8.");
  }
}
