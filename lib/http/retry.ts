/**
 * When a request is sent again, and after how long; for requests, upload sessions, downloads and polling.
 *
 * @module
 */
import { formatDuration } from "../format.ts";

/**
 * Which requests are sent again: `idempotent` ones also after a lost connection or no response in time, and with GET after
 * a body that breaks off or is invalid; `throttled` ones only if the service says that it did not process them.
 */
export type RetryPolicy = "idempotent" | "throttled" | "never";

/** The statuses after which a request is sent again. */
export const RETRY_STATUSES: Readonly<Record<RetryPolicy, readonly number[]>> = {
  idempotent: [408, 429, 500, 502, 503, 504, 509],
  throttled: [429, 503],
  never: [],
};

/** How often a request is sent. */
export const MAX_ATTEMPTS = 6;

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/** The pause after failed attempts, in milliseconds: doubles from 1 to 30 seconds (from half a second with 0 attempts), less up to half of it at random. */
export function backoffMs(attempts: number, random: number): number {
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempts - 1)) * (0.5 + random / 2);
}

/** The pause that `Retry-After` asks for, in milliseconds (PROTOCOL 8a). */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const after = headers.get("retry-after") ?? "";
  if (/^\s*\d+(\.\d+)?\s*$/.test(after)) return Number(after) * 1000;
  // A date is by the service's clock, which may differ from ours.
  const ms = Date.parse(after) - (Date.parse(headers.get("date") ?? "") || now);
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** The hint of an error after which the service asks to wait longer than we do. */
export function waitHint(ms: number): string {
  return `wait ${formatDuration(ms / 1000)}, as the service asks, then run the same command again`;
}
