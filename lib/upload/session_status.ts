/**
 * What an upload session says of itself.
 *
 * @module
 */

/** The parts of a session's answers that matter. */
export interface UploadSessionStatus {
  uploadUrl: string | undefined;
  /** `undefined` when the answer has none, which says nothing; an empty list says that all bytes are there. */
  nextExpectedRanges: string[] | undefined;
}

/** Reads an answer; `undefined` when it is none of a session, such as a page of a proxy. */
export function parseSession(text: string): UploadSessionStatus | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // the caller asks the session again
  }
  if (typeof value !== "object" || value === null || "error" in value) return undefined;
  const { uploadUrl, nextExpectedRanges } = value as Record<string, unknown>;
  const ranges = Array.isArray(nextExpectedRanges) &&
    nextExpectedRanges.every((range) => typeof range === "string");
  return {
    uploadUrl: typeof uploadUrl === "string" && uploadUrl !== "" ? uploadUrl : undefined,
    nextExpectedRanges: ranges ? nextExpectedRanges as string[] : undefined,
  };
}

/** The next byte that the session wants: the smallest start of its ranges; `undefined` when it wants none. */
export function nextExpectedByte(ranges: readonly string[]): number | undefined {
  // Closed ranges (`0-99`) occur as well as open ones.
  return ranges.map((range) => Number(/^\s*(\d+)\s*-/.exec(range)?.[1] ?? NaN))
    .filter(Number.isSafeInteger).toSorted((a, b) => a - b)[0];
}
