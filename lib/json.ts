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

/** Whether a value is an object with an id, as each resource of Microsoft Graph has. */
export function hasId(value: unknown): boolean {
  return isJsonObject(value) && typeof value.id === "string" && value.id !== "";
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text is a GUID, in any case: the id of a tenant, an app or a site. */
export function isGuid(text: string): boolean {
  return GUID.test(text);
}
