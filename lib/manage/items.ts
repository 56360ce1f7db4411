/**
 * Changes of items on the server, without their content: move, remove, share.
 *
 * @module
 */
import { itemUrl } from "../drive/address.ts";
import { type DriveItem, isExpectedItem } from "../drive/drive_item.ts";
import {
  fetchItself,
  getItem,
  type Item,
  type ItemContext,
  locationLabel,
  notAFolderError,
  retryWithoutMemory,
  toItem,
} from "../drive/items.ts";
import { locate } from "../drive/locate.ts";
import { type LocationInput, parseLocation } from "../drive/location.ts";
import { joinRemote } from "../drive/names.ts";
import { isGraphError, usageError } from "../errors.ts";
import { readServiceError } from "../graph/errors.ts";
import { isJsonObject } from "../json.ts";
import type { TransferContext } from "../transfer/result.ts";
import { findTarget } from "../upload/target.ts";

/**
 * Moves or renames an item (https://learn.microsoft.com/graph/api/driveitem-move, PROTOCOL 14a): into the target if that is a folder,
 * otherwise to the target itself. Nothing is replaced. A shortcut itself is moved, not what it leads to.
 *
 * @throws {GraphError} `conflict`, code `nameAlreadyExists`; `usage`, code `otherDrive`, for a target in another drive.
 */
export async function move(
  context: TransferContext,
  source: LocationInput,
  target: LocationInput,
): Promise<Item> {
  const item = await itself(context, source);
  const { driveId, id } = item;
  const { folder, folderId, folderPath, existing, ...to } = await findTarget(context, target, item.name);
  if (folder.driveId !== driveId) {
    const message = `${item.path} cannot be moved: ${joinRemote(folderPath, to.name)} is in another drive`;
    throw usageError(message, "copy it, then remove the original", "otherDrive");
  }
  const isSame = typeof existing === "object" && existing.id === id;
  // Of an existing item the target has the current name, which may differ in case from the one that was typed.
  const name = isSame ? parseLocation(target, context.settings.siteHost).path.at(-1) ?? to.name : to.name;
  try {
    const driveItem = await context.graph.requestJson<DriveItem>(itemUrl({ driveId, itemId: id }), {
      method: "PATCH",
      what: `move of ${item.path} to ${joinRemote(folderPath, name)}`,
      json: { parentReference: { id: folderId }, name },
      retry: "idempotent",
      accepts: (value) => isExpectedItem(value, { driveId, id, name }),
    });
    return toItem(driveItem, driveId, joinRemote(folderPath, name));
  } catch (error) {
    if (!isGraphError(error) || error.status !== 409) throw error;
    throw error.withMessage(error.message, { hint: "remove what is there, or choose another name" });
  }
}

/**
 * Removes an item, a folder with everything in it, to the recycle bin (https://learn.microsoft.com/graph/api/driveitem-delete).
 * A shortcut itself is removed, not what it leads to.
 *
 * @throws {GraphError} `notFound`; `conflict` for a file that has changed since it was listed as the given item.
 */
export async function remove(context: ItemContext, location: LocationInput): Promise<void> {
  const item = await itself(context, location);
  const listed = typeof location === "object" && "eTag" in location ? location.eTag : null;
  const eTag = item.type === "file" ? listed ?? item.eTag : null; // a folder's changes with its contents
  const what = `removal of ${item.path}`;
  const response = await context.graph.request(itemUrl({ driveId: item.driveId, itemId: item.id }), {
    method: "DELETE",
    what,
    headers: typeof eTag === "string" ? { "if-match": eTag } : {},
    retry: "idempotent",
  });
  // It was there a moment ago: 404 follows a removal whose response was lost.
  if (response.status !== 204 && response.status !== 404) throw await readServiceError(response, what);
  await response.discard();
}

/** What a link allows, and to whom. */
export interface LinkOptions {
  /** What it allows. @default "view" */
  type?: "view" | "edit";
  /** `organization`: all users of the tenant who have the link. @default "organization" */
  scope?: "organization" | "anonymous" | "users";
}

/** A link to share. */
export interface ShareLink extends Required<LinkOptions> {
  /** The link. */
  webUrl: string;
}

/**
 * Creates a link to share (https://learn.microsoft.com/graph/api/driveitem-createlink), or returns the one that exists.
 *
 * @throws {GraphError} `refused` where the organization forbids it; `usage`, code `noOrganization`, in a personal OneDrive.
 */
export async function createLink(
  context: ItemContext,
  location: LocationInput,
  { type = "view", scope = "organization" }: LinkOptions = {},
): Promise<ShareLink> {
  const { item: { driveId, id: itemId, path }, driveItem } = await getItem(context, location);
  if (scope === "organization" && driveItem.parentReference?.driveType === "personal") {
    const hint = 'anybody who has the link can use it with scope "anonymous"';
    throw usageError(`${path}: a personal OneDrive has no organization`, hint, "noOrganization");
  }
  const { link } = await context.graph.requestJson<{ link: { webUrl: string } }>(
    itemUrl({ driveId, itemId }, "createLink"),
    {
      method: "POST",
      what: `link to ${path}`,
      json: { type, scope },
      retry: "idempotent",
      accepts: (value) =>
        isJsonObject(value) && isJsonObject(value.link) && typeof value.link.webUrl === "string",
    },
  );
  return { webUrl: link.webUrl, type, scope };
}

/** The item at a location, which is not a root; a shortcut is not followed. */
async function itself(context: ItemContext, location: LocationInput): Promise<Item> {
  const parsed = parseLocation(location, context.settings.siteHost);
  const { item, driveItem } = await retryWithoutMemory(context, async () => {
    const { address } = await locate(context.drives, parsed);
    return await fetchItself(context, address, locationLabel(parsed));
  });
  if (driveItem.root || item.path === "") {
    throw usageError("the root folder of a drive can be neither moved nor removed", undefined, "rootFolder");
  }
  if (parsed.folder && item.type !== "folder") throw notAFolderError(item);
  return item;
}
