/**
 * The service's rules for names of files and folders (PROTOCOL 3.3, N7), checked before any request, since its own responses
 * are vague, misleading (for a colon), or a silently changed name (for a trailing space).
 *
 * @module
 */
import { usageError } from "../errors.ts";

const ILLEGAL = /["*:<>?/\\|\p{Cc}]|&#/u;
const RESERVED = /^(~\$.*|.*_vti_.*|\.lock|desktop\.ini|(con|prn|aux|nul|com\d|lpt\d)(\..*)?)$/i;
const MAX_NAME = 255;
/** Longest path from the root of a drive, in characters. */
const MAX_PATH = 400;

/** Why a name cannot be part of an address; `undefined` if it can. */
export function pathNameProblem(name: string): string | undefined {
  if (name === "." || name === "..") return `"${name}" is not a name; write the whole path`;
  const illegal = ILLEGAL.exec(name)?.[0];
  return illegal && `${JSON.stringify(illegal)} is not allowed in names`;
}

/** Why a new item cannot have a name; `undefined` if it can. */
export function nameProblem(name: string): string | undefined {
  const problem = pathNameProblem(name);
  if (problem) return problem;
  if (name === "") return "the name is empty";
  if (/^\s|[\s.]$/.test(name)) return "a name may not begin or end with a space, or end with a dot";
  if (RESERVED.test(name)) return "the name is reserved";
  if (name.length > MAX_NAME) return `the name is longer than ${MAX_NAME} characters`;
  return undefined;
}

/** @throws {GraphError} `usage`, code `illegalName`, for a path that no item can have. */
export function checkAddress(path: readonly string[]): void {
  for (const name of path) throwIfProblem(name, pathNameProblem(name));
  const length = path.join("/").length;
  if (length > MAX_PATH) {
    const problem = `a path of ${length} characters is too long; the service allows ${MAX_PATH}`;
    throw usageError(problem, "use shorter folder or file names", "illegalName");
  }
}

/** @throws {GraphError} `usage`, code `illegalName`, for a name that a new item cannot have. */
export function checkNewName(name: string): void {
  throwIfProblem(name, nameProblem(name));
}

function throwIfProblem(name: string, problem: string | undefined): void {
  if (problem === undefined) return;
  const message = `illegal name ${JSON.stringify(name)}: ${problem}`;
  throw usageError(message, "rename it; nothing was sent", "illegalName");
}

/** The form of a name to send: keyboards produce NFC, macOS file systems NFD (PROTOCOL 3.3d). */
export function remoteName(localName: string): string {
  return localName.normalize("NFC");
}

/** A key that is equal for names that are equal to the service, which ignores case (PROTOCOL 3.3c). */
export function nameKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** Whether two names are equal to the service. */
export function sameName(a: string, b: string): boolean {
  return nameKey(a) === nameKey(b);
}

/** A path from names and paths; the root's, which is empty, adds nothing. */
export function joinRemote(...names: string[]): string {
  return names.filter(Boolean).join("/");
}
