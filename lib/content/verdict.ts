/**
 * The verdict on a copy of stored content.
 *
 * @module
 */
import type { Verdict } from "../transfer/verify.ts";

/** A verdict on a copy. */
export type CopyVerdict = { verdict: Verdict } | { verdict: "damaged"; why: string };

/** The verdict on content that is incomplete or wrong. */
export function damaged(why: string): CopyVerdict {
  return { verdict: "damaged", why };
}
