/** People, sites, drives, groups and teams: everything above the items (graph-protocol 1 and 2). */

import { driveItemJson, driveType, identitySet, seconds } from "../drive_item_json.ts";
import type { Answer } from "../message.ts";
import { invalidRequest, itemNotFound, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { type Channel, type Site, siteId, siteUrl, type Team, type User } from "../tenant/directory.ts";
import type { Drive } from "../tenant/drive.ts";
import { nameKey } from "../tenant/names.ts";
import * as may from "./caller.ts";
import { allowOptions, pick, type Query, selected } from "./query.ts";
import { collectionAnswer, entityAnswer, type GraphRequest } from "./request.ts";

type Json = Record<string, unknown>;

/** `/me` and `/users/{id}`. */
export function getUser(state: State, request: GraphRequest, user: User, me: boolean): Answer {
  may.mayReadUser(request.caller);
  if (!me && user !== request.caller.user && !request.caller.scopes.has("User.ReadBasic.All")) {
    throw new ServiceError(
      403,
      "Authorization_RequestDenied",
      "Insufficient privileges to complete the operation.",
    );
  }
  const drive = state.tenant.drives.find((drive) => drive.info.owner === user)!;
  const extra = { mySite: `${siteUrl(drive.info.site)}/`, userType: "Member", accountEnabled: true };
  const json = userJson(user);
  allowOptions(request.query, "$select");
  const names = selected(request.query, new Set(Object.keys({ ...json, ...extra })), "microsoft.graph.user");
  return entityAnswer(state, 200, "users", names ? pick({ ...json, ...extra }, names) : json);
}

/** The eleven properties that come unasked. */
function userJson(user: User): Json {
  return {
    businessPhones: [user.businessPhone],
    displayName: user.displayName,
    givenName: user.givenName,
    jobTitle: user.jobTitle,
    mail: user.userPrincipalName,
    mobilePhone: null,
    officeLocation: user.officeLocation,
    preferredLanguage: "en-US",
    surname: user.surname,
    userPrincipalName: user.userPrincipalName,
    id: user.id,
  };
}

/** `/me/drives`, `/users/{id}/drives`. */
export function listUserDrives(state: State, request: GraphRequest, user: User): Answer {
  const drives = state.tenant.drives.filter((drive) => drive.info.owner === user);
  for (const drive of drives) may.mayReadDrive(request.caller, drive);
  return driveList(state, drives, request.query);
}

/** `/sites/{id}/drives`, `/groups/{id}/drives`. */
export function listSiteDrives(state: State, request: GraphRequest, site: Site): Answer {
  may.mayReadDrives(request.caller, site);
  return driveList(state, site.drives, request.query);
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

function driveList(state: State, drives: readonly Drive[], query: Query): Answer {
  allowOptions(query, "$select", "$top");
  const names = selected(query, DRIVE_PROPERTIES, "microsoft.graph.drive");
  return collectionAnswer(state, "drives", drives.map((drive) => pick(driveJson(drive), names)));
}

/** `/drives/{id}` and its other names. */
export function getDrive(state: State, request: GraphRequest, drive: Drive): Answer {
  may.mayReadDrive(request.caller, drive);
  allowOptions(request.query, "$select");
  const names = selected(request.query, DRIVE_PROPERTIES, "microsoft.graph.drive");
  return entityAnswer(state, 200, "drives", pick(driveJson(drive), names));
}

function driveJson(drive: Drive): Json {
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

/** `/sites/{id}` and by path. */
export function getSite(state: State, request: GraphRequest, site: Site): Answer {
  may.mayReadSite(request.caller, site);
  allowOptions(request.query, "$select");
  const json = siteJson(site);
  const names = selected(request.query, SITE_PROPERTIES, "microsoft.graph.site");
  return entityAnswer(state, 200, "sites", pick(json, names));
}

const SITE_PROPERTIES = new Set([
  ...[
    "createdDateTime",
    "description",
    "displayName",
    "eTag",
    "id",
    "isPersonalSite",
    "lastModifiedDateTime",
    "name",
  ],
  ...["root", "sharepointIds", "siteCollection", "webUrl"],
]);

/** `/sites?search=`: free text over the search index, which knows no personal sites (docs#14387). */
export function searchSites(state: State, request: GraphRequest): Answer {
  may.mayReadSites(request.caller);
  const text = (request.query.get("search") ?? "").trim().toLowerCase();
  // Listing all sites is for applications, not for people (msgraph-sdk-powershell#544).
  if (!request.query.has("search")) throw new ServiceError(403, "accessDenied", "Access denied");
  if (text === "") throw invalidRequest("The search text is empty.");
  const { sites } = state.tenant.directory;
  const found = sites.filter((site) =>
    !site.personal && site.roles.has(request.caller.user) &&
    (text === "*" ||
      [site.displayName, site.description, site.path].some((field) => field.toLowerCase().includes(text)))
  );
  const names = selected(request.query, SITE_PROPERTIES, "microsoft.graph.site");
  return collectionAnswer(state, "sites", found.map((site) => pick(siteJson(site), names)));
}

function siteJson(site: Site): Json {
  return {
    createdDateTime: site.created.toISOString(),
    description: site.description,
    id: siteId(site),
    lastModifiedDateTime: seconds(site.drives[0]!.root.modified),
    name: site.name,
    webUrl: siteUrl(site),
    displayName: site.displayName,
    root: {},
    siteCollection: { hostname: site.hostname },
  };
}

/** `/me/joinedTeams`: three properties, no options. */
export function listJoinedTeams(state: State, request: GraphRequest): Answer {
  may.mayReadTeams(request.caller);
  allowOptions(request.query);
  const teams = state.tenant.directory.teams.filter((team) => team.members.includes(request.caller.user));
  return collectionAnswer(
    state,
    "teams",
    teams.map(({ id, displayName, description }) => ({ id, displayName, description })),
  );
}

/** `/teams/{id}/channels`. */
export function listChannels(state: State, request: GraphRequest, team: Team): Answer {
  may.mayReadChannels(request.caller, team);
  allowOptions(request.query, "$select", "$filter");
  if (request.query.has("$filter")) throw invalidRequest("The sandbox filters no channels.");
  return collectionAnswer(
    state,
    `teams('${team.id}')/channels`,
    team.channels.map((channel) => ({
      id: channel.id,
      createdDateTime: channel.created.toISOString(),
      displayName: channel.displayName,
      description: channel.description,
      membershipType: "standard",
      webUrl: `https://teams.microsoft.com/l/channel/${encodeURIComponent(channel.id)}`,
    })),
  );
}

/** `/teams/{id}/channels/{id}/filesFolder`: not there until somebody opened the Files tab (trap L6). */
export function getFilesFolder(state: State, request: GraphRequest, team: Team, channel: Channel): Answer {
  const drive = team.site.drives[0]!;
  may.mayReadDrive(request.caller, drive);
  if (!team.members.includes(request.caller.user)) throw itemNotFound();
  const folder = drive.root.children.get(nameKey(channel.displayName));
  if (folder?.kind !== "folder") {
    const message = "Folder location for this channel is not ready yet, please try again later.";
    throw new ServiceError(404, "NotFound", message);
  }
  const json = { ...driveItemJson(state, folder), createdDateTime: "0001-01-01T00:00:00Z" };
  return entityAnswer(state, 200, "driveItem", json);
}
