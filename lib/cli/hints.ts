/**
 * What to type next. Errors of the library say what is wrong; flags and command names are added here.
 *
 * @module
 */
import type { GraphError } from "../errors.ts";

/** `scripts/whoami.ts`, or `graph-whoami` in a compiled program: bare `whoami` is the operating system's. */
export function commandName(script: "whoami" | "ls" | "put-large"): string {
  return Deno.build.standalone ? `graph-${script}` : `scripts/${script}.ts`;
}

/** By error code. Applies where the library gives no hint of its own. */
const HINTS: Readonly<Record<string, (error: GraphError) => string>> = {};

/** The error with the hint for its code, where it has none. */
export function withHint(error: GraphError): GraphError {
  if (error.hint !== undefined || !Object.hasOwn(HINTS, error.code)) return error;
  return error.withMessage(error.message, { hint: HINTS[error.code]!(error) });
}
