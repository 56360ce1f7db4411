/** The annotation that says what to do when a name is taken. */

import { invalidRequest } from "../service_error.ts";
import type { ConflictBehavior } from "../tenant/drive.ts";
import type { Query } from "./query.ts";

/** Its name, and the one from before Microsoft Graph, which clients still send (PROTOCOL U3). */
export const CONFLICT_KEYS: readonly string[] = [
  "@microsoft.graph.conflictBehavior",
  "@name.conflictBehavior",
];

/** Reads the annotation: exactly fail, replace or rename. @throws {ServiceError} 400 */
export function conflictBehavior(
  properties: Query | Readonly<Record<string, unknown>>,
  defaultBehavior: ConflictBehavior,
): ConflictBehavior {
  const entries: Iterable<[string, unknown]> = properties instanceof Map
    ? properties
    : Object.entries(properties);
  const value = [...entries].find(([key]) => CONFLICT_KEYS.includes(key))?.[1];
  if (value === undefined) return defaultBehavior;
  if (value === "fail" || value === "replace" || value === "rename") return value;
  throw invalidRequest(
    `The conflict behavior '${value}' is not one of fail, replace, rename.`,
    "invalidParameterFormat",
  );
}

/** The first key of a request body that is none of these, nor an annotation of OData. */
export function unknownKey(
  properties: Readonly<Record<string, unknown>>,
  known: readonly string[],
): string | undefined {
  return Object.keys(properties).find((key) =>
    !known.includes(key) && !CONFLICT_KEYS.includes(key) && !key.startsWith("@odata.")
  );
}
