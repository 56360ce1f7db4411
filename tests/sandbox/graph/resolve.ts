/** Resolves the steps of a path to a resource of the tenant. */

import { invalidRequest, itemNotFound, notImplemented, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { type Channel, isPersonal, type Site, siteId, type Team, type User } from "../tenant/directory.ts";
import type { Drive } from "../tenant/drive.ts";
import { PHANTOM_DRIVE_ID } from "../tenant/build_tenant.ts";
import { canonicalPersonalId } from "../tenant/ids.ts";
import type { Item } from "../tenant/item.ts";
import { pathProblem } from "../tenant/names.ts";
import { pathOf } from "../tenant/item.ts";
import { nameKey } from "../tenant/names.ts";
import { delegatedOnly, hasNoSharePoint, noSharePoint, workAccountsOnly } from "./authorization.ts";
import { noDrive } from "./drives.ts";
import { type AddressStep, malformedAddress } from "./address_path.ts";
import { unknownSegment } from "./documentation.ts";
import { Route } from "./route.ts";
import { itemOfShare } from "./shares.ts";

/** An item, or the path where one could be created. */
export interface ItemAddress {
  readonly kind: "item";
  readonly drive: Drive;
  readonly item: Item | undefined;
  /** The deepest folder that exists. */
  readonly folder: Item;
  /** The missing path segments below it; empty when the item exists. */
  readonly missing: readonly string[];
  /** Whether the address ends in a path, as opposed to an id. */
  readonly byPath: boolean;
}

export type Resource =
  | ItemAddress
  | { kind: "drive"; drive: Drive }
  | { kind: "user"; user: User; me: boolean }
  | { kind: "sites" }
  | { kind: "site"; site: Site }
  | { kind: "group"; team: Team }
  | { kind: "team"; team: Team }
  | { kind: "channel"; team: Team; channel: Channel };

/** A resource and the relation or action on it, such as `children`; "" for the resource itself. */
export interface Target {
  readonly resource: Resource;
  readonly relation: string;
  /** Whether the item was addressed by a link, which takes other permissions. */
  readonly isShared?: boolean;
}

/** Walks the steps; `caller` is undefined for app-only. @throws {ServiceError} 400 or 404 */
export function resolve(state: State, caller: User | undefined, steps: readonly AddressStep[]): Target {
  const route = new Route(steps);
  const { users } = state.tenant.directory;
  const start = route.name().toLowerCase(); // `/ME` (PROTOCOL 3.1g)
  if (["sites", "groups", "teams"].includes(start) && caller && isPersonal(caller)) throw workAccountsOnly();
  if (["drives", "sites", "groups", "teams"].includes(start) && hasNoSharePoint(state, caller)) {
    throw noSharePoint();
  }
  switch (start) {
    case "me":
      if (caller === undefined) throw delegatedOnly();
      return ofUser(state, route, caller, true);
    case "users": {
      const key = route.name().toLowerCase();
      const tenantId = caller?.tenantId ?? state.tenant.directory.tenantId;
      const user = [...users, ...(caller ? [caller] : [])].find((user) =>
        user.tenantId === tenantId && (user.id === key || user.userPrincipalName.toLowerCase() === key)
      );
      if (!user) throw new ServiceError(404, "Request_ResourceNotFound", `Resource '${key}' does not exist.`);
      return ofUser(state, route, user, false);
    }
    case "shares":
      return ofShare(state, route);
    case "drives":
      return ofDrive(driveById(state, route.name()), route);
    case "sites":
      return ofSites(state, route);
    case "groups":
    case "teams":
      return ofTeam(state, teamById(state, route.name()), start, route);
    default:
      throw unknownSegment(start);
  }
}

function ofUser(state: State, route: Route, user: User, me: boolean): Target {
  const resource: Resource = { kind: "user", user, me };
  if (route.ended) return { resource, relation: "" };
  const name = route.name();
  const drives = state.tenant.drives.filter((drive) => drive.info.owner === user);
  if (name.toLowerCase() === "drive" && drives.length === 0) throw noDrive(state, user);
  return ofOwnDrive(state, route, name, drives) ?? { resource, relation: route.relation(name) };
}

/** `drive` or `drives/{id}` of a user, site or group. */
function ofOwnDrive(
  state: State,
  route: Route,
  name: string,
  drives: readonly Drive[],
): Target | undefined {
  if (name.toLowerCase() === "drive") return ofDrive(drives[0]!, route);
  if (name.toLowerCase() !== "drives" || route.ended) return undefined;
  const drive = driveById(state, route.name());
  if (!drives.includes(drive)) throw itemNotFound();
  return ofDrive(drive, route);
}

function ofDrive(drive: Drive, route: Route): Target {
  if (route.ended) return { resource: { kind: "drive", drive }, relation: "" };
  const name = route.name();
  switch (name.toLowerCase()) {
    case "root":
      return ofItem(drive.root, route, "refused");
    case "items":
      return ofItem(itemById(drive, route.name(), route.last), route);
    case "special":
      return ofItem(specialFolder(drive, route.name()), route);
    default:
      return { resource: { kind: "drive", drive }, relation: route.relation(name) };
  }
}

/** An empty path, `items/{id}:/`, is the item itself; `root:/` is an error (PROTOCOL 3.1b and 3.1h). */
function ofItem(start: Item, route: Route, emptyPath: "allowed" | "refused" = "allowed"): Target {
  const segments = route.path();
  const relation = route.relation();
  const { drive } = start;
  if (segments?.length === 0 && emptyPath === "refused") throw malformedAddress();
  if (segments === undefined || segments.length === 0) {
    return {
      resource: { kind: "item", drive, item: start, folder: start, missing: [], byPath: false },
      relation,
    };
  }
  const makesFolder = relation === "children";
  const fault = pathProblem([...pathOf(start), ...segments], makesFolder ? "folder" : "file");
  if (fault) throw invalidRequest(fault.message, fault.code);
  return { resource: { kind: "item", drive, ...drive.walk(segments, start), byPath: true }, relation };
}

function itemById(drive: Drive, id: string, relation: string): Item {
  const item = id === "root" ? drive.root : drive.item(id);
  const isMalformed = drive.cid === undefined && !/^01[A-Z2-7]{32}$/.test(id);
  // Only this tells a malformed id from an unknown one (PROTOCOL 7.1d).
  if (!item && isMalformed && /createUploadSession$/.test(relation)) throw invalidRequest("Invalid request");
  if (!item) throw itemNotFound();
  return item;
}

/** Only OneDrives have special folders; of them, the sandbox has only Documents. */
function specialFolder(drive: Drive, name: string): Item {
  if (/^(approot|cameraroll|music|photos)$/i.test(name)) {
    throw notImplemented(`the special folder '${name}'`, "api/drive-get-specialfolder");
  }
  const folder = name === "documents" && drive.info.owner
    ? drive.root.children.get(nameKey("Documents"))
    : undefined;
  if (!folder) throw itemNotFound();
  return folder;
}

/** `/shares/{token}/driveItem` is the item, and has its relations. */
function ofShare(state: State, route: Route): Target {
  const token = route.name();
  if (route.ended) throw unknownSegment("shares");
  const item = itemOfShare(state, token);
  const name = route.name();
  if (name !== "driveItem" && name !== "root") throw unknownSegment(name);
  const target = ofItem(item, route);
  return { ...target, isShared: true };
}

function driveById(state: State, id: string): Drive {
  const drive = state.tenant.drives.find((drive) => drive.id === id) ??
    state.tenant.drives.find((drive) => drive.cid !== undefined && drive.cid === canonicalPersonalId(id));
  if (drive) return drive;
  if (id === PHANTOM_DRIVE_ID) throw invalidRequest("ObjectHandle is Invalid");
  if (/^[0-9a-f]{15,16}$/i.test(id)) {
    const localizedMessage = "The item is missing, or you may not see it.";
    throw new ServiceError(404, "itemNotFound", "Item does not exist", { localizedMessage }); // PROTOCOL 9b
  }
  if (!/^b![A-Za-z0-9_-]{64}$/.test(id)) {
    throw invalidRequest(
      "The provided drive id appears to be malformed, or does not represent a valid drive.",
    );
  }
  throw itemNotFound();
}

function ofSites(state: State, route: Route): Target {
  if (route.ended) return { resource: { kind: "sites" }, relation: "" };
  const key = route.name();
  const site = findSite(state, key, route.path());
  if (route.ended) return { resource: { kind: "site", site }, relation: "" };
  const name = route.name();
  const resource: Resource = { kind: "site", site };
  return ofOwnDrive(state, route, name, site.drives) ?? { resource, relation: route.relation(name) };
}

/** `root`, a host name, a host name with a path, or an id of three parts. */
function findSite(state: State, key: string, path: readonly string[] | undefined): Site {
  const { sites, hostname } = state.tenant.directory;
  const [host = "", ...guids] = (key === "root" ? hostname : key).toLowerCase().split(",");
  if (!/[.,]/.test(key) && key !== "root") throw unknownSegment(key); // such as getAllSites
  if (!sites.some((site) => site.hostname === host)) {
    throw invalidRequest(
      `Invalid hostname for this tenancy: the id '${key}' has an invalid hostname for this tenancy`,
    );
  }
  const serverPath = (path ?? []).map((name) => `/${name}`).join("").toLowerCase();
  const site = guids.length > 0
    ? sites.find((site) => siteId(site) === key.toLowerCase())
    : sites.find((site) => site.hostname === host && site.path.toLowerCase() === serverPath);
  if (!site) throw itemNotFound("The provided path does not exist, or does not represent a site");
  return site;
}

function teamById(state: State, id: string): Team {
  const team = state.tenant.directory.teams.find((team) => team.id === id.toLowerCase());
  if (!team) throw new ServiceError(404, "NotFound", `No team found with Group Id ${id}`);
  return team;
}

function ofTeam(state: State, team: Team, kind: "groups" | "teams", route: Route): Target {
  const resource: Resource = kind === "groups" ? { kind: "group", team } : { kind: "team", team };
  if (route.ended) return { resource, relation: "" };
  const name = route.name();
  const ofDrives = kind === "groups" ? ofOwnDrive(state, route, name, team.site.drives) : undefined;
  if (ofDrives) return ofDrives;
  if (route.ended || kind !== "teams" || name !== "channels") {
    return { resource, relation: route.relation(name) };
  }
  const id = route.name();
  const channel = team.channels.find((channel) => channel.id === id);
  if (!channel) throw new ServiceError(404, "NotFound", "Channel not found");
  return { resource: { kind: "channel", team, channel }, relation: route.relation() };
}
