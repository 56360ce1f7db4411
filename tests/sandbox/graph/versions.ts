/** `{item}/versions`: the current version and the former ones (PROTOCOL 4.4). */

import { identitySet } from "../drive_item_json.ts";
import { emptyResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound } from "../service_error.ts";
import type { State } from "../state.ts";
import { downloadUrl } from "../storage/download.ts";
import type { Item, Version } from "../tenant/item.ts";
import { mayReadDrive, mayWriteDrive } from "./authorization.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { collectionResponse, entityResponse, type GraphRequest } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

const PROPERTIES = new Set(["id", "lastModifiedBy", "lastModifiedDateTime", "size"]);

/** Newest first. */
export function listVersions(state: State, request: GraphRequest, address: ItemAddress): ServiceResponse {
  const item = fileOf(request, address);
  const set = `drives('${item.drive.id}')/items('${item.id}')/versions`;
  const names = selected(request.query, PROPERTIES, "microsoft.graph.driveItemVersion");
  return collectionResponse(
    state,
    set,
    versionsOf(item).map((version) => pick(versionJson(version), names)),
  );
}

export function getVersion(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
  id: string,
): ServiceResponse {
  const item = fileOf(request, address);
  const set = `drives('${item.drive.id}')/items('${item.id}')/versions`;
  const names = selected(request.query, PROPERTIES, "microsoft.graph.driveItemVersion");
  return entityResponse(state, 200, set, pick(versionJson(versionOf(item, id)), names));
}

/** Redirects to a download URL, except for the current version. */
export function getVersionContent(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
  id: string,
): ServiceResponse {
  const item = fileOf(request, address);
  const { number } = versionOf(item, id);
  if (number === item.versions) throw invalidRequest("You cannot get the content of the current version.");
  return emptyResponse(302, { location: downloadUrl(state, item, number) });
}

/** For good: a former version has no recycle bin. */
export function deleteVersion(request: GraphRequest, address: ItemAddress, id: string): ServiceResponse {
  mayWriteDrive(request.caller, address.drive);
  const item = fileOf(request, address);
  const { number } = versionOf(item, id);
  if (number === item.versions) throw invalidRequest("You cannot delete the current version.");
  item.drive.removeVersion(item, number);
  return emptyResponse(204);
}

function fileOf(request: GraphRequest, { drive, item }: ItemAddress): Item {
  mayReadDrive(request.caller, drive);
  allowOptions(request.query, "$select");
  if (item?.kind !== "file") throw itemNotFound();
  return item;
}

function versionsOf(item: Item): Version[] {
  const { versions: number, content, modified, modifiedBy } = item;
  return [...item.history, { number, content: content!, modified, modifiedBy }].reverse();
}

function versionOf(item: Item, id: string): Version {
  const version = versionsOf(item).find(({ number }) => id === `${number}.0` || id === "current");
  if (!version) throw itemNotFound();
  return version;
}

function versionJson({ number, content, modified, modifiedBy }: Version): Record<string, unknown> {
  return {
    id: `${number}.0`,
    lastModifiedBy: identitySet(modifiedBy),
    lastModifiedDateTime: modified.toISOString(),
    size: content.length,
  };
}
