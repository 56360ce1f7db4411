/**
 * A local file that may be what a download would bring.
 *
 * @module
 */
import type { Connection } from "../connection.ts";
import { hashOfFile } from "../files/file_hash.ts";
import type { FoundItem } from "../graph/items.ts";
import { judge, type Verdict } from "../transfer/verify.ts";

/** Whether the file is there with the same content as the item, and how we know; a missing hash proves nothing. */
export async function isPresent(
  { rewritten, storage }: Connection,
  { item }: FoundItem,
  local: string,
): Promise<{ verdict: Verdict; sha256: string; bytes: number } | undefined> {
  const facts = await Deno.stat(local).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (!facts?.isFile) return undefined;
  const { bytes, quickXorHash, sha256 } = await hashOfFile(local, storage.http.signal);
  const here = { size: bytes, hash: quickXorHash };
  if (judge(here, item, item.name, "") === "same") return { verdict: "same", sha256, bytes };
  return await rewritten.isMadeFrom(here, item) ? { verdict: "enriched", sha256, bytes } : undefined;
}
