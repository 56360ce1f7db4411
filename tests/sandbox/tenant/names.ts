/** Names that the service rejects (PROTOCOL 3.3). */

const ILLEGAL_CHARACTERS = /["*:<>?/\\|]/;
// C0 and DEL are unverified, C1 is FIELD (O365#387); both are rejected here.
const CONTROL_CHARACTERS = /\p{Cc}/u;
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;
const MAX_SEGMENT_LENGTH = 255;
const MAX_PATH_LENGTH = 400;

/** Why a name is rejected. */
export interface NameProblem {
  /** The service's inner error code. */
  code: "nameContainsInvalidCharacters" | "invalidPath" | "pathIsTooLong";
  message: string;
}

/** Checks a path segment. `folder`: it is a folder; `atRoot`: it is in the root. */
export function nameProblem(
  name: string,
  position: { folder: boolean; atRoot: boolean },
): NameProblem | undefined {
  const problem = (message: string): NameProblem => ({ code: "nameContainsInvalidCharacters", message });
  if (name === "" || name === "." || name === "..") {
    return { code: "invalidPath", message: "The path is not valid." };
  }
  // `&#` is rejected even when encoded (docs#10511, PROTOCOL N5).
  if (ILLEGAL_CHARACTERS.test(name) || CONTROL_CHARACTERS.test(name) || name.includes("&#")) {
    return problem("The provided name cannot contain any illegal characters.");
  }
  if (name !== name.trim() || name.endsWith(".")) {
    return problem("The provided name cannot contain any illegal characters.");
  }
  const lower = name.toLowerCase();
  if (RESERVED.test(name) || lower === ".lock" || lower === "desktop.ini" || lower.includes("_vti_")) {
    return problem(`The name '${name}' is reserved.`);
  }
  if (name.startsWith("~$") || (position.folder && name.startsWith("~"))) {
    return problem(`The name '${name}' is reserved.`);
  }
  if (position.folder && position.atRoot && lower === "forms") {
    return problem(`The name '${name}' is reserved.`);
  }
  if (name.length > MAX_SEGMENT_LENGTH) return { code: "pathIsTooLong", message: "The name is too long." };
  return undefined;
}

/** Checks a decoded path: its segments, and its length of at most 400 characters. */
export function pathProblem(segments: readonly string[], last: "file" | "folder"): NameProblem | undefined {
  for (const [index, name] of segments.entries()) {
    const folder = index < segments.length - 1 || last === "folder";
    const fault = nameProblem(name, { folder, atRoot: index === 0 });
    if (fault) return fault;
  }
  if (segments.join("/").length > MAX_PATH_LENGTH) {
    return { code: "pathIsTooLong", message: "The specified path is too long." };
  }
  return undefined;
}

/** The unique key of a name in its folder, ignoring case (PROTOCOL 3.3). */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** `report.txt` → `report 1.txt`: the n-th alternative under conflict behavior `rename`. */
export function numberedName(name: string, n: number): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} ${n}${name.slice(dot)}` : `${name} ${n}`;
}
