/**
 * What the doctor says of one thing.
 *
 * @module
 */
import type { FailureKind, GraphError } from "../../errors.ts";

/** Kinds of failure that the doctor tells apart; the first in this order decides how its run ends. */
const TROUBLES = ["signInNeeded", "refused", "unavailable", "usage", "failed"] as const;

type Trouble = typeof TROUBLES[number];

/** One finding, as `whoami --check --json` prints it. */
export interface Finding {
  check: string;
  status: "ok" | "warn" | "fail";
  detail: string;
  /** What to do next; `null` where all is well. */
  hint: string | null;
}

/** A finding, and of what kind its failure is. */
export interface Diagnosis {
  finding: Finding;
  trouble: Trouble | undefined;
}

/** All is well. */
export function ok(check: string, detail: string): Diagnosis {
  return { finding: { check, status: "ok", detail, hint: null }, trouble: undefined };
}

/** Work can go on, but somebody should know. */
export function warn(check: string, detail: string, hint: string): Diagnosis {
  return { finding: { check, status: "warn", detail, hint }, trouble: undefined };
}

/** Scripts will fail. */
export function fail(check: string, trouble: Trouble, detail: string, hint: string): Diagnosis {
  return { finding: { check, status: "fail", detail, hint }, trouble };
}

/** Scripts will fail with this error. */
export function failure(check: string, { kind, message, code, hint, requestId }: GraphError): Diagnosis {
  const facts = [code, requestId && `request-id ${requestId}`].filter(Boolean).join(", ");
  const trouble = TROUBLES.find((known) => known === kind) ?? "failed";
  return fail(check, trouble, `${message} (${facts})`, hint ?? "see the code and message");
}

/** How a run with these troubles ends; `undefined` without any. */
export function worstFailure(troubles: ReadonlySet<Trouble | undefined>): FailureKind | undefined {
  return TROUBLES.find((trouble) => troubles.has(trouble));
}

/** A finding on one line: `fail token  it has expired; sign in again`. */
export function findingLine({ check, status, detail, hint }: Finding): string {
  return `${status.padEnd(5)}${check.padEnd(CHECK_COLUMNS)} ${detail}${hint === null ? "" : `; ${hint}`}`;
}

/** As long as the longest name of a check, `scopes-put-large`. */
const CHECK_COLUMNS = 16;
