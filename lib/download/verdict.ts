/**
 * What can be said of a download that differs from what the service states, and how it is said.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, interruptible } from "../documents/byte_source.ts";
import { checkStructure, hasStructure } from "../documents/structure.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import { type CopyVerdict, damaged } from "../content/verdict.ts";
import type { Verdict } from "../transfer/verify.ts";

/** Why content is damaged that storage itself says belongs to another item. */
export const FOREIGN = "it is the content of another item";
/** Why content is damaged that arrived twice, with two contents. */
export const UNSTABLE = "each download differs";

/**
 * Judges a copy that differs from what the service states, but arrived twice without a difference.
 *
 * @param signal Ends the reading.
 */
export async function judgeCopy(
  content: RemoteContent,
  copy: ByteSource,
  signal: AbortSignal | undefined,
): Promise<CopyVerdict> {
  const kind = content.enrichedKind;
  if (kind === undefined) return damaged("the service is not known to change such files");
  if (content.isPage) return damaged("it is an HTML page");
  if (copy.size > content.maxBytes) return damaged("it is far longer than stated");
  try {
    await checkStructure(kind, interruptible(copy, signal));
  } catch (error) {
    if (!(error instanceof BrokenDocument)) throw error;
    return damaged(error.message);
  }
  if (hasStructure(kind)) return { verdict: "enriched" };
  return copy.size < content.item.size ? damaged("it is too short") : { verdict: "unverified" };
}

/** Says how damaged content differs, and why it is not accepted. */
export function describeMismatch(
  bytes: number,
  quickXorHash: string,
  { item }: RemoteContent,
  why: string,
): string {
  return `${item.path} is not what the service states: ${bytes} bytes with QuickXorHash ${quickXorHash}, instead of ${item.size} with ${item.hash}; ${why}`;
}

/** Says how content differs from what the service states, where that is normal. */
export function describeEnrichment(bytes: number, verdict: Verdict, { item }: RemoteContent): string {
  const what = bytes === item.size
    ? "the content differs from what the service states"
    : `${bytes} bytes arrived where the service states ${item.size}`;
  const proof = verdict === "enriched" ? "" : "; nothing can prove that it is the file";
  return `${item.path}: ${what}, as is usual for such files${proof}`;
}
