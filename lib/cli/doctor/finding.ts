/**
 * Findings of `whoami --check`.
 *
 * @module
 */
import type { FailureKind, GraphError } from "../../errors.ts";
import { withHint } from "../hints.ts";

/** The five checks, in their order. */
export type Check = "settings" | "cache" | "sign-in" | "hosts" | "clock";

/** A finding, as `whoami --check --json` prints it. */
export interface Finding {
  check: Check;
  status: "ok" | "warn" | "fail";
  detail: string;
  /** What to do next; `null` with `ok`. */
  hint: string | null;
}

/** A finding, and the kind of failure that scripts will end with. */
export interface Diagnosis {
  finding: Finding;
  failure?: FailureKind;
}

/** Passed. */
export function ok(check: Check, detail: string): Diagnosis {
  return { finding: { check, status: "ok", detail, hint: null } };
}

/** Scripts may work. */
export function warn(check: Check, detail: string, hint: string): Diagnosis {
  return { finding: { check, status: "warn", detail, hint } };
}

/** Failed. */
export function fail(check: Check, failure: FailureKind, detail: string, hint: string): Diagnosis {
  return { finding: { check, status: "fail", detail, hint }, failure };
}

/** Failed with this error. */
export function failWith(check: Check, error: GraphError): Diagnosis {
  const { kind, message, code, hint, requestId } = withHint(error, "whoami");
  const details = requestId === undefined ? code : `${code}, request-id ${requestId}`;
  return fail(check, kind, `${message} (${details})`, hint ?? "see the code and message");
}
