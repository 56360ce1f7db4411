/** Teams and their channels (PROTOCOL 1 and 2). */

import { driveItemJson } from "../drive_item_json.ts";
import type { ServiceResponse } from "../messages.ts";
import { itemNotFound, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Channel, Team } from "../tenant/directory.ts";
import { nameKey } from "../tenant/names.ts";
import * as may from "./authorization.ts";
import { allowOptions } from "./query.ts";
import { collectionResponse, entityResponse, type GraphRequest } from "./request.ts";

/** `/me/joinedTeams`: three properties, no options. */
export function listJoinedTeams(state: State, request: GraphRequest): ServiceResponse {
  may.mayReadTeams(request.caller);
  allowOptions(request.query);
  const teams = state.tenant.directory.teams.filter((team) =>
    team.members.some((member) => member === request.caller.user)
  );
  return collectionResponse(
    state,
    "teams",
    teams.map(({ id, displayName, description }) => ({ id, displayName, description })),
  );
}

/** `/teams/{id}/channels`. */
export function listChannels(state: State, request: GraphRequest, team: Team): ServiceResponse {
  may.mayReadChannels(request.caller, team);
  allowOptions(request.query);
  const { user } = request.caller;
  const channels = team.channels.filter(({ site }) => !site || !user || site.roles.has(user));
  return collectionResponse(
    state,
    `teams('${team.id}')/channels`,
    channels.map((channel) => ({
      id: channel.id,
      createdDateTime: channel.created.toISOString(),
      displayName: channel.displayName,
      description: channel.description,
      membershipType: channel.site ? "private" : "standard",
      webUrl: `https://teams.microsoft.com/l/channel/${encodeURIComponent(channel.id)}`,
    })),
  );
}

/** `/teams/{id}/channels/{id}/filesFolder`: exists only after someone has opened the Files tab (PROTOCOL L6). */
export function getFilesFolder(
  state: State,
  request: GraphRequest,
  team: Team,
  channel: Channel,
): ServiceResponse {
  const drive = (channel.site ?? team.site).drives[0]!;
  may.mayReadDrive(request.caller, drive);
  const { user } = request.caller;
  if (user !== undefined && !team.members.includes(user)) throw itemNotFound();
  const folder = drive.root.children.get(nameKey(channel.displayName));
  if (folder?.kind !== "folder") {
    const message = "Folder location for this channel is not ready yet, please try again later.";
    throw new ServiceError(404, "NotFound", message);
  }
  const json = { ...driveItemJson(state, folder), createdDateTime: "0001-01-01T00:00:00Z" };
  return entityResponse(state, 200, "driveItem", json);
}
