/** `{item}/createLink` (PROTOCOL 14f). */

import type { ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound, notImplemented } from "../service_error.ts";
import type { State } from "../state.ts";
import { mayWriteDrive } from "./authorization.ts";
import { unknownKey } from "./conflict_behavior.ts";
import { linkPermission } from "./permissions.ts";
import { entityResponse, type GraphRequest, readJson } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

const PAGE = "api/driveitem-createlink";
const TYPES = ["view", "edit"];
const MISSING_TYPES = ["review", "embed", "blocksDownload", "createOnly", "addressBar", "adminDefault"];
const SCOPES = ["anonymous", "organization", "users"];

/** Created once for each type and scope, then found. */
export async function createLink(
  state: State,
  request: GraphRequest,
  { drive, item }: ItemAddress,
): Promise<ServiceResponse> {
  mayWriteDrive(request.caller, drive);
  if (!item) throw itemNotFound();
  const body = await readJson(request.http, "refused");
  const { type, scope = "organization" } = body;
  const unknown = unknownKey(body, ["type", "scope"]);
  if (unknown !== undefined) throw notImplemented(`links with '${unknown}'`, PAGE);
  if (type === undefined) throw notImplemented("links without a type", PAGE);
  // Only personal drives have links to embed.
  if (MISSING_TYPES.includes(String(type)) && (type !== "embed" || drive.cid !== undefined)) {
    throw notImplemented(`links of the type '${type}'`, PAGE);
  }
  if (scope === "existingAccess") throw notImplemented("links for those with access", PAGE);
  if (!TYPES.includes(String(type))) throw invalidRequest("The link type is not valid.");
  const isKnown = SCOPES.includes(String(scope)) && (scope !== "organization" || drive.cid === undefined);
  if (!isKnown) throw invalidRequest("The link scope is not valid.");

  const known = state.links.find((link) => link.item === item && link.type === type && link.scope === scope);
  const link = known ?? { id: crypto.randomUUID(), item, type: String(type), scope: String(scope) };
  if (!known) state.links.push(link);
  return entityResponse(state, known ? 200 : 201, "permission", linkPermission(state, link, item));
}
