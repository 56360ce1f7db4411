/**
 * Names from the service as names of local files: one that a disk cannot hold, or that would lead out of its folder, is
 * refused, on all systems alike.
 *
 * @module
 */
import { pathNameProblem } from "../drive/names.ts";

/** What file systems take for one name, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;
/** Devices on Windows, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;

/** Why a name cannot be that of a local file or folder, or `undefined`. */
export function localNameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  const fault = pathNameProblem(name);
  if (fault) return fault;
  if (DEVICE.test(name)) return "Windows takes it for a device";
  if (/[. ]$/.test(name)) return "Windows drops the dot or space at its end";
  const bytes = new TextEncoder().encode(name).length;
  return bytes > MAX_NAME_BYTES ? `it has ${bytes} bytes, more than ${MAX_NAME_BYTES}` : undefined;
}

/** Names given out in one folder: on many disks two that differ in case alone would be one file. */
export class LocalNames {
  readonly #given = new Map<string, string>();

  /** Takes a name; returns why it cannot be had, or `undefined`. */
  take(name: string): string | undefined {
    const fault = localNameProblem(name);
    if (fault) return fault;
    const key = name.normalize("NFC").toLowerCase();
    const twin = this.#given.get(key);
    if (twin !== undefined) return `on many disks it is the same name as ${twin}`;
    this.#given.set(key, name);
    return undefined;
  }
}
