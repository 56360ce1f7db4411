/**
 * Errors of the operating system, mostly of its file system, as errors of the toolkit.
 *
 * @module
 */
import { type FailureKind, GraphError, isGraphError } from "../errors.ts";
import { redact } from "../http/redact.ts";

type Rule = [kind: FailureKind, why: string, hint?: string];

const NO_SPACE: Rule = ["noSpace", "no space left", "free space, then run the same command again"];

/** By code of the operating system, or else by class of `Deno.errors`. */
const RULES: Readonly<Record<string, Rule>> = {
  ENOSPC: NO_SPACE,
  EDQUOT: NO_SPACE,
  EROFS: ["refused", "the file system is read-only", "choose another folder"],
  EISDIR: ["usage", "is a folder", "name a file"],
  ENOTDIR: ["usage", "a segment of the path is not a folder", "check the path"],
  ELOOP: ["usage", "too many symbolic links", "check where they lead"],
  ENAMETOOLONG: ["usage", "the name is too long for this file system", "choose a shorter one"],
  NotCapable: ["refused", "missing Deno permission"],
  PermissionDenied: ["refused", "permission denied", "check who may read and write it"],
  NotFound: ["notFound", "no such file or folder", "check the path"],
  AlreadyExists: ["conflict", "already exists", "choose another name"],
};

/** Any error as a {@linkcode GraphError}; an unexpected one is a defect of the toolkit, code `internal`. */
export function toGraphError(error: unknown): GraphError {
  if (isGraphError(error)) return error;
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const code = error instanceof Error && "code" in error ? String(error.code) : name;
  const rule = RULES[code] ?? RULES[name];
  if (!rule) {
    return new GraphError("failed", `internal error: ${redact(message)}`, { code: "internal", cause: error });
  }
  const [kind, why, hint] = rule;
  const subject = /--allow-([a-z]+)/.exec(message)?.[1];
  return new GraphError(kind, `${why}: ${whatOf(message)}`, { code, hint, subject, cause: error });
}

/** What the operating system's message is about: `open '/x'` of `Permission denied (os error 13), open '/x'`. */
function whatOf(message: string): string {
  return /\(os error \d+\)(?:, |: )?(.+)$/s.exec(message)?.[1] ?? message.replace(/, run again with.*$/s, "");
}
