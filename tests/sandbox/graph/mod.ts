/** Microsoft Graph: authenticates a request, resolves its address, calls the handler and adds the common headers. */

import type { ServiceRequest, ServiceResponse } from "../messages.ts";
import { allowOrigin, preflightResponse } from "../cors.ts";
import { itemNotFound, notImplemented, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { authenticate, mayFollowLinks } from "./authorization.ts";
import { serveBatch } from "./batch.ts";
import { createFolder, listChildren } from "./children.ts";
import { getContent, putContent } from "./content.ts";
import { copyItem } from "./copy.ts";
import { createLink } from "./create_link.ts";
import { createUploadSession } from "./create_upload_session.ts";
import { readDelta } from "./delta.ts";
import { unknownRoute } from "./documentation.ts";
import * as drives from "./drives.ts";
import { deleteItem, getItem, patchItem } from "./items.ts";
import { getPermission, listPermissions } from "./permissions.ts";
import { parseRelation } from "./relation.ts";
import { searchItems } from "./search.ts";
import { getSite, searchSites } from "./sites.ts";
import { getFilesFolder, listChannels, listJoinedTeams } from "./teams.ts";
import { getUser } from "./users.ts";
import { deleteVersion, getVersion, getVersionContent, listVersions } from "./versions.ts";
import { allowOptions, parseQuery } from "./query.ts";
import { type GraphRequest, isJson } from "./request.ts";
import { addHeaders, errorResponse } from "./response_forms.ts";
import { type ItemAddress, resolve, type Target } from "./resolve.ts";
import { malformedAddress, parseAddressPath } from "./address_path.ts";

export async function graphService(state: State, request: ServiceRequest): Promise<ServiceResponse> {
  const requestId = crypto.randomUUID();
  const clientRequestId = request.headers["client-request-id"] ?? requestId;
  const ids = { "request-id": requestId, "client-request-id": clientRequestId };
  let response: ServiceResponse;
  try {
    response = preflightResponse(request) ?? await route(state, request);
  } catch (error) {
    response = errorResponse(error, state, request, ids);
  }
  addHeaders(request, response, ids);
  allowOrigin(request, response);
  return response;
}

async function route(state: State, http: ServiceRequest): Promise<ServiceResponse> {
  const version = /^\/v1\.0(?=\/|$)/.exec(http.path)?.[0];
  if (/^\/beta(\/|$)/.test(http.path)) throw notImplemented("the beta version", "versioning-and-support");
  if (version === undefined) throw new ServiceError(400, "BadRequest", "Invalid version.");
  const caller = authenticate(state, http);
  if (http.path.slice(version.length) === "/$batch") {
    if (http.method !== "POST") {
      throw new ServiceError(405, "Request_BadRequest", `${http.method} is not allowed here.`);
    }
    return await serveBatch(http, (step) => graphService(state, step));
  }
  if (/^\/?$/.test(http.path.slice(version.length))) {
    throw notImplemented("the service document", "traverse-the-graph");
  }
  const request: GraphRequest = { http, caller, query: parseQuery(http.query) };
  const target = resolve(state, caller.user, parseAddressPath(http.path.slice(version.length)));
  if (target.isShared) mayFollowLinks(caller);
  if (target.resource.kind === "item") {
    return await handleItem(state, request, target.resource, target.relation);
  }
  return handleResource(state, request, target);
}

async function handleItem(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
  relation: string,
): Promise<ServiceResponse> {
  if (state.tenant.isStillHidden(address.item ?? address.folder)) throw itemNotFound();
  const { route, id = "", arguments: args } = parseRelation(relation);
  if (request.http.method !== "GET") allowOptions(request.query);
  switch (`${request.http.method} ${route}`) {
    case "GET ":
      return getItem(state, request, address);
    case "PATCH ":
      return await patchItem(state, request, address);
    case "DELETE ":
    case "POST permanentDelete":
      return deleteItem(state, request, address);
    case "PUT ":
      // Usually a PUT to …/name.txt/content without the second colon (PROTOCOL N1).
      if (!isJson(request.http)) throw malformedAddress();
      throw notImplemented("PUT of an item with a sourceUrl", "api/driveitem-createuploadsession");
    case "GET children":
      return listChildren(state, request, address);
    case "POST children":
      return await createFolder(state, request, address);
    case "GET delta":
      return readDelta(state, request, address, args.get("token"));
    case "GET permissions":
      return listPermissions(state, request, address);
    case "GET permissions/{id}":
      return getPermission(state, request, address, id);
    case "GET search":
      return searchItems(state, request, address, args.get("q"));
    case "GET versions":
      return listVersions(state, request, address);
    case "GET versions/{id}":
      return getVersion(state, request, address, id);
    case "DELETE versions/{id}":
      return deleteVersion(request, address, id);
    case "GET versions/{id}/content":
      return getVersionContent(state, request, address, id);
    case "GET content":
      return getContent(state, request, address);
    case "PUT content":
      return await putContent(state, request, address);
    case "POST copy":
      return await copyItem(state, request, address);
    case "POST createLink":
      return await createLink(state, request, address);
    case "POST createUploadSession":
      return await createUploadSession(state, request, address);
    default:
      throw unknownRoute(request.http.method, relation);
  }
}

function handleResource(
  state: State,
  request: GraphRequest,
  { resource, relation }: Target,
): ServiceResponse {
  const { route, arguments: args } = parseRelation(relation);
  switch (`${request.http.method} ${resource.kind} ${route}`) {
    case "GET user ":
      if (resource.kind === "user") return getUser(state, request, resource.user, resource.me);
      break;
    case "GET user drives":
      if (resource.kind === "user") return drives.listUserDrives(state, request, resource.user);
      break;
    case "GET user joinedTeams":
      if (resource.kind === "user" && resource.me) return listJoinedTeams(state, request);
      break;
    case "GET drive ":
      if (resource.kind === "drive") return drives.getDrive(state, request, resource.drive);
      break;
    case "GET drive search":
      if (resource.kind === "drive") {
        const { drive } = resource;
        return searchItems(state, request, { drive, item: drive.root }, args.get("q"));
      }
      break;
    case "GET sites ":
      return searchSites(state, request);
    case "GET site ":
      if (resource.kind === "site") return getSite(state, request, resource.site);
      break;
    case "GET site drives":
      if (resource.kind === "site") return drives.listSiteDrives(state, request, resource.site);
      break;
    case "GET group drives":
      if (resource.kind === "group") return drives.listSiteDrives(state, request, resource.team.site);
      break;
    case "GET team channels":
      if (resource.kind === "team") return listChannels(state, request, resource.team);
      break;
    case "GET channel filesFolder":
      if (resource.kind === "channel") {
        return getFilesFolder(state, request, resource.team, resource.channel);
      }
      break;
  }
  throw unknownRoute(request.http.method, relation);
}
