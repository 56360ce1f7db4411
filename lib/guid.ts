/**
 * GUIDs, as Microsoft writes ids of tenants, apps and sites.
 *
 * @module
 */

/** Source of a regular expression for one GUID. */
export const GUID_PATTERN = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

const GUID = new RegExp(`^${GUID_PATTERN}$`, "i");

/** Whether a text is a GUID, in any case. */
export function isGuid(text: string): boolean {
  return GUID.test(text);
}
