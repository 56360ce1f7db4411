/** `search(q='…')` in a drive or below a folder: by name only (PROTOCOL 4.3a). */

import { driveItemJson } from "../drive_item_json.ts";
import { jsonResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Drive } from "../tenant/drive.ts";
import type { Item } from "../tenant/item.ts";
import { nameKey } from "../tenant/names.ts";
import { mayReadDrive } from "./authorization.ts";
import { DRIVE_ITEM_PROPERTIES } from "./drive_item_properties.ts";
import { pageOf } from "./paging.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { contextUrl, type GraphRequest } from "./request.ts";

/** Each word of the text must occur in the name; an empty text finds everything. */
export function searchItems(
  state: State,
  request: GraphRequest,
  { drive, item }: { drive: Drive; item: Item | undefined },
  text: string | undefined,
): ServiceResponse {
  mayReadDrive(request.caller, drive);
  allowOptions(request.query, "$select", "$top", "$skiptoken", "$skipToken");
  if (!item) throw itemNotFound();
  if (text === undefined) throw invalidRequest("The function 'search' has no parameter 'q'.");
  const names = selected(request.query, DRIVE_ITEM_PROPERTIES, "microsoft.graph.driveItem");
  const words = nameKey(text).split(/\s+/);
  const found = below(item).filter(({ name }) => words.every((word) => nameKey(name).includes(word)));
  const { page, links } = pageOf(state, request, found);
  return jsonResponse(200, {
    "@odata.context": contextUrl(state, "Collection(driveItem)"),
    ...links,
    value: page.map((item) => pick(resultJson(state, item, names), names)),
  });
}

/** SharePoint leaves out the path of a result. */
function resultJson(state: State, item: Item, names: string[] | undefined): Record<string, unknown> {
  const json = driveItemJson(state, item, (property) => names?.includes(property) === true);
  const { path, ...parentReference } = json["parentReference"] as Record<string, unknown>;
  const place = item.drive.cid === undefined ? parentReference : { ...parentReference, path };
  return { ...json, parentReference: place, searchResult: {} };
}

function below(folder: Item): Item[] {
  return [...folder.children.values()].flatMap((item) => [item, ...below(item)]);
}
