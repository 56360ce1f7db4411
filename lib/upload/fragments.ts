/**
 * Sizes of the fragments of an upload session.
 *
 * @module
 */
import { usageError } from "../errors.ts";
import { parseSize } from "../format.ts";

/** Fragments are multiples of this, 320 KiB. */
export const FRAGMENT_UNIT_BYTES = 327_680;
/** The service takes fragments of less than 60 MiB. */
const MAX_FRAGMENT_BYTES = 60 * 1024 * 1024 - FRAGMENT_UNIT_BYTES;
/** 10 MiB. */
export const DEFAULT_FRAGMENT_BYTES = 32 * FRAGMENT_UNIT_BYTES;

/**
 * Checks the size of fragments.
 *
 * @param typed As a person wrote it.
 * @throws {GraphError} `usage`.
 */
export function checkFragmentBytes(bytes: number, typed?: string): void {
  if (bytes > 0 && bytes % FRAGMENT_UNIT_BYTES === 0 && bytes <= MAX_FRAGMENT_BYTES) return;
  const below = Math.min(
    MAX_FRAGMENT_BYTES,
    Math.max(1, Math.floor(bytes / FRAGMENT_UNIT_BYTES)) * FRAGMENT_UNIT_BYTES,
  );
  const why = bytes > MAX_FRAGMENT_BYTES
    ? `more than ${MAX_FRAGMENT_BYTES / 1024} KiB (just below 60 MiB)`
    : "not a multiple of 320 KiB";
  if (typed !== undefined && /[kmg]b$/i.test(typed)) {
    const binary = typed.replace(/b$/i, "iB");
    const meant = parseSize(binary);
    const fits = meant % FRAGMENT_UNIT_BYTES === 0 && meant <= MAX_FRAGMENT_BYTES;
    throw usageError(
      `${typed} is ${bytes} bytes, since MB stands for 1000² bytes: ${why}`,
      fits ? `if 1024² is meant, write ${binary}` : "use for example 10MiB",
      "fragmentSize",
    );
  }
  throw usageError(
    `a fragment of ${bytes} bytes is ${why}`,
    `use for example ${below / 1024}KiB or 10MiB`,
    "fragmentSize",
  );
}
