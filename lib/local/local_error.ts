/**
 * Errors of the operating system, mostly of its file system, as errors of the toolkit.
 *
 * @module
 */
import { type FailureKind, GraphError, isGraphError } from "../errors.ts";
import { redact } from "../http/redact.ts";

type Rule = [matches: (error: Error) => boolean, kind: FailureKind, why: string, hint: string | undefined];

const hasCode = (...codes: string[]) => (error: Error) =>
  "code" in error && codes.includes(String(error.code));

const RULES: readonly Rule[] = [
  [
    (error) => error instanceof Deno.errors.NotCapable,
    "refused",
    "missing Deno permission",
    undefined,
  ],
  [hasCode("ENOSPC", "EDQUOT"), "noSpace", "no space left", "free space, then run the same command again"],
  [hasCode("EROFS"), "refused", "the file system is read-only", "choose another folder"],
  [
    (error) => error instanceof Deno.errors.PermissionDenied,
    "refused",
    "permission denied",
    "check its owner and mode with: ls -l",
  ],
  [(error) => error instanceof Deno.errors.NotFound, "notFound", "no such file or folder", "check the path"],
  [
    (error) => error instanceof Deno.errors.AlreadyExists,
    "conflict",
    "already exists",
    "choose another name",
  ],
  [hasCode("EISDIR"), "usage", "is a folder", "name a file"],
  [hasCode("ENOTDIR"), "usage", "a segment of the path is not a folder", "check the path"],
  [hasCode("ELOOP"), "usage", "too many symbolic links", "check where they lead"],
  [hasCode("ENAMETOOLONG"), "usage", "the name is too long for this file system", "choose a shorter one"],
];

/** Any error as a {@linkcode GraphError}; an unexpected one is a defect of the toolkit, code `internal`. */
export function toGraphError(error: unknown): GraphError {
  if (isGraphError(error)) return error;
  if (!(error instanceof Error)) {
    return new GraphError("failed", redact(String(error)), { code: "internal", cause: error });
  }
  const rule = RULES.find(([matches]) => matches(error));
  if (!rule) {
    return new GraphError("failed", `internal error: ${redact(error.message)}`, {
      code: "internal",
      cause: error,
    });
  }
  const [, kind, why, hint] = rule;
  return new GraphError(kind, `${why}: ${subject(error)}`, {
    code: "code" in error ? String(error.code) : error.name,
    hint,
    subject: /--allow-([a-z]+)/.exec(error.message)?.[1],
    cause: error,
  });
}

/** What the operating system's message is about: `open '/x'` of `Permission denied (os error 13), open '/x'`. */
function subject({ message }: Error): string {
  return /\(os error \d+\)(?:, |: )?(.+)$/s.exec(message)?.[1] ?? message.replace(/, run again with.*$/s, "");
}
