/**
 * The hashes of a local file.
 *
 * @module
 */
import { interrupted } from "../graph/http.ts";
import { ContentHash } from "../transfer/verify.ts";

const READ_BYTES = 1024 * 1024;

/** Reads a whole file. */
export async function hashOfFile(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; quickXorHash: string; sha256: string }> {
  using file = await Deno.open(path);
  const hash = await ContentHash.create();
  const buffer = new Uint8Array(READ_BYTES);
  for (let count; (count = await file.read(buffer)) !== null;) {
    if (signal?.aborted) throw interrupted(signal);
    hash.add(buffer.subarray(0, count), hash.position);
  }
  return { bytes: hash.position, ...hash.digest() };
}
