/**
 * JSON and ids from outside, whose shape is not trusted.
 *
 * @module
 */

/** Whether a value is an object: neither `null` nor an array. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a JSON object; `undefined` for anything else. */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined; // the caller reports it, with the name of the source
  }
}

/** Types of the fields that we read; each field may be missing or `null`. */
export interface Shape {
  [field: string]: "string" | "number" | Shape;
}

/** Whether a value is an object whose fields, as far as they are present, have these types. */
export function hasShape(value: unknown, shape: Shape): boolean {
  return isJsonObject(value) && Object.entries(shape).every(([name, type]) => {
    const field = value[name];
    if (field === undefined || field === null) return true;
    if (typeof type === "object") return hasShape(field, type);
    // Half a surrogate pair cannot be part of a URL; a size beyond 2^53 is not exact.
    if (type === "string") return typeof field === "string" && field.isWellFormed();
    return Number.isSafeInteger(field) && (field as number) >= 0;
  });
}

/** A guard for objects with an id; of the other fields, those that are present must be strings. */
export function hasId<T>(...fields: (keyof T & string)[]): (value: unknown) => value is T {
  const shape = Object.fromEntries(["id", ...fields].map((field) => [field, "string" as const]));
  return (value): value is T => hasShape(value, shape) && Boolean((value as { id?: string }).id);
}

/** Source of a regular expression for one GUID: an id of a tenant, an app or a site. */
export const GUID_PATTERN = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

const GUID = new RegExp(`^${GUID_PATTERN}$`, "i");

/** Whether a text is a GUID, in any case. */
export function isGuid(text: string): boolean {
  return GUID.test(text);
}
