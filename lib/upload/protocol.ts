/**
 * The rules of upload sessions: sizes of fragments, what a session says of itself, and what to do after each response
 * (PROTOCOL 7.3, 7.4; https://learn.microsoft.com/graph/api/driveitem-createuploadsession).
 *
 * @module
 */
import { type DriveItem, type ExpectedItem, isExpectedItem } from "../drive/drive_item.ts";
import { usageError } from "../errors.ts";
import { parseJsonObject } from "../json.ts";

/** Fragments are multiples of this, 320 KiB. */
export const FRAGMENT_UNIT_BYTES = 327_680;
/** The service takes fragments of less than 60 MiB. */
const MAX_FRAGMENT_BYTES = 60 * 1024 * 1024 - FRAGMENT_UNIT_BYTES;
/** 10 MiB. */
export const DEFAULT_FRAGMENT_BYTES = 32 * FRAGMENT_UNIT_BYTES;

/** A response of the session, read to its end. */
export interface SessionResponse {
  /** What was sent: a fragment, or the question for the next expected range. */
  to: "fragment" | "query";
  status: number;
  text: string;
  /** The fragment with the last byte was sent. */
  isComplete: boolean;
}

/** The next step of an upload. */
export type SessionStep =
  /** The item is there. */
  | { kind: "committed"; driveItem: DriveItem; created: boolean }
  /** Continue at the next expected byte; `undefined`: the session expects no more. */
  | { kind: "advance"; nextByte: number | undefined }
  /** Ask the session for its next expected range. */
  | { kind: "query" }
  /** Wait, then ask. */
  | { kind: "retry" }
  /** All bytes were sent: the item may be there, or about to be. */
  | { kind: "lookUp" }
  /** The session or its URL is dead: a new one, from the first byte. */
  | { kind: "restart" }
  | { kind: "fail" };

/** Maps a response to the next step: the table of PROTOCOL 7.4. */
export function nextStep(
  { to, status, text, isComplete }: SessionResponse,
  expected: ExpectedItem,
): SessionStep {
  if (to === "fragment" && (status === 200 || status === 201)) {
    const driveItem = parseJsonObject(text);
    return isExpectedItem(driveItem, expected)
      ? { kind: "committed", driveItem, created: status === 201 }
      : { kind: "query" }; // empty, cut, an error in spite of its status, or another item
  }
  if (status === 200 || status === 202) {
    const session = parseSession(text);
    if (session?.nextExpectedRanges) return advance(session.nextExpectedRanges);
    if (to === "query" && session) return advance([]);
  }
  // Such as 204: no session sends it, so it says nothing.
  if (status < 300 || status === 416) return { kind: to === "fragment" ? "query" : "retry" };
  if (status === 401 || status === 403) return { kind: "restart" };
  if (status === 404) return { kind: isComplete ? "lookUp" : "restart" };
  if (status === 408 || status === 429 || (status >= 500 && status !== 507)) return { kind: "retry" };
  return { kind: "fail" };
}

function advance(ranges: readonly string[]): SessionStep {
  return { kind: "advance", nextByte: nextExpectedByte(ranges) };
}

/**
 * Reads a response; `undefined` when it is not that of a session, such as a proxy's page. No `nextExpectedRanges` say
 * nothing; empty ones, that the session has all bytes.
 */
export function parseSession(
  text: string,
): { uploadUrl: string | undefined; nextExpectedRanges: string[] | undefined } | undefined {
  const value = parseJsonObject(text);
  if (!value || "error" in value) return undefined;
  const { uploadUrl, nextExpectedRanges } = value;
  const isRanges = Array.isArray(nextExpectedRanges) &&
    nextExpectedRanges.every((range) => typeof range === "string");
  return {
    uploadUrl: typeof uploadUrl === "string" && uploadUrl !== "" ? uploadUrl : undefined,
    nextExpectedRanges: isRanges ? nextExpectedRanges as string[] : undefined,
  };
}

/** The smallest start of the ranges, which may be open (`0-`) or closed (`0-99`); `undefined` when there are none. */
export function nextExpectedByte(ranges: readonly string[]): number | undefined {
  return ranges.map((range) => Number(/^\s*(\d+)\s*-/.exec(range)?.[1] ?? NaN))
    .filter(Number.isSafeInteger).toSorted((a, b) => a - b)[0];
}

/** @throws {GraphError} `usage` for a size of fragments that the service does not take. */
export function checkFragmentBytes(bytes: number): void {
  if (bytes > 0 && bytes <= MAX_FRAGMENT_BYTES && bytes % FRAGMENT_UNIT_BYTES === 0) return;
  throw usageError(
    `a fragment of ${bytes} bytes is not a multiple of 320 KiB (327,680 bytes) below 60 MiB`,
    "use for example 10MiB",
    "fragmentSize",
  );
}
