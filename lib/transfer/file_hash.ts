/**
 * The hashes of a local file.
 *
 * @module
 */
import { readAt } from "../local/file_operations.ts";
import { ContentHash } from "./verify.ts";

/** Reads a whole file. */
export async function hashFile(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; quickXorHash: string; sha256: string }> {
  using file = await Deno.open(path);
  return await ContentHash.of({ read: (buffer, position) => readAt(file, buffer, position) }, signal);
}
