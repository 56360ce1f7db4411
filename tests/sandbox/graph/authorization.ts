/**
 * Authentication and authorization: the scopes of the token and the rights of the user (PROTOCOL 2.2 and 13.5).
 * App-only tokens give access to the whole tenant.
 */

import type { ServiceRequest } from "../messages.ts";
import { accessDenied, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import {
  type Application,
  isPersonal,
  type Role,
  type Site,
  type Team,
  type User,
} from "../tenant/directory.ts";
import type { Drive } from "../tenant/drive.ts";

/** A user with the delegated scopes of a token, or an app-only caller with its roles. */
export interface Caller {
  readonly user: User | undefined;
  readonly application: Application;
  readonly scopes: ReadonlySet<string>;
}

const READ_SITES = ["Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"];
const READ_ALL = ["Files.Read.All", "Files.ReadWrite.All", ...READ_SITES];
const READ_OWN = ["Files.Read", "Files.ReadWrite", ...READ_ALL];
const WRITE_ALL = [
  "Files.ReadWrite.All",
  "Sites.ReadWrite.All",
  "Sites.Manage.All",
  "Sites.FullControl.All",
];
const WRITE_OWN = ["Files.ReadWrite", ...WRITE_ALL];

/** The caller behind the bearer token. @throws {ServiceError} 401 */
export function authenticate(state: State, request: ServiceRequest): Caller {
  const header = request.headers["authorization"];
  if (header === undefined) throw unauthorized(state, "Access token is empty.");
  const token = bearerToken(request);
  if (token === undefined) throw unauthorized(state, "CompactToken parsing failed with error code: 80049217");
  const grant = state.tokens.access(token);
  if (grant === undefined) {
    const message = token.includes(".")
      ? "CompactToken parsing failed with error code: 80049217"
      : "IDX14100: JWT is not well formed, there are no dots (.).";
    throw unauthorized(state, message);
  }
  if (grant.expires <= Date.now()) {
    throw unauthorized(state, "Lifetime validation failed, the token is expired.");
  }
  if (state.challenges.rejects(grant)) {
    const message =
      "Continuous access evaluation resulted in challenge with result: InteractionRequired and " +
      "code: TokenCreatedWithOutdatedPolicies";
    throw unauthorized(state, message, `error="insufficient_claims", claims="${state.challenges.header}"`);
  }
  return grant;
}

/** The token of a well-formed `Authorization` header. */
export function bearerToken({ headers }: ServiceRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(headers["authorization"] ?? "")?.[1];
}

function unauthorized(
  state: State,
  message: string,
  reason = `client_id="00000003-0000-0000-c000-000000000000"`,
): ServiceError {
  const challenge =
    `Bearer realm="", authorization_uri="${state.origins.login}/common/oauth2/authorize", ${reason}`;
  return new ServiceError(401, "InvalidAuthenticationToken", message, {
    headers: { "www-authenticate": challenge },
  });
}

/** App-only requests have no `/me` (msgraph-sdk-php#1163). */
export function delegatedOnly(): ServiceError {
  return new ServiceError(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
}

/** Personal accounts have no sites, groups or teams. The wording is a guess. */
export function workAccountsOnly(): ServiceError {
  return new ServiceError(400, "BadRequest", "This API is not supported for MSA accounts.");
}

/** Whether the user's tenant has no SharePoint, as with a token of the wrong tenant (docs#4233, PROTOCOL L4). */
export function hasNoSharePoint(state: State, user: User | undefined): boolean {
  return user !== undefined && !isPersonal(user) && user.tenantId !== state.tenant.directory.tenantId;
}

export function noSharePoint(): ServiceError {
  return new ServiceError(400, "BadRequest", "Tenant does not have a SPO license.");
}

/** Checks `GET /me` and `/users/{id}`. */
export function mayReadUser(caller: Caller): void {
  const sufficient = caller.user ? ["User.Read", "User.Read.All"] : ["User.Read.All"];
  if (sufficient.some((scope) => caller.scopes.has(scope))) return;
  const message = "Insufficient privileges to complete the operation.";
  throw new ServiceError(403, "Authorization_RequestDenied", message);
}

/** Checks access to sites by path, id or search. */
export function mayReadSites(caller: Caller): void {
  requireScope(caller, READ_SITES);
}

/** Checks access to one site. */
export function mayReadSite(caller: Caller, site: Site): void {
  mayReadSites(caller);
  if (roleIn(site, caller) === undefined) throw accessDenied();
}

/** The caller's role in a site. Application permissions count as owner everywhere. */
function roleIn(site: Site, { user }: Caller): Role | undefined {
  return user === undefined ? "owner" : site.roles.get(user);
}

/** Whether the caller may open a site; search results contain no others. */
export function canOpen(site: Site, caller: Caller): boolean {
  return roleIn(site, caller) !== undefined;
}

/** Checks read access to a drive and its items. */
export function mayReadDrive(caller: Caller, drive: Drive): void {
  requireScope(caller, isOwn(drive, caller) ? READ_OWN : READ_ALL);
  if (roleInDrive(drive, caller) === undefined) throw accessDenied();
}

/** Checks write access to a drive and its items; visitors of a site may only read. */
export function mayWriteDrive(caller: Caller, drive: Drive): void {
  requireScope(caller, isOwn(drive, caller) ? WRITE_OWN : WRITE_ALL);
  const role = roleInDrive(drive, caller);
  if (role === undefined || role === "visitor") throw accessDenied();
}

function isOwn(drive: Drive, { user }: Caller): boolean {
  return user !== undefined && drive.info.owner === user;
}

/** Application permissions do not cover personal OneDrives: they are outside the tenant. */
function roleInDrive(drive: Drive, caller: Caller): Role | undefined {
  return caller.user === undefined && drive.cid !== undefined ? undefined : roleIn(drive.info.site, caller);
}

/** Checks access to the libraries of a site. */
export function mayReadDrives(caller: Caller, site: Site): void {
  requireScope(caller, READ_ALL);
  if (!canOpen(site, caller)) throw accessDenied();
}

/** Checks `/shares`, whose page names no permission to read only. */
export function mayFollowLinks(caller: Caller): void {
  requireScope(caller, WRITE_OWN);
}

/** Checks `/me/joinedTeams`. */
export function mayReadTeams(caller: Caller): void {
  if (caller.user && isPersonal(caller.user)) throw workAccountsOnly();
  requireScope(caller, ["Team.ReadBasic.All"]);
}

/** Checks access to the channels of a team. */
export function mayReadChannels(caller: Caller, team: Team): void {
  requireScope(caller, ["Channel.ReadBasic.All"]);
  if (caller.user !== undefined && !team.members.includes(caller.user)) throw accessDenied();
}

function requireScope(caller: Caller, sufficient: readonly string[]): void {
  if (!sufficient.some((scope) => caller.scopes.has(scope))) throw accessDenied();
}
