/**
 * Errors of this machine, its file system above all, in the words of the toolkit.
 *
 * @module
 */
import { type FailureKind, GraphError, isGraphError } from "../errors.ts";
import { redact } from "../http/redact.ts";

type Rule = [matches: (error: Error) => boolean, kind: FailureKind, why: string, hint: string];

const hasCode = (...codes: string[]) => (error: Error) =>
  "code" in error && codes.includes(String(error.code));

const RULES: readonly Rule[] = [
  [
    (error) => error instanceof Deno.errors.NotCapable,
    "refused",
    "this program was not given that right",
    "",
  ],
  [hasCode("ENOSPC", "EDQUOT"), "noSpace", "no space left", "free space, then run the same command again"],
  [hasCode("EROFS"), "refused", "the file system is read-only", "choose another place"],
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
    "it exists already",
    "choose another name",
  ],
  [hasCode("EISDIR"), "usage", "it is a folder", "name a file"],
  [hasCode("ENOTDIR"), "usage", "a part of the path is not a folder", "check the path"],
  [hasCode("ENAMETOOLONG"), "usage", "the name is too long for this file system", "choose a shorter one"],
];

/** Any error as a {@linkcode GraphError}; one that nobody foresaw is a defect of ours and says so. */
export function toGraphError(error: unknown): GraphError {
  if (isGraphError(error)) return error;
  if (!(error instanceof Error)) {
    return new GraphError("failed", redact(String(error)), { code: "internal", cause: error });
  }
  const rule = RULES.find(([matches]) => matches(error));
  if (!rule) {
    return new GraphError("failed", `internal error: ${redact(error.message)}`, {
      code: "internal",
      hint: "this is a defect of the toolkit; run it with --verbose and report what it prints",
      cause: error,
    });
  }
  const [, kind, why, hint] = rule;
  return new GraphError(kind, `${why}: ${subject(error)}`, {
    code: "code" in error ? String(error.code) : error.name,
    hint: hint || grantHint(error),
    cause: error,
  });
}

/** What the operating system's message is about: `open '/x'` of `Permission denied (os error 13), open '/x'`. */
function subject({ message }: Error): string {
  return /\(os error \d+\)(?:, |: )?(.+)$/s.exec(message)?.[1] ?? message.replace(/, run again with.*$/s, "");
}

function grantHint({ message }: Error): string {
  // MSAL looks for these and needs none.
  if (/"(ProgramData|ProgramFiles|MSAL_FORCE_REGION|REGION_NAME)"/.test(message)) {
    return "run it with --ignore-env=ProgramData,ProgramFiles,MSAL_FORCE_REGION,REGION_NAME as well";
  }
  const flag = /--allow-[a-z]+/.exec(message)?.[0] ?? "the permission";
  return `run it with ${flag} as well, or with deno run -P and the script's own permission set`;
}
