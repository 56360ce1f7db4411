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
 * an error: `%3A` does not escape it.
 */
export function parseAddressPath(rawPath: string): AddressStep[] {
  // Channel ids contain a colon (19:…@thread.tacv2); below /teams, nothing is addressed by path.
  const parts = rawPath.startsWith("/teams/") ? [rawPath] : rawPath.split(":");
  const steps: AddressStep[] = [];
  for (const [index, part] of parts.entries()) {
    const isPath = index % 2 === 1;
    // A trailing colon is optional.
    if (!isPath && part === "" && index === parts.length - 1) continue;
    if (!part.startsWith("/") || (isPath && part === "/")) throw malformedAddress();
    const segments = part.slice(1).split("/").map(decode);
    if (isPath) {
      if (segments.some((segment) => segment.includes(":"))) throw malformedAddress();
      steps.push({ kind: "path", segments });
    } else {
      steps.push(...segments.map((text): AddressStep => ({ kind: "name", text })));
    }
  }
  return steps;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidRequest("The request URI is not valid: it is not percent-encoded UTF-8.");
  }
}
