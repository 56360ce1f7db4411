/**
 * The verdict on a copy of stored content, and the messages about one that differs from what the service states.
 *
 * @module
 */
import { BrokenDocument, type ByteSource, interruptible } from "../documents/byte_source.ts";
import { checkStructure } from "../documents/structure.ts";
import { damagedError } from "../transfer/result.ts";
import type { Verdict } from "../transfer/verify.ts";
import type { RemoteContent } from "./remote_content.ts";

/** A verdict on a copy. */
export type CopyVerdict = { verdict: Verdict } | { verdict: "damaged"; why: string };

/** The verdict on content that is incomplete or wrong. */
export function damaged(why: string): CopyVerdict {
  return { verdict: "damaged", why };
}

/** On content that storage itself says belongs to another item. */
export const FOREIGN = damaged("it is the content of another item");
/** On content that arrived twice, with two contents. */
export const UNSTABLE = damaged("each download differs");
/** On content that no known change by the service explains. */
export const UNEXPLAINED = damaged("the service is not known to change such files");

/** Judges a copy that differs from what the service states, but arrived twice without a difference. */
export async function judgeCopy(
  content: RemoteContent,
  copy: ByteSource,
  signal: AbortSignal | undefined,
): Promise<CopyVerdict> {
  const kind = content.enrichedKind;
  if (kind === undefined) return UNEXPLAINED;
  if (content.isPage) return damaged("it is an HTML page");
  if (copy.size > content.maxBytes) return damaged("it is far longer than stated");
  try {
    if (await checkStructure(kind, interruptible(copy, signal))) return { verdict: "enriched" };
  } catch (error) {
    if (!(error instanceof BrokenDocument)) throw error;
    return damaged(error.message);
  }
  return copy.size < content.item.size ? damaged("it is too short") : { verdict: "unverified" };
}

/**
 * Accepts a copy by its verdict, with a notice if it differs from what the service states.
 *
 * @param hint Says what to do with a damaged copy.
 * @throws {GraphError} `damaged`.
 */
export async function acceptCopy(
  content: RemoteContent,
  { bytes, quickXorHash }: { bytes: number; quickXorHash: string },
  judged: CopyVerdict,
  notice: (text: string) => void,
  hint: () => Promise<string>,
): Promise<Verdict> {
  const { path, size, hash } = content.item;
  const { verdict } = judged;
  if (verdict === "damaged") {
    const difference = `${bytes} bytes with QuickXorHash ${quickXorHash}, instead of ${size} with ${hash}`;
    throw damagedError(
      `${path} is not what the service states: ${difference}; ${judged.why}`,
      await hint(),
    );
  }
  if (content.compare(bytes, quickXorHash) === "different") {
    const what = bytes === size
      ? "the content differs from what the service states"
      : `${bytes} bytes arrived where the service states ${size}`;
    const proof = verdict === "enriched" ? "" : "; nothing can prove that it is the file";
    notice(`${path}: ${what}, as is usual for such files${proof}`);
  }
  return verdict;
}
