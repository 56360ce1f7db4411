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
  failure: FailureKind | undefined;
}

/** Passed. */
export function ok(check: Check, detail: string): Diagnosis {
  return { finding: { check, status: "ok", detail, hint: null }, failure: undefined };
}

/** Scripts may work. */
export function warn(check: Check, detail: string, hint: string): Diagnosis {
  return { finding: { check, status: "warn", detail, hint }, failure: undefined };
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

/** Kinds of failure from the worst; those that are not listed come last. */
const SEVERITY: readonly FailureKind[] = ["signInNeeded", "refused", "unavailable", "usage"];

/** The worst of several failures, which decides the exit code; `undefined` without any. */
export function worstFailure(failures: ReadonlySet<FailureKind>): FailureKind | undefined {
  return SEVERITY.find((kind) => failures.has(kind)) ?? (failures.size > 0 ? "failed" : undefined);
}

/** A finding on one line: `fail sign-in  not signed in; sign in with: …`. */
export function findingLine({ check, status, detail, hint }: Finding): string {
  return `${status.padEnd(5)}${check.padEnd("settings".length)}  ${detail}${
    hint === null ? "" : `; ${hint}`
  }`;
}
