/**
 * Whether a JSON response has the shape that was requested. What the service, or a proxy, sends is never trusted blindly.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import { isJsonObject } from "../json.ts";

/** Types of the fields that we read; each field may be missing or `null`. */
export interface Shape {
  [field: string]: "string" | "number" | Shape;
}

/** Whether a value is an object whose fields, as far as they are present, have these types. */
export function hasShape(value: unknown, shape: Shape): boolean {
  return isJsonObject(value) && Object.entries(shape).every(([name, type]) => {
    const field = value[name];
    if (field === undefined || field === null) return true;
    if (typeof type === "object") return hasShape(field, type);
    // Half a surrogate pair cannot be part of a URL; a size beyond 2^53 is not exact.
    if (type === "string") return typeof field === "string" && field.isWellFormed();
    return Number.isSafeInteger(field) && (field as number) >= 0;
  });
}

/** A guard for objects with an id; of the other fields, those that are present must be strings. */
export function hasId<T>(...fields: (keyof T & string)[]): (value: unknown) => value is T {
  const shape = Object.fromEntries(["id", ...fields].map((field) => [field, "string" as const]));
  return (value): value is T => hasShape(value, shape) && Boolean((value as { id?: string }).id);
}

/** The error for a success whose body is not what was requested. The body may hold secrets, so it is not quoted. */
export function invalidAnswer(what: string, status?: number): GraphError {
  return new GraphError("failed", `${what}: the service sent an unexpected response`, {
    code: "invalidAnswer",
    hint: "run the same command again; a proxy may have answered instead of the service",
    status,
  });
}
