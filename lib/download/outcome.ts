/**
 * How downloads end, in words: content that differs, and what an unfinished one leaves.
 *
 * @module
 */
import type { GraphError } from "../errors.ts";
import type { RemoteContent } from "./remote_content.ts";
import type { Verdict } from "../transfer/verify.ts";

/** For a notice: content that differs, as it does with files of its kind. */
export function whyDifferent(bytes: number, verdict: Verdict, { item }: RemoteContent): string {
  const what = bytes === item.size
    ? "other bytes came than the service states"
    : `${bytes} bytes came where the service states ${item.size}`;
  const known = verdict === "enriched" ? "" : "; nothing can prove that it is the file";
  return `${item.path}: ${what}, as it happens with such files${known}`;
}

/** In what content differs from what the service states, and what is wrong with it. */
export function describeMismatch(
  bytes: number,
  quickXorHash: string,
  { item }: RemoteContent,
  why: string,
): string {
  return `is not what the service states: ${bytes} bytes with QuickXorHash ${quickXorHash}, instead of ${item.size} with ${item.hash}; ${why}`;
}

/** The error of a download that can be gone on with: how much is there, and how to go on. */
export function incompleteDownloadError(
  failure: GraphError,
  thereBytes: number,
  totalBytes: number,
): GraphError {
  const share = Math.floor(thereBytes / totalBytes * 100);
  const where = `${thereBytes} of ${totalBytes} bytes (${share} %) are there`;
  return failure.withMessage(`${failure.message}; ${where}`, { hint: hintToGoOn(failure) });
}

function hintToGoOn({ kind, code, hint }: GraphError): string {
  if (kind === "interrupted" || kind === "unavailable") {
    return "run the same command again to go on from there";
  }
  if (kind === "noSpace") return "free space, then run the same command again to go on from there";
  if (code === "localExists" || code === "localChanged") {
    return "move it away, or choose with --conflict replace: then the same command goes on from there";
  }
  return `${hint ? `${hint}; ` : ""}the same command goes on from there`;
}
