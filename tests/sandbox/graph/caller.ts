/** Who calls, and what they may do: scopes of the token, then rights of the person (graph-protocol 2.2 and 13.5). */

import type { Call } from "../message.ts";
import { accessDenied, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Site, Team, User } from "../tenant/directory.ts";
import type { Drive } from "../tenant/drive.ts";

/** The signed-in person, through an app, with the scopes of one token. */
export interface Caller {
  readonly user: User;
  readonly scopes: ReadonlySet<string>;
}

const READ_SITES = ["Sites.Read.All", "Sites.ReadWrite.All"];
const READ_ALL = ["Files.Read.All", "Files.ReadWrite.All", ...READ_SITES];
const READ_OWN = ["Files.Read", "Files.ReadWrite", ...READ_ALL];
const WRITE_ALL = ["Files.ReadWrite.All", "Sites.ReadWrite.All"];
const WRITE_OWN = ["Files.ReadWrite", ...WRITE_ALL];

/** The caller behind the bearer token. @throws {ServiceError} 401 */
export function authenticate(state: State, call: Call): Caller {
  const header = call.headers["authorization"];
  if (header === undefined) throw unauthorized(state, "Access token is empty.");
  const token = /^Bearer (\S+)$/i.exec(header)?.[1];
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
  if (!state.tokens.answersChallenge(grant.claims)) throw challenged(state, state.tokens.challenge!.claims);
  return grant;
}

function unauthorized(state: State, message: string): ServiceError {
  const challenge = `Bearer realm="", authorization_uri="${state.origins.login}/common/oauth2/authorize", ` +
    `client_id="00000003-0000-0000-c000-000000000000"`;
  return new ServiceError(401, "InvalidAuthenticationToken", message, {
    headers: { "www-authenticate": challenge },
  });
}

/** Continuous access evaluation wants another token (graph-protocol 9.1). */
function challenged(state: State, claims: string): ServiceError {
  const message = "Continuous access evaluation resulted in challenge with result: InteractionRequired and " +
    "code: TokenCreatedWithOutdatedPolicies";
  const challenge = `Bearer realm="", authorization_uri="${state.origins.login}/common/oauth2/authorize", ` +
    `error="insufficient_claims", claims="${btoa(claims)}"`;
  return new ServiceError(401, "InvalidAuthenticationToken", message, {
    headers: { "www-authenticate": challenge },
  });
}

/** `GET /me` and `/users/{id}`. */
export function mayReadUser(caller: Caller): void {
  if (caller.scopes.has("User.Read")) return;
  const message = "Insufficient privileges to complete the operation.";
  throw new ServiceError(403, "Authorization_RequestDenied", message);
}

/** Sites by path, id or search. */
export function mayReadSites(caller: Caller): void {
  requireScope(caller, READ_SITES);
}

/** One site, which the person must be able to open. */
export function mayReadSite(caller: Caller, site: Site): void {
  mayReadSites(caller);
  if (!site.roles.has(caller.user)) throw accessDenied();
}

/** A drive and what it holds. */
export function mayReadDrive(caller: Caller, drive: Drive): void {
  requireScope(caller, drive.info.owner === caller.user ? READ_OWN : READ_ALL);
  if (!drive.info.site.roles.has(caller.user)) throw accessDenied();
}

/** Changing what a drive holds; visitors of a site may only read. */
export function mayWriteDrive(caller: Caller, drive: Drive): void {
  requireScope(caller, drive.info.owner === caller.user ? WRITE_OWN : WRITE_ALL);
  const role = drive.info.site.roles.get(caller.user);
  if (role === undefined || role === "visitor") throw accessDenied();
}

/** The libraries of a site. */
export function mayReadDrives(caller: Caller, site: Site): void {
  requireScope(caller, READ_ALL);
  if (!site.roles.has(caller.user)) throw accessDenied();
}

/** `/me/joinedTeams`. */
export function mayReadTeams(caller: Caller): void {
  requireScope(caller, ["Team.ReadBasic.All"]);
}

/** The channels of a team. */
export function mayReadChannels(caller: Caller, team: Team): void {
  requireScope(caller, ["Channel.ReadBasic.All"]);
  if (!team.members.includes(caller.user)) throw accessDenied();
}

function requireScope(caller: Caller, sufficient: readonly string[]): void {
  if (!sufficient.some((scope) => caller.scopes.has(scope))) throw accessDenied();
}
