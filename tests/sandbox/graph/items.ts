/** GET, PATCH and DELETE of an item (PROTOCOL 4.1, 11). */

import { emptyResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound, notImplemented } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Drive } from "../tenant/drive.ts";
import { canonicalPersonalId } from "../tenant/ids.ts";
import { eTagOf, type Item } from "../tenant/item.ts";
import { nameProblem } from "../tenant/names.ts";
import { mayReadDrive, mayWriteDrive } from "./authorization.ts";
import { expandedChildren } from "./children.ts";
import { conflictBehavior, unknownKey } from "./conflict_behavior.ts";
import { DRIVE_ITEM_PROPERTIES } from "./drive_item_properties.ts";
import { readFileSystemInfo } from "./file_system_info.ts";
import { allowOptions, selected } from "./query.ts";
import { selectedItem } from "./selected_item.ts";
import { authorOf, checkIfMatch, entityResponse, type GraphRequest, readJson, unchanged } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

export function getItem(state: State, request: GraphRequest, address: ItemAddress): ServiceResponse {
  mayReadDrive(request.caller, address.drive);
  allowOptions(request.query, "$select", "$expand");
  const names = selected(request.query, DRIVE_ITEM_PROPERTIES, "microsoft.graph.driveItem");
  const item = existing(address);
  if (unchanged(request.http, item)) return emptyResponse(304);
  const expanded = expandedChildren(state, request, item);
  return itemResponse(state, item, names, 200, expanded);
}

/**
 * Changes name, folder (https://learn.microsoft.com/graph/api/driveitem-move), description and timestamps; on SharePoint
 * each change adds a file version (PROTOCOL U21).
 */
export async function patchItem(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
): Promise<ServiceResponse> {
  mayWriteDrive(request.caller, address.drive);
  const item = existing(address);
  checkIfMatch(request.http, item);
  const body = await readJson(request.http, "refused");
  const { name, parentReference, description, fileSystemInfo } = body;
  const unknown = unknownKey(body, ["name", "parentReference", "description", "fileSystemInfo"]);
  if (unknown !== undefined) throw notImplemented(`PATCH of '${unknown}'`, "api/driveitem-update");
  if (name !== undefined) checkName(item, name);
  const change = {
    conflict: conflictBehavior(body, conflictBehavior(request.query, "fail")),
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof description === "string" ? { description } : {}),
    ...(parentReference === undefined ? {} : { parent: newParent(state, item, parentReference) }),
    ...(fileSystemInfo === undefined ? {} : { fileSystemInfo: readFileSystemInfo(fileSystemInfo) }),
  };
  item.drive.update(item, change, authorOf(state, request));
  return itemResponse(state, item, undefined);
}

export function deleteItem(_state: State, request: GraphRequest, address: ItemAddress): ServiceResponse {
  mayWriteDrive(request.caller, address.drive);
  const item = existing(address);
  checkIfMatch(request.http, item);
  item.drive.remove(item);
  return emptyResponse(204);
}

/** The driveItem, with its eTag as a header too. */
export function itemResponse(
  state: State,
  item: Item,
  names: string[] | undefined,
  status = 200,
  expanded: Record<string, unknown> = {},
): ServiceResponse {
  const body = { ...selectedItem(state, item, names), ...expanded };
  const eTag = item.parent === undefined && item.drive.cid === undefined ? {} : { etag: eTagOf(item) };
  return entityResponse(state, status, `drives('${item.drive.id}')/items`, body, eTag);
}

function existing(address: ItemAddress): Item {
  if (!address.item) throw itemNotFound();
  return address.item;
}

/** Items do not move between drives. @throws {ServiceError} 400, 404 */
function newParent(state: State, item: Item, reference: unknown): Item {
  const parent = referencedFolder(state, item.drive, reference);
  if (parent.drive !== item.drive) throw invalidRequest("Items cannot be moved between drives.");
  return parent;
}

/** The folder that a `parentReference` names by id or path. @throws {ServiceError} 400, 404 */
export function referencedFolder(state: State, own: Drive, reference: unknown): Item {
  const { id, path, driveId = own.id } = (reference ?? {}) as Record<string, unknown>;
  const [, pathDriveId = driveId, names] = /^\/drives?(?:\/([^/]+))?\/root:(.*)$/.exec(String(path ?? "")) ??
    [];
  if (typeof id !== "string" && names === undefined) {
    throw invalidRequest("The parentReference has neither id nor path.");
  }
  const drive = state.tenant.drives.find(({ id, cid }) =>
    id === pathDriveId || (cid !== undefined && cid === canonicalPersonalId(String(pathDriveId)))
  );
  const segments = (names ?? "").split("/").filter((name) => name !== "").map(decodeURIComponent);
  const folder = id === undefined
    ? drive?.walk(segments).item
    : id === "root"
    ? drive?.root
    : drive?.item(String(id));
  if (folder?.kind !== "folder") throw itemNotFound();
  return folder;
}

export function checkName(item: Item, name: unknown): void {
  if (typeof name !== "string") throw invalidRequest("The name is not a string.");
  const fault = nameProblem(name, {
    folder: item.kind === "folder",
    atRoot: item.parent?.parent === undefined,
  });
  if (fault) throw invalidRequest(fault.message, fault.code);
}
