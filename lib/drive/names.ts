/**
 * The service's rules for names of files and folders (PROTOCOL 3.3), checked before any request: its own
 * answers to such names are vague, misleading (a colon), or a silently changed name (a trailing space).
 *
 * @module
 */
import { usageError } from "../errors.ts";

const ILLEGAL_CHARACTER = /["*:<>?/\\|]/;
// deno-lint-ignore no-control-regex -- finding control characters is its purpose
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;
const RESERVED = /^(\.lock|desktop\.ini|(con|prn|aux|nul|com\d|lpt\d)(\..*)?)$/i;
const MAX_NAME = 255;
/** What the service takes for a path from the root of its drive, in characters. */
export const MAX_PATH = 400;

/** Why a name cannot be part of any address, or `undefined`. */
export function pathNameProblem(name: string): string | undefined {
  if (name === "." || name === "..") return `"${name}" is not a name; write the whole path`;
  const illegal = ILLEGAL_CHARACTER.exec(name)?.[0];
  if (illegal) return `the character ${illegal} is not allowed in names`;
  if (CONTROL_CHARACTER.test(name)) return "control characters are not allowed in names";
  if (name.includes("&#")) return "the characters &# are not allowed side by side in names";
  return undefined;
}

/** Why the service would refuse to store under this name, or `undefined`. */
export function nameProblem(name: string): string | undefined {
  const fault = pathNameProblem(name);
  if (fault) return fault;
  if (name === "") return "the name is empty";
  if (name !== name.trim()) return "a name may not begin or end with a space";
  if (name.endsWith(".")) return "a name may not end with a dot";
  if (name.startsWith("~$")) return "a name may not begin with ~$";
  if (RESERVED.test(name)) return "the name is reserved";
  if (name.toLowerCase().includes("_vti_")) return "a name may not contain _vti_";
  if (name.length > MAX_NAME) return `the name is longer than ${MAX_NAME} characters`;
  return undefined;
}

/**
 * Refuses a path that cannot be an address.
 *
 * @throws {GraphError} `usage`, code `illegalName`.
 */
export function checkAddress(path: readonly string[]): void {
  for (const name of path) refuse(name, pathNameProblem(name));
  const length = path.join("/").length;
  if (length > MAX_PATH) {
    throw usageError(
      `a path of ${length} characters is longer than the service allows, ${MAX_PATH}`,
      "use shorter folder or file names",
      "illegalName",
    );
  }
}

/**
 * Refuses a name that the service would not store.
 *
 * @throws {GraphError} `usage`, code `illegalName`.
 */
export function checkNewName(name: string): void {
  refuse(name, nameProblem(name));
}

function refuse(name: string, fault: string | undefined): void {
  if (fault) {
    throw usageError(
      `illegal name ${JSON.stringify(name)}: ${fault}`,
      "rename it; nothing was sent",
      "illegalName",
    );
  }
}

/** One person types a name in NFC, macOS hands it over in NFD: the service is sent NFC. */
export function remoteName(localName: string): string {
  return localName.normalize("NFC");
}

/** What the service compares of a name: case does not count. */
export function nameKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** Whether two names are the same to the service. */
export function sameName(a: string, b: string): boolean {
  return nameKey(a) === nameKey(b);
}
