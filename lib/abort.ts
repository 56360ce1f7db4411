/**
 * Waiting, and ending early.
 *
 * @module
 */
import { GraphError, isGraphError } from "./errors.ts";

/** Waits for a time in milliseconds; throws {@linkcode interruptedError} as soon as the signal is aborted. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(interruptedError(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The error of a run that its user or caller ended (exit code 130); the signal's own reason where it is a GraphError. */
export function interruptedError(signal?: AbortSignal): GraphError {
  const reason: unknown = signal?.reason;
  return isGraphError(reason)
    ? reason
    : new GraphError("interrupted", "interrupted", { code: "interrupted", cause: reason });
}

/** @throws {GraphError} `interrupted` if the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interruptedError(signal);
}

/** A signal that is aborted with the first of these; `undefined` if there are none. */
export function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}
