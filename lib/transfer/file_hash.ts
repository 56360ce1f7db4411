/**
 * The hashes of a local file.
 *
 * @module
 */
import { readAt } from "../local/local_file.ts";
import { hashContent } from "./verify.ts";

/** Reads a whole file. */
export async function hashFile(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; quickXorHash: string }> {
  using file = await Deno.open(path);
  return await hashContent({ read: (buffer, position) => readAt(file, buffer, position) }, signal);
}
