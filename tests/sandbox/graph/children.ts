/** `{item}/children`: paged listings and folder creation (PROTOCOL 4.1). */

import { driveItemJson } from "../drive_item_json.ts";
import { emptyResponse, jsonResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound, notImplemented } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Drive } from "../tenant/drive.ts";
import type { Item } from "../tenant/item.ts";
import { nameKey, nameProblem } from "../tenant/names.ts";
import { mayReadDrive, mayWriteDrive } from "./authorization.ts";
import { conflictBehavior, unknownKey } from "./conflict_behavior.ts";
import { DRIVE_ITEM_PROPERTIES } from "./drive_item_properties.ts";
import { readFileSystemInfo } from "./file_system_info.ts";
import { filtered } from "./filter.ts";
import { DEFAULT_PAGE, linkAfter, pageOf } from "./paging.ts";
import { allowOptions, selected } from "./query.ts";
import { selectedItem } from "./selected_item.ts";
import { authorOf, contextUrl, entityResponse, type GraphRequest, readJson, unchanged } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

export function listChildren(state: State, request: GraphRequest, address: ItemAddress): ServiceResponse {
  mayReadDrive(request.caller, address.drive);
  const { query } = request;
  allowOptions(
    query,
    "$select",
    "$top",
    "$orderby",
    "$filter",
    "$count",
    "$expand",
    "$skiptoken",
    "$skipToken",
  );
  const folder = address.item;
  if (!folder) throw itemNotFound();
  if (folder.kind === "file") throw invalidRequest("A file has no children.");
  if (folder.kind === "link") {
    throw invalidRequest("The children of a remote item are listed in its own drive.");
  }
  if (unchanged(request.http, folder)) return emptyResponse(304);
  const names = selected(query, DRIVE_ITEM_PROPERTIES, "microsoft.graph.driveItem");
  const matching = filtered([...folder.children.values()], query.get("$filter"), address.drive);
  const all = ordered(matching, query.get("$orderby"), address.drive);
  const { page, links } = pageOf(state, request, all);
  return jsonResponse(200, {
    "@odata.context": contextUrl(state, `drives('${address.drive.id}')/items('${folder.id}')/children`),
    ...(query.get("$count") === "true" ? { "@odata.count": all.length } : {}),
    ...links,
    value: page.map((child) => ({
      ...selectedItem(state, child, names),
      ...expandedChildren(state, request, child),
    })),
  });
}

/**
 * The first page of children, for `$expand=children`, perhaps with a selection
 * (https://learn.microsoft.com/graph/query-parameters#expand). Nothing else can be expanded.
 */
export function expandedChildren(state: State, request: GraphRequest, item: Item): Record<string, unknown> {
  const expand = request.query.get("$expand");
  if (expand === undefined) return {};
  const [, selection] = /^children(?:\(\$select=([\w,@.]+)\))?$/.exec(expand) ?? [];
  if (!expand.startsWith("children") || (expand !== "children" && selection === undefined)) {
    throw notImplemented(`$expand=${expand}`, "query-parameters#expand");
  }
  const query = new Map(selection === undefined ? [] : [["$select", selection]]);
  const names = selected(query, DRIVE_ITEM_PROPERTIES, "microsoft.graph.driveItem");
  const all = ordered([...item.children.values()]);
  const page = all.slice(0, DEFAULT_PAGE);
  const last = page.at(-1);
  return {
    ...(page.length < all.length && last
      ? { "children@odata.nextLink": childrenLink(state, item, selection, last) }
      : {}),
    children: page.map((child) => selectedItem(state, child, names)),
  };
}

function childrenLink(state: State, item: Item, selection: string | undefined, last: Item): string {
  const query = selection === undefined ? "" : `?$select=${selection}`;
  const target = `/v1.0/drives/${item.drive.id}/items/${item.id}/children${query}`;
  return linkAfter(state, target, last.id);
}

export async function createFolder(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
): Promise<ServiceResponse> {
  mayWriteDrive(request.caller, address.drive);
  const parent = address.item;
  if (!parent) throw itemNotFound();
  if (parent.kind !== "folder") throw invalidRequest("Only a folder can have children.");
  const body = await readJson(request.http, "refused");
  const { name, folder } = body;
  if (typeof name !== "string") throw invalidRequest("The name in the provided item is missing.");
  if (typeof folder !== "object" || folder === null) {
    throw notImplemented("items made without the folder facet", "api/driveitem-post-children");
  }
  const fault = nameProblem(name, { folder: true, atRoot: parent.parent === undefined });
  if (fault) throw invalidRequest(fault.message, fault.code);
  const { description, fileSystemInfo } = body;
  const unknown = unknownKey(body, ["name", "folder", "description", "fileSystemInfo"]);
  if (unknown !== undefined) {
    throw notImplemented(`'${unknown}' of a new folder`, "api/driveitem-post-children");
  }
  const conflict = conflictBehavior(body, "fail");
  const { item, created } = parent.drive.createFolder(parent, name, {
    conflict,
    author: authorOf(state, request),
  });
  if (created && (description !== undefined || fileSystemInfo !== undefined)) {
    const change = {
      ...(typeof description === "string" ? { description } : {}),
      ...(fileSystemInfo === undefined ? {} : { fileSystemInfo: readFileSystemInfo(fileSystemInfo) }),
    };
    item.drive.update(item, change, item.createdBy);
  }
  if (created) state.tenant.recordNewFolder(item);
  const set = `drives('${item.drive.id}')/items`;
  return entityResponse(state, created ? 201 : 200, set, driveItemJson(state, item));
}

const ORDERS: Readonly<Record<string, (item: Item) => string | number>> = {
  name: ({ name }) => nameKey(name),
  url: ({ name }) => nameKey(name),
  size: ({ size }) => size,
  lastModifiedDateTime: ({ modified }) => modified.getTime(),
};
const BUSINESS_ORDERS = ["name", "url"];
const PERSONAL_ORDERS = ["name", "size", "lastModifiedDateTime"];

/** By name unless requested otherwise (PROTOCOL 4.1d). */
function ordered(items: Item[], option = "name", drive?: Drive): Item[] {
  const [property = "", direction = "asc", ...rest] = option.trim().split(/\s+/);
  const allowed = drive?.cid === undefined ? BUSINESS_ORDERS : PERSONAL_ORDERS;
  if (!allowed.includes(property) || !["asc", "desc"].includes(direction) || rest.length > 0) {
    throw invalidRequest(`The $orderby '${option}' is not supported.`);
  }
  const keyOf = ORDERS[property]!;
  const sign = direction === "asc" ? 1 : -1;
  const compare = (a: string | number, b: string | number) => a < b ? -1 : a > b ? 1 : 0;
  return items.sort((a, b) => sign * compare(keyOf(a), keyOf(b)));
}
