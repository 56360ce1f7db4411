/** `{item}/permissions`: share links and the members of the site, to read only (PROTOCOL 14g). */

import { driveItemJson } from "../drive_item_json.ts";
import type { ServiceResponse } from "../messages.ts";
import { itemNotFound } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Role, User } from "../tenant/directory.ts";
import { isWithin, type Item } from "../tenant/item.ts";
import { linkAddress, type SharingLink } from "../tenant/sharing_link.ts";
import { mayReadDrive } from "./authorization.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { collectionResponse, entityResponse, type GraphRequest } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

type Json = Record<string, unknown>;

const PROPERTIES = new Set([
  "grantedTo",
  "grantedToV2",
  "hasPassword",
  "id",
  "inheritedFrom",
  "link",
  "roles",
]);
const ROLES: Record<Role, string> = { owner: "owner", member: "write", visitor: "read" };

export function listPermissions(state: State, request: GraphRequest, address: ItemAddress): ServiceResponse {
  const item = itemOf(request, address);
  const set = `drives('${item.drive.id}')/items('${item.id}')/permissions`;
  const names = selected(request.query, PROPERTIES, "microsoft.graph.permission");
  const permissions = permissionsOf(state, request, item);
  return collectionResponse(state, set, permissions.map((permission) => pick(permission, names)));
}

export function getPermission(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
  id: string,
): ServiceResponse {
  const item = itemOf(request, address);
  const permission = permissionsOf(state, request, item).find((permission) => permission["id"] === id);
  if (!permission) throw itemNotFound();
  const names = selected(request.query, PROPERTIES, "microsoft.graph.permission");
  return entityResponse(state, 200, "permission", pick(permission, names));
}

/** A link as a permission of `item`, which may have it from a folder above. */
export function linkPermission(state: State, link: SharingLink, item: Item): Json {
  return {
    id: link.id,
    roles: [link.type === "edit" ? "write" : "read"],
    hasPassword: false,
    ...(link.item === item ? {} : { inheritedFrom: referenceTo(state, link.item) }),
    link: {
      type: link.type,
      scope: link.scope,
      preventsDownload: false,
      webUrl: linkAddress(link),
    },
  };
}

function itemOf(request: GraphRequest, { drive, item }: ItemAddress): Item {
  mayReadDrive(request.caller, drive);
  allowOptions(request.query, "$select");
  if (!item) throw itemNotFound();
  return item;
}

/** An owner sees all; others see the grant that concerns them, and visitors no addresses of links. */
function permissionsOf(state: State, { caller }: GraphRequest, item: Item): Json[] {
  const { roles } = item.drive.info.site;
  const role = caller.user === undefined ? "owner" : roles.get(caller.user);
  const links = state.links.filter((link) => isWithin(item, link.item))
    .map((link) => linkPermission(state, link, item));
  const members = [...roles].map(([user, role], index) => ({ user, role, number: index + 4 }));
  return [
    ...(role === "visitor" ? links.map(withoutAddress) : links),
    ...members.filter(({ user }) => role === "owner" || user === caller.user).map(memberPermission),
  ];
}

function withoutAddress(permission: Json): Json {
  const { webUrl: _, ...link } = permission["link"] as Json;
  return { ...permission, link };
}

/** Both forms of the grantee, the older one deprecated (recorded 2026). */
function memberPermission({ user, role, number }: { user: User; role: Role; number: number }): Json {
  const { id, displayName, mail: email } = user;
  const loginName = `i:0#.f|membership|${user.userPrincipalName.toLowerCase()}`;
  return {
    id: btoa(loginName).replaceAll("=", ""),
    roles: [ROLES[role]],
    grantedToV2: {
      user: { id, displayName, email },
      siteUser: { id: String(number), displayName, email, loginName },
    },
    grantedTo: { user: { id, displayName, email } },
  };
}

function referenceTo(state: State, item: Item): Json {
  const { id, name, parentReference } = driveItemJson(state, item, () => false);
  const { driveId, driveType, path } = (parentReference ?? {}) as Json;
  return { driveId, driveType, id, name, path: `${path}/${name}` };
}
