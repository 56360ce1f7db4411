/**
 * A local file that may be what a download would bring.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { hashFile } from "../transfer/file_hash.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { compareDownload } from "./remote_content.ts";
import type { Verdict } from "../transfer/verify.ts";

/** Whether the file is there with the same content as the item, and how we know; a missing hash proves nothing. */
export async function findUnchanged(
  { storage }: Connection,
  found: ResolvedItem,
  local: string,
): Promise<{ verdict: Verdict; sha256: string; bytes: number } | undefined> {
  const facts = await Deno.stat(local).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (!facts?.isFile) return undefined;
  const { bytes, quickXorHash, sha256 } = await hashFile(local, storage.http.signal);
  const here = { size: bytes, hash: quickXorHash };
  const isSame = compareDownload(here, found) === "verified";
  const verdict = isSame ? "verified" : undefined;
  return verdict && { verdict, sha256, bytes };
}
