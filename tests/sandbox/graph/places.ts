/** People, sites, groups and teams: everything above the drives (PROTOCOL 1 and 2). */

import { driveItemJson, seconds } from "../drive_item_json.ts";
import type { Answer } from "../message.ts";
import { invalidRequest, itemNotFound, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { type Channel, type Site, siteId, siteUrl, type Team, type User } from "../tenant/directory.ts";
import { nameKey } from "../tenant/names.ts";
import * as may from "./caller.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { collectionAnswer, entityAnswer, type GraphRequest } from "./request.ts";

type Json = Record<string, unknown>;

/** `/me` and `/users/{id}`. */
export function getUser(state: State, request: GraphRequest, user: User, me: boolean): Answer {
  may.mayReadUser(request.caller);
  const others = ["User.ReadBasic.All", "User.Read.All"];
  if (!me && user !== request.caller.user && !others.some((scope) => request.caller.scopes.has(scope))) {
    throw new ServiceError(
      403,
      "Authorization_RequestDenied",
      "Insufficient privileges to complete the operation.",
    );
  }
  const drive = state.tenant.drives.find((drive) => drive.info.owner === user);
  const extra = {
    // Absent where no OneDrive was ever made (PROTOCOL 1).
    ...(drive && drive.cid === undefined ? { mySite: `${siteUrl(drive.info.site)}/` } : {}),
    userType: user.home ? "Guest" : "Member",
    accountEnabled: true,
  };
  const json = userJson(user);
  allowOptions(request.query, "$select");
  const names = selected(
    request.query,
    new Set([...Object.keys({ ...json, ...extra }), "mySite"]),
    "microsoft.graph.user",
  );
  return entityAnswer(state, 200, "users", names ? pick({ ...json, ...extra }, names) : json);
}

/** The eleven properties that come unasked. */
function userJson(user: User): Json {
  return {
    businessPhones: user.businessPhone === undefined ? [] : [user.businessPhone],
    displayName: user.displayName,
    givenName: user.givenName,
    jobTitle: user.jobTitle,
    mail: user.mail,
    mobilePhone: null,
    officeLocation: user.officeLocation,
    preferredLanguage: "en-US",
    surname: user.surname,
    userPrincipalName: user.userPrincipalName,
    id: user.id,
  };
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
  const listsAll = !request.query.has("search");
  if (listsAll && request.caller.user) throw new ServiceError(403, "accessDenied", "Access denied");
  if (text === "" && !listsAll) throw invalidRequest("The search text is empty.");
  const { sites } = state.tenant.directory;
  const found = sites.filter((site) =>
    !site.personal && may.canOpen(site, request.caller) &&
    (listsAll || text === "*" ||
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
  const teams = state.tenant.directory.teams.filter((team) =>
    team.members.some((member) => member === request.caller.user)
  );
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

/** `/teams/{id}/channels/{id}/filesFolder`: not there until somebody opened the Files tab (PROTOCOL L6). */
export function getFilesFolder(state: State, request: GraphRequest, team: Team, channel: Channel): Answer {
  const drive = team.site.drives[0]!;
  may.mayReadDrive(request.caller, drive);
  const { user } = request.caller;
  if (user !== undefined && !team.members.includes(user)) throw itemNotFound();
  const folder = drive.root.children.get(nameKey(channel.displayName));
  if (folder?.kind !== "folder") {
    const message = "Folder location for this channel is not ready yet, please try again later.";
    throw new ServiceError(404, "NotFound", message);
  }
  const json = { ...driveItemJson(state, folder), createdDateTime: "0001-01-01T00:00:00Z" };
  return entityAnswer(state, 200, "driveItem", json);
}
