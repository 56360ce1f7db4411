/**
 * Names from the service as names of local files. The same names are refused on all systems: those that a file system
 * cannot store, or that would lead out of the folder.
 *
 * @module
 */
import { pathNameProblem } from "../drive/names.ts";

/** The limit of common file systems, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;
/** Device names on Windows, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;

/** Why a name cannot be that of a local file or folder; `undefined` if it can. */
export function localNameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  const fault = pathNameProblem(name);
  if (fault) return fault;
  if (DEVICE.test(name)) return "it is a device name on Windows";
  if (/[. ]$/.test(name)) return "it ends with a dot or space, which Windows drops";
  const bytes = new TextEncoder().encode(name).length;
  return bytes > MAX_NAME_BYTES ? `it has ${bytes} bytes, more than ${MAX_NAME_BYTES}` : undefined;
}

/** The names in one local folder. On many file systems, names that differ only in case are the same file. */
export class LocalNames {
  readonly #taken = new Map<string, string>();

  /** Takes a name; returns why it cannot be used, or `undefined`. */
  take(name: string): string | undefined {
    const fault = localNameProblem(name);
    if (fault) return fault;
    const key = name.normalize("NFC").toLowerCase();
    const twin = this.#taken.get(key);
    if (twin !== undefined) return `many file systems do not distinguish it from ${twin}`;
    this.#taken.set(key, name);
    return undefined;
  }
}
