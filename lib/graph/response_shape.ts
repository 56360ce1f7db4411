/**
 * Whether a JSON answer has the shape that was asked for: nothing that the service, or what stands between, sends is taken
 * on faith.
 *
 * @module
 */
import { GraphError } from "../errors.ts";

/** Types of the fields that we read; each of them may be missing or `null`. */
export interface Shape {
  [field: string]: "string" | "number" | Shape;
}

/** Whether a value is an object whose fields, as far as they are there, have these types. */
export function hasShape(value: unknown, shape: Shape): boolean {
  if (typeof value !== "object" || value === null) return false;
  const fields: Record<string, unknown> = value as Record<string, unknown>;
  return Object.entries(shape).every(([name, type]) => {
    const field = fields[name];
    if (field === undefined || field === null) return true;
    if (typeof type === "object") return hasShape(field, type);
    // Half a surrogate pair cannot be part of a URL; sizes beyond 2^53 are none.
    if (type === "string") return typeof field === "string" && field.isWellFormed();
    return Number.isSafeInteger(field) && (field as number) >= 0;
  });
}

/** The error of a success that is not what was asked for; its body may hold secrets, so it is not quoted. */
export function invalidAnswer(what: string, status?: number): GraphError {
  return new GraphError("failed", `${what}: the service's answer is not what was asked for`, {
    code: "invalidAnswer",
    hint: "run the same command again; a proxy may have answered in place of the service",
    status,
  });
}
