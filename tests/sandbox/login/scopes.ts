/** Delegated scopes: parsing and consent. */

import { notImplemented } from "../service_error.ts";
import { EntraError } from "./entra_error.ts";

const OPENID_SCOPES = ["openid", "profile", "email", "offline_access"];

/** The delegated Graph permissions known to the sandbox. */
const GRAPH_SCOPES = [
  "User.Read",
  "User.ReadBasic.All",
  "User.Read.All",
  "Files.Read",
  "Files.Read.All",
  "Files.ReadWrite",
  "Files.ReadWrite.All",
  "Files.Read.Selected",
  "Files.ReadWrite.Selected",
  "Files.ReadWrite.AppFolder",
  "Sites.Read.All",
  "Sites.ReadWrite.All",
  "Sites.Manage.All",
  "Sites.FullControl.All",
  "Sites.Selected",
  "Group.Read.All",
  "Group.ReadWrite.All",
  "Team.ReadBasic.All",
  "Channel.ReadBasic.All",
  "ChannelSettings.Read.All",
  "Mail.Read",
  "Mail.Send",
  "Calendars.Read",
];

/** Personal accounts have none for SharePoint, groups, teams or a directory (PROTOCOL 13.5). */
const PERSONAL_SCOPES = GRAPH_SCOPES.filter((scope) =>
  /^(User\.Read$|Files\.|Mail\.|Calendars\.)/.test(scope)
);

const GRAPH_AUDIENCES = ["https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000/"];

/** The requested scopes. */
export interface ScopeRequest {
  /** Graph permissions by short name; `.default` is expanded to all consented ones. */
  readonly graph: readonly string[];
  readonly openid: readonly string[];
  /** The Graph permissions as requested, short or in full: the response repeats that spelling. */
  readonly requestedNames: readonly string[];
  /** Whether `.default` was requested. */
  readonly isDefault: boolean;
}

/** Parses a `scope` parameter. @throws {EntraError} 70011 for an unknown scope @throws {ServiceError} 501 for another service */
export function parseScopes(text: string, consented: readonly string[]): ScopeRequest {
  const graph: string[] = [];
  const openid: string[] = [];
  const requestedNames: string[] = [];
  let isDefault = false;
  for (const requested of text.split(" ").filter((scope) => scope !== "")) {
    const known = OPENID_SCOPES.find((scope) => scope === requested.toLowerCase());
    if (known) {
      openid.push(known);
      continue;
    }
    const audience = GRAPH_AUDIENCES.find((prefix) => requested.startsWith(prefix)) ?? "";
    const name = requested.slice(audience.length);
    isDefault ||= name === ".default";
    for (const scope of name === ".default" ? consented : [graphScope(name)]) {
      graph.push(scope);
      requestedNames.push(audience + scope);
    }
  }
  if (graph.length === 0 && openid.length === 0) throw missingParameter("scope");
  return {
    graph: [...new Set(graph)],
    openid: [...new Set(openid)],
    requestedNames: [...new Set(requestedNames)],
    isDefault,
  };
}

/**
 * Reduces a request to the scopes of personal accounts. The error is that of python-o365#799 for
 * `User.ReadBasic.All`; the same for `Sites.*` is a guess.
 *
 * @throws {EntraError} 70011 for a scope that only work accounts have
 */
export function toPersonalScopes(request: ScopeRequest): ScopeRequest {
  const known = (scope: string) => PERSONAL_SCOPES.includes(scope.slice(scope.lastIndexOf("/") + 1));
  const rejected = request.graph.find((scope) => !known(scope));
  if (rejected !== undefined && !request.isDefault) {
    const message = "The provided value for the input parameter 'scope' is not valid. The scope " +
      `'${rejected}' is not valid.`;
    throw new EntraError("invalid_scope", 70011, message);
  }
  return {
    ...request,
    graph: request.graph.filter(known),
    requestedNames: request.requestedNames.filter(known),
  };
}

/** Requires `scope` to be Graph's `…/.default`, as app-only sign-in does. @throws {EntraError} */
export function checkAppScope(text: string): void {
  if (!/^\S+\/\.default$/.test(text)) {
    const message =
      `The provided value for scope ${text} is not valid. Client credential flows must have a ` +
      "scope value with /.default suffixed to the resource identifier (application ID URI).";
    throw new EntraError("invalid_scope", 1002012, message);
  }
  const resource = text.slice(0, -".default".length);
  if (GRAPH_AUDIENCES.includes(resource)) return;
  const message = `The resource principal named ${resource.slice(0, -1)} was not found in the tenant named ` +
    "contoso. This can happen if the application has not been installed by the administrator of the tenant.";
  throw new EntraError("invalid_resource", 500011, message);
}

function graphScope(name: string): string {
  const scope = GRAPH_SCOPES.find((scope) => scope.toLowerCase() === name.toLowerCase());
  if (scope !== undefined) return scope;
  if (name.includes("://")) {
    throw notImplemented(
      `tokens for '${name}'`,
      "https://learn.microsoft.com/entra/identity-platform/scopes-oidc",
    );
  }
  const message =
    "The provided request must include a 'scope' input parameter. The provided value for the input " +
    `parameter 'scope' is not valid. The scope ${name} is not valid.`;
  throw new EntraError("invalid_scope", 70011, message);
}

/** AADSTS900144 */
export function missingParameter(name: string): EntraError {
  const message = `The request body must contain the following parameter: '${name}'.`;
  return new EntraError("invalid_request", 900144, message);
}
