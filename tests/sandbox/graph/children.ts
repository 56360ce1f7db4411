/** `{item}/children`: paged listings and folder creation (PROTOCOL 4.1). */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { driveItemJson } from "../drive_item_json.ts";
import { emptyResponse, jsonResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound } from "../service_error.ts";
import type { State } from "../state.ts";
import type { ConflictBehavior } from "../tenant/drive.ts";
import type { Item } from "../tenant/item.ts";
import { nameKey, nameProblem } from "../tenant/names.ts";
import { mayReadDrive, mayWriteDrive } from "./authorization.ts";
import { DRIVE_ITEM_PROPERTIES } from "./drive_item_properties.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { authorOf, contextUrl, entityResponse, type GraphRequest, readJson, unchanged } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

const DEFAULT_PAGE = 200;
/** A larger `$top` is silently lowered (api-docs#691, PROTOCOL L8). */
const MAX_PAGE = 1000;
/** Stands for the first page in a skip token. */
const FROM_THE_START = "start";
const skipTokenKey = randomBytes(32);

export function listChildren(state: State, request: GraphRequest, address: ItemAddress): ServiceResponse {
  mayReadDrive(request.caller, address.drive);
  const { query } = request;
  allowOptions(query, "$select", "$top", "$orderby", "$skiptoken", "$skipToken");
  const folder = address.item;
  if (!folder) throw itemNotFound();
  if (folder.kind === "file") throw invalidRequest("A file has no children.");
  if (folder.kind === "link") {
    throw invalidRequest("The children of a remote item are listed in its own drive.");
  }
  if (unchanged(request.http, folder)) return emptyResponse(304);
  const names = selected(query, DRIVE_ITEM_PROPERTIES, "microsoft.graph.driveItem");
  const all = ordered([...folder.children.values()], query.get("$orderby"));
  const start = startOf(request, all);
  const isFirst = request.query.get("$skiptoken") === undefined;
  const empty = isFirst && state.tenant.behavior.emptyFirstPage;
  const page = all.slice(start, start + (empty ? 0 : pageSize(query.get("$top"))));
  const includes = (property: string) => names === undefined || names.includes(property);
  const more = start + page.length < all.length;
  return jsonResponse(200, {
    "@odata.context": contextUrl(state, `drives('${address.drive.id}')/items('${folder.id}')/children`),
    ...(more ? { "@odata.nextLink": nextLink(state, request, page.at(-1)) } : {}),
    value: page.map((child) => pick(driveItemJson(state, child, includes), names)),
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
    throw invalidRequest(`Parsing OData Select and Expand failed: '${expand}'.`);
  }
  const query = new Map(selection === undefined ? [] : [["$select", selection]]);
  const names = selected(query, DRIVE_ITEM_PROPERTIES, "microsoft.graph.driveItem");
  const all = ordered([...item.children.values()], undefined);
  const page = all.slice(0, DEFAULT_PAGE);
  const includes = (property: string) => names === undefined || names.includes(property);
  const last = page.at(-1);
  return {
    ...(page.length < all.length && last
      ? { "children@odata.nextLink": childrenLink(state, item, selection, last) }
      : {}),
    children: page.map((child) => pick(driveItemJson(state, child, includes), names)),
  };
}

function childrenLink(state: State, item: Item, selection: string | undefined, last: Item): string {
  const query = selection === undefined ? "" : `?$select=${selection}`;
  const target = `/v1.0/drives/${item.drive.id}/items/${item.id}/children${query}`;
  const place = Buffer.from(last.id).toString("base64url");
  return `${state.origins.graph}${target}${query ? "&" : "?"}$skiptoken=${place}.${sign(target, place)}`;
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
    throw invalidRequest("An item made this way must have the folder facet.");
  }
  const fault = nameProblem(name, { folder: true, atRoot: parent.parent === undefined });
  if (fault) throw invalidRequest(fault.message, fault.code);
  const conflict = conflictBehavior(body["@microsoft.graph.conflictBehavior"], "fail");
  const { item, created } = parent.drive.createFolder(parent, name, {
    conflict,
    author: authorOf(state, request),
  });
  if (created) state.tenant.recordNewFolder(item);
  return entityResponse(state, created ? 201 : 200, "drives('root')/items", driveItemJson(state, item));
}

/** Parses the conflict behavior: exactly fail, replace or rename (PROTOCOL U3). */
export function conflictBehavior(value: unknown, defaultBehavior: ConflictBehavior): ConflictBehavior {
  if (value === undefined) return defaultBehavior;
  if (value === "fail" || value === "replace" || value === "rename") return value;
  throw invalidRequest(
    `The conflict behavior '${value}' is not one of fail, replace, rename.`,
    "invalidParameterFormat",
  );
}

/** By name; SharePoint sorts by `name` or `url` only (QP). */
function ordered(items: Item[], option: string | undefined): Item[] {
  const [property, direction = "asc", ...rest] = (option ?? "name").trim().split(/\s+/);
  if (!["name", "url"].includes(property!) || !["asc", "desc"].includes(direction) || rest.length > 0) {
    throw invalidRequest(`The $orderby '${option}' is not supported.`);
  }
  const sign = direction === "asc" ? 1 : -1;
  return items.sort((a, b) => sign * compareNames(a, b));
}

function compareNames(a: Item, b: Item): number {
  const [left, right] = [nameKey(a.name), nameKey(b.name)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function pageSize(top: string | undefined): number {
  if (top === undefined) return DEFAULT_PAGE;
  if (!/^[1-9]\d{0,8}$/.test(top)) throw invalidRequest(`Invalid value for $top: '${top}'.`);
  return Math.min(Number(top), MAX_PAGE);
}

/** The token names the last item of the page and signs the whole link, so that altered links are rejected. */
function nextLink(state: State, request: GraphRequest, last: Item | undefined): string {
  const target = withoutSkipToken(request.http.target);
  const place = Buffer.from(last?.id ?? FROM_THE_START).toString("base64url");
  const separator = target.includes("?") ? "&" : "?";
  return `${state.origins.graph}${target}${separator}$skiptoken=${place}.${sign(target, place)}`;
}

function startOf(request: GraphRequest, all: readonly Item[]): number {
  const token = request.query.get("$skiptoken") ?? request.query.get("$skipToken");
  if (token === undefined) return 0;
  const [place = "", signature] = token.split(".");
  if (signature !== sign(withoutSkipToken(request.http.target), place)) {
    throw invalidRequest("The skip token is not valid.");
  }
  const last = Buffer.from(place, "base64url").toString();
  if (last === FROM_THE_START) return 0;
  const index = all.findIndex((item) => item.id === last);
  // The item was deleted between two pages.
  if (index < 0) throw invalidRequest("The skip token is no longer valid.");
  return index + 1;
}

function withoutSkipToken(target: string): string {
  return target.replace(/[?&](\$|%24)?skip[tT]oken=[^&]*/, "");
}

function sign(target: string, place: string): string {
  return createHmac("sha256", skipTokenKey).update(`${target}\n${place}`).digest("base64url").slice(0, 22);
}
