/**
 * Uploads in one request (https://learn.microsoft.com/graph/api/driveitem-put-content).
 *
 * @module
 */
import { childUrl } from "../drive/address.ts";
import { type DriveItem, isExpectedItem } from "../drive/drive_item.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { toItem } from "../drive/items.ts";
import { type LocalContent, readExactly } from "../local/local_file.ts";
import type { TransferContext } from "../transfer/result.ts";
import type { UploadConflict, UploadOutcome } from "./session.ts";
import { expectedItem, findItem, pathOf, type UploadTarget } from "./target.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import { checkUnchanged, compareContent } from "../transfer/verify.ts";

/** 64 KB/s, the slowest connection for which one attempt is long enough. */
const SLOWEST_BYTES_PER_MS = 64;

/**
 * Uploads content that fits into memory.
 *
 * @throws {GraphError} of the kind that fits the service's response.
 */
export async function uploadSimple(
  { graph }: TransferContext,
  content: LocalContent,
  target: UploadTarget,
  conflict: UploadConflict,
): Promise<UploadOutcome> {
  const bytes = await readExactly(content, new Uint8Array(content.size), 0);
  const hash = new QuickXorHash();
  hash.add(bytes, 0);
  const quickXorHash = hash.digest();
  await checkUnchanged(content, quickXorHash, graph.http.signal);
  const what = `upload of ${pathOf(target)}`;
  const put = () =>
    graph.put<DriveItem>(
      `${childUrl(target.folder, target.name, "content")}?@microsoft.graph.conflictBehavior=${conflict}`,
      {
        what,
        bytes,
        // The service requires it (PROTOCOL U19), but stores the type that follows from the name.
        headers: { "content-type": "application/octet-stream" },
        // Sending again is harmless only with "replace": a second "rename" would create a second file.
        headerTimeoutMs: graph.http.deadline.maxSilenceMs + bytes.length / SLOWEST_BYTES_PER_MS,
        retry: conflict === "replace" ? "idempotent" : "throttled",
        accepts: () => true, // handled below
      },
    );
  const done = { quickXorHash, sentBytes: bytes.length, resumedFrom: null };
  try {
    const { value, status } = await put().catch((error) => {
      // Quick overwrites are sometimes refused (PROTOCOL U17).
      if (isGraphError(error) && error.status === 409 && error.has("resourceModified")) return put();
      throw error;
    });
    if (isExpectedItem(value, expectedItem(target, conflict !== "rename"))) {
      return { driveItem: value, created: status === 201, ...done };
    }
    throw new GraphError("failed", `${what}: the service's response does not say what it stored`, {
      code: "invalidAnswer",
      hint: "look at the file before you upload it again",
      status,
    });
  } catch (error) {
    if (!isGraphError(error) || conflict === "rename") throw error;
    // It may be stored although the response was lost or cannot be read.
    const isLost = error.kind === "unavailable" && error.status !== 429 && error.status !== 503;
    if (!isLost && error.code !== "invalidAnswer") throw error;
    const driveItem = await findItem(graph, target).catch(() => undefined);
    const stored = driveItem && toItem(driveItem, target.folder.driveId, "");
    // A missing hash proves nothing.
    const isStored = stored &&
      compareContent({ size: bytes.length, hash: quickXorHash }, stored) === "verified";
    if (!isStored) throw error;
    const created = error.status === 201 || conflict === "fail" || target.existing === undefined;
    return { driveItem, created, ...done };
  }
}
