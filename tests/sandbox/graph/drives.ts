/** Drives of users, sites and groups (PROTOCOL 2.2). */

import { driveType, identitySet, seconds } from "../drive_item_json.ts";
import type { ServiceResponse } from "../messages.ts";
import { ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { PHANTOM_DRIVE_ID } from "../tenant/build_tenant.ts";
import type { Site, User } from "../tenant/directory.ts";
import type { Drive } from "../tenant/drive.ts";
import * as may from "./authorization.ts";
import { pageOf } from "./paging.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { collectionResponse, entityResponse, type GraphRequest } from "./request.ts";

type DriveJson = Record<string, unknown> & { id: string };

/** `/me/drives`, `/users/{id}/drives`. */
export function listUserDrives(state: State, request: GraphRequest, user: User): ServiceResponse {
  const drives = state.tenant.drives.filter((drive) => drive.info.owner === user);
  if (drives.length === 0) throw noDrive(state, user);
  for (const drive of drives) may.mayReadDrive(request.caller, drive);
  // Inaccessible system drives come first, so the first drive of the list is the wrong one (PROTOCOL L2).
  const phantoms = drives.some((drive) => drive.cid !== undefined)
    ? [{ ...driveJson(drives[0]!), ...PHANTOM }]
    : [];
  return driveList(state, request, drives, phantoms);
}

const PHANTOM = {
  id: PHANTOM_DRIVE_ID,
  name: "Personal Vault",
  webUrl: "https://my.microsoftpersonalcontent.com/",
};

/** The error for a user without OneDrive; its wording has changed over the years (PROTOCOL L4). */
export function noDrive(state: State, user: User): ServiceError {
  if (may.hasNoSharePoint(state, user)) return may.noSharePoint();
  return new ServiceError(404, "ResourceNotFound", "User's mysite not found.");
}

/** `/sites/{id}/drives`, `/groups/{id}/drives`. */
export function listSiteDrives(state: State, request: GraphRequest, site: Site): ServiceResponse {
  may.mayReadDrives(request.caller, site);
  return driveList(state, request, site.drives);
}

const DRIVE_PROPERTIES = new Set([
  ...[
    "createdBy",
    "createdDateTime",
    "description",
    "driveType",
    "id",
    "lastModifiedDateTime",
    "name",
    "owner",
  ],
  ...["quota", "sharePointIds", "system", "webUrl"],
]);

function driveList(
  state: State,
  request: GraphRequest,
  drives: readonly Drive[],
  phantoms: readonly DriveJson[] = [],
): ServiceResponse {
  allowOptions(request.query, "$select", "$top", "$skiptoken", "$skipToken");
  const names = selected(request.query, DRIVE_PROPERTIES, "microsoft.graph.drive");
  const { page, links } = pageOf(state, request, [...phantoms, ...drives.map(driveJson)]);
  return collectionResponse(state, "drives", page.map((drive) => pick(drive, names)), links);
}

/** `/drives/{id}` and its aliases. */
export function getDrive(state: State, request: GraphRequest, drive: Drive): ServiceResponse {
  may.mayReadDrive(request.caller, drive);
  allowOptions(request.query, "$select");
  const names = selected(request.query, DRIVE_PROPERTIES, "microsoft.graph.drive");
  return entityResponse(state, 200, "drives", pick(driveJson(drive), names));
}

function driveJson(drive: Drive): DriveJson {
  const { info, root } = drive;
  const owner = info.owner
    ? identitySet({ user: info.owner })
    : { group: { displayName: info.site.displayName } };
  return {
    createdDateTime: seconds(info.created),
    description: "",
    id: drive.id,
    lastModifiedDateTime: seconds(root.modified),
    name: info.name,
    webUrl: drive.webUrl,
    driveType: driveType(drive),
    createdBy: { user: { displayName: "System Account" } },
    owner,
    quota: {
      deleted: 0,
      remaining: drive.remainingBytes,
      state: quotaState(drive.remainingBytes / drive.quotaBytes),
      total: drive.quotaBytes,
      used: root.size,
    },
  };
}

function quotaState(free: number): string {
  return free <= 0 ? "exceeded" : free < 0.01 ? "critical" : free < 0.1 ? "nearing" : "normal";
}
