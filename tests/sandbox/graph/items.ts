/** GET, PATCH and DELETE of an item (PROTOCOL 4.1, 11). */

import { driveItemJson } from "../drive_item_json.ts";
import { emptyResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound } from "../service_error.ts";
import type { State } from "../state.ts";
import type { FileSystemInfo, Item } from "../tenant/item.ts";
import { nameProblem } from "../tenant/names.ts";
import { mayReadDrive, mayWriteDrive } from "./authorization.ts";
import { expandedChildren } from "./children.ts";
import { DRIVE_ITEM_PROPERTIES } from "./drive_item_properties.ts";
import { allowOptions, pick, selected } from "./query.ts";
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

/** Changes name, folder (https://learn.microsoft.com/graph/api/driveitem-move) and timestamps; on SharePoint each change adds a file version (PROTOCOL U21). */
export async function patchItem(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
): Promise<ServiceResponse> {
  mayWriteDrive(request.caller, address.drive);
  const item = existing(address);
  checkIfMatch(request.http, item);
  const { name, parentReference, fileSystemInfo, ...others } = await readJson(request.http, "refused");
  const rejected = Object.keys(others)[0];
  if (rejected !== undefined) throw invalidRequest(`The property '${rejected}' cannot be changed here.`);
  if (name !== undefined) checkName(item, name);
  const change = {
    ...(typeof name === "string" ? { name } : {}),
    ...(parentReference === undefined ? {} : { parent: newParent(item, parentReference) }),
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
  const includes = (property: string) => names === undefined || names.includes(property);
  const json = driveItemJson(state, item, includes);
  const body = { ...pick(json, names), ...expanded };
  return entityResponse(state, status, `drives('${item.drive.id}')/items`, body, {
    etag: json.eTag,
  });
}

/** Parses a `fileSystemInfo` facet. @throws {ServiceError} 400 */
export function readFileSystemInfo(value: unknown): Partial<FileSystemInfo> {
  if (typeof value !== "object" || value === null) throw invalidRequest("fileSystemInfo is not an object.");
  const info: Partial<FileSystemInfo> = {};
  for (const [name, time] of Object.entries(value)) {
    if (name === "createdDateTime") info.created = readTime(name, time);
    else if (name === "lastModifiedDateTime") info.modified = readTime(name, time);
    else if (name !== "lastAccessedDateTime") {
      throw invalidRequest(`fileSystemInfo has no property '${name}'.`);
    }
  }
  return info;
}

/** ISO 8601 with up to seven fractional digits and an offset. */
function readTime(name: string, value: unknown): Date {
  if (
    typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)$/.test(value)
  ) {
    throw invalidRequest(`Cannot convert the value of '${name}' to type 'Edm.DateTimeOffset'.`);
  }
  const time = new Date(value.replace(/(\.\d{3})\d+/, "$1"));
  if (Number.isNaN(time.getTime())) throw invalidRequest(`The value of '${name}' is no valid time.`);
  return time;
}

function existing(address: ItemAddress): Item {
  if (!address.item) throw itemNotFound();
  return address.item;
}

/** The folder that a `parentReference` names. Items do not move between drives. @throws {ServiceError} 400, 404 */
function newParent(item: Item, reference: unknown): Item {
  const { id, driveId = item.drive.id } = (reference ?? {}) as Record<string, unknown>;
  if (typeof id !== "string") throw invalidRequest("The parentReference has no id.");
  if (driveId !== item.drive.id) throw invalidRequest("Items cannot be moved between drives.");
  const parent = id === "root" ? item.drive.root : item.drive.item(id);
  if (parent?.kind !== "folder") throw itemNotFound();
  return parent;
}

export function checkName(item: Item, name: unknown): void {
  if (typeof name !== "string") throw invalidRequest("The name is not a string.");
  const fault = nameProblem(name, {
    folder: item.kind === "folder",
    atRoot: item.parent?.parent === undefined,
  });
  if (fault) throw invalidRequest(fault.message, fault.code);
}
