/**
 * What can be said of content that is not what the service states of it, and that came the same twice.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, interruptible } from "../documents/byte_source.ts";
import { checkStructure, hasStructure } from "../documents/structure.ts";
import type { RemoteContent } from "./remote_content.ts";
import type { Verdict } from "../transfer/verify.ts";

/** A verdict, or why there can be none but that it is damaged. */
export type CopyVerdict = { verdict: Verdict } | { verdict: "damaged"; why: string };

/** Judges such a copy. @param signal Ends the reading. */
export async function judgeCopy(
  content: RemoteContent,
  copy: ByteSource,
  signal: AbortSignal | undefined,
): Promise<CopyVerdict> {
  const kind = content.enrichedKind;
  if (kind === undefined) return damaged("the service is not known to change such files");
  if (content.isPage) return damaged("a page of HTML came in its place");
  if (copy.size > content.mostBytes) return damaged("it is far longer than stated");
  try {
    await checkStructure(kind, interruptible(copy, signal));
  } catch (error) {
    if (!(error instanceof BrokenDocument)) throw error;
    return damaged(error.message);
  }
  if (hasStructure(kind)) return { verdict: "enriched" };
  return copy.size < content.item.size ? damaged("it is too short") : { verdict: "unverified" };
}

/** Why content is damaged that storage itself calls another item's. */
export const FOREIGN = "it is the content of another item";

/** The verdict on content that is not whole, or another one. */
export function damaged(why: string): CopyVerdict {
  return { verdict: "damaged", why };
}
