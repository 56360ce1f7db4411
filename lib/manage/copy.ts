/**
 * Copies on the server (https://learn.microsoft.com/graph/api/driveitem-copy), also from one site to another.
 *
 * @module
 */
import { decodeName, itemUrl } from "../drive/address.ts";
import { fetchItem, getItem, type Item } from "../drive/items.ts";
import type { LocationInput } from "../drive/location.ts";
import { GraphError } from "../errors.ts";
import { readServiceError, toServiceError } from "../graph/errors.ts";
import { retryAfterMs } from "../http/retry.ts";
import { parseJsonObject } from "../json.ts";
import { forTransfer, type TransferContext } from "../transfer/result.ts";
import { retryUntilVisible } from "../upload/folders.ts";
import { findTarget, pathOf } from "../upload/target.ts";

/** How to copy. */
export interface CopyOptions {
  /** What to do when the name is taken; in a personal OneDrive always "fail". @default "fail" */
  conflict?: "fail" | "replace" | "rename";
}

/** Pauses between requests for the progress grow from one second, up to this step of the backoff: eight seconds. */
const MAX_BACKOFF_STEP = 4;
/** The id in the address of an item. */
const ITEM = /\/items[/(]'?([^/?')]+)/;

/**
 * Copies an item, a folder with everything in it, and waits until the copy is complete: into the target if that is a folder,
 * otherwise to the target itself. Only the latest version is copied. An interruption does not stop the service.
 *
 * @throws {GraphError} `conflict`, code `nameAlreadyExists`; `noSpace`; `unavailable` without progress.
 */
export async function copy(
  connection: TransferContext,
  source: LocationInput,
  target: LocationInput,
  { conflict = "fail" }: CopyOptions = {},
): Promise<Item> {
  const context = forTransfer(connection);
  const { item } = await getItem(context, source);
  const to = await findTarget(context, target, item.name);
  const { driveId } = to.folder;
  const what = `copy of ${item.path} to ${pathOf(to)}`;
  const url = itemUrl({ driveId: item.driveId, itemId: item.id }, "copy");
  const response = await context.graph.request(`${url}?@microsoft.graph.conflictBehavior=${conflict}`, {
    method: "POST",
    what,
    json: { parentReference: { driveId, id: to.folderId }, name: to.name },
  });
  const monitor = response.headers.get("location");
  if (response.status !== 202 || monitor === null) throw await readServiceError(response, what);
  await response.discard();
  const itemId = await waitForCopy(context, monitor, what);
  return (await retryUntilVisible(context, () => fetchItem(context, { driveId, itemId }, pathOf(to)))).item;
}

/** Follows the progress at a pre-authenticated URL (PROTOCOL 14b). @returns the id of the copy */
async function waitForCopy({ storage }: TransferContext, url: string, what: string): Promise<string> {
  const { http } = storage;
  for (let polls = 1, percentage = 0;; polls++) {
    const response = await storage.send({ method: "GET", url, retry: "idempotent", isProgress: false });
    const { status: httpStatus, headers } = response;
    if (![200, 202, 303].includes(httpStatus)) throw await readServiceError(response, what);
    const text = await response.text();
    const { status, percentageComplete = 0, resourceId } = parseJsonObject(text) ?? {};
    // SharePoint may redirect to the copy, by an address that takes other tokens than ours (PROTOCOL 14c).
    const redirected = httpStatus === 303 ? ITEM.exec(headers.get("location") ?? "")?.[1] : undefined;
    if (redirected !== undefined) return decodeName(redirected);
    if (status === "completed" && typeof resourceId === "string") return resourceId;
    if (typeof status !== "string" || ["completed", "failed", "cancelled"].includes(status)) {
      throw toServiceError(response, text, what);
    }
    if (Number(percentageComplete) > percentage) http.deadline.progress();
    percentage = Number(percentageComplete);
    const askedMs = retryAfterMs(headers, http.now());
    const step = Math.min(polls, MAX_BACKOFF_STEP);
    if (await http.backOff(step, `${what} is in progress`, http.signal, askedMs)) continue;
    throw new GraphError("unavailable", `${what} makes no progress`, { code: "noProgress" });
  }
}
