/** The OAuth endpoints `/devicecode` and `/token`. */

import { jsonResponse, type ServiceResponse } from "../messages.ts";
import type { State } from "../state.ts";
import { type Application, isPersonal, type User } from "../tenant/directory.ts";
import { accountAt, type Authority } from "./authorities.ts";
import { type Claims, parseClaims } from "./claims.ts";
import {
  authenticateApp,
  authenticateClient,
  clientOf,
  type Form,
  rejectCredentials,
  required,
} from "./clients.ts";
import { EntraError } from "./entra_error.ts";
import { checkAppScope, parseScopes, type ScopeRequest, toPersonalScopes } from "./scopes.ts";
import { clientInfo } from "./tokens.ts";
import { AppOnlyClient } from "./app_only_client.ts";

export interface LoginRequest {
  readonly authority: Authority;
  /** The raw tenant segment. */
  readonly tenant: string;
  readonly form: Form;
}

/** `POST /{tenant}/oauth2/v2.0/devicecode` */
export function startDeviceCode(state: State, { authority, form }: LoginRequest): ServiceResponse {
  const client = clientOf(state, authority, form);
  rejectCredentials(client, form);
  const requested = parseScopes(required(form, "scope"), [...state.consented]);
  const request = authority.kind === "consumers" ? toPersonalScopes(requested) : requested;
  const claims = parseClaims(form.get("claims"));
  const code = state.deviceCodes.issue({ authority, client, request, claims });
  // Personal accounts have their own page, https://www.microsoft.com/link (PROTOCOL 13.1).
  const page = authority.kind === "consumers" ? "link" : "devicelogin";
  const verificationUri = `${state.origins.login}/${page}`;
  return jsonResponse(200, {
    user_code: code.userCode,
    device_code: code.deviceCode,
    verification_uri: verificationUri,
    expires_in: state.settings.deviceCodeLifeSeconds,
    interval: state.settings.pollIntervalSeconds,
    message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ` +
      `${code.userCode} to authenticate.`,
  });
}

/** `POST /{tenant}/oauth2/v2.0/token` */
export function redeem(state: State, login: LoginRequest): ServiceResponse {
  const client = clientOf(state, login.authority, login.form);
  const grantType = required(login.form, "grant_type");
  switch (grantType) {
    // MSAL Node sends the short form (cli-microsoft365#6692).
    case "device_code":
    case "urn:ietf:params:oauth:grant-type:device_code":
      return redeemDeviceCode(state, login, client);
    case "authorization_code":
      return redeemAuthorizationCode(state, login, client);
    case "refresh_token":
      return redeemRefreshToken(state, login, client);
    case "client_credentials":
      return redeemCredentials(state, login, client);
    default:
      throw new EntraError(
        "unsupported_grant_type",
        70003,
        `The app requested an unsupported grant type '${grantType}'.`,
      );
  }
}

function redeemDeviceCode(
  state: State,
  { authority, form, tenant }: LoginRequest,
  client: Application,
): ServiceResponse {
  rejectCredentials(client, form);
  const { code, user } = state.deviceCodes.poll(required(form, "device_code"), authority, client);
  authenticateClient(state, client, form, tenant);
  code.redeemed = true;
  consent(state, code.request);
  const claimed = parseClaims(form.get("claims"));
  const claims = claimed.capable ? claimed : code.claims;
  const challengeTime = Math.max(claimed.challengeTime, code.claims.challengeTime);
  return tokenResponse(state, form, { ...newSignIn(user, client, code.request), claims, challengeTime });
}

function redeemAuthorizationCode(
  state: State,
  { authority, form, tenant }: LoginRequest,
  client: Application,
): ServiceResponse {
  authenticateClient(state, client, form, tenant);
  const redemption = {
    authority,
    client,
    redirectUri: required(form, "redirect_uri"),
    verifier: form.get("code_verifier"),
  };
  const grant = state.authorizationCodes.redeem(required(form, "code"), redemption);
  consent(state, grant.request);
  const claimed = parseClaims(form.get("claims"));
  const challengeTime = Math.max(claimed.challengeTime, grant.claims.challengeTime);
  const claims = claimed.capable ? claimed : grant.claims;
  const { user, request, nonce } = grant;
  return tokenResponse(state, form, { ...newSignIn(user, client, request), claims, challengeTime, nonce });
}

function redeemRefreshToken(
  state: State,
  { authority, form, tenant }: LoginRequest,
  client: Application,
): ServiceResponse {
  authenticateClient(state, client, form, tenant);
  const token = required(form, "refresh_token");
  const grant = state.tokens.refresh(token, client);
  // Refresh tokens are not bound to a tenant (RT): in another one the user has another account, or none.
  const user = accountAt(state.tenant.directory, authority, grant.user);
  const scope = form.get("scope");
  const requested = scope === null ? grant.request : parseScopes(scope, [...state.consented]);
  const request = isPersonal(user) ? toPersonalScopes(requested) : requested;
  checkConsent(state, request);
  const claims = parseClaims(form.get("claims"));
  const challengeTime = Math.max(claims.challengeTime, grant.challengeTime);
  state.challenges.checkRefresh({ challengeTime: grant.challengeTime, challengeable: claims.capable });
  if (state.settings.revokeOldRefreshTokens) state.tokens.retire(token);
  return tokenResponse(state, form, {
    user,
    client,
    request,
    signedIn: grant.signedIn,
    claims,
    challengeTime,
  });
}

/** App-only: application permissions, no user, no refresh token. */
function redeemCredentials(
  state: State,
  { authority, form, tenant }: LoginRequest,
  client: Application,
): ServiceResponse {
  rejectCredentials(client, form);
  if (!(client instanceof AppOnlyClient)) {
    const message =
      "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' " +
      "grant type.";
    throw new EntraError("invalid_client", 7000216, message, { status: 401 });
  }
  if (authority.kind !== "tenant") {
    const message =
      "No tenant-identifying information found in either the request or implied by any provided credentials.";
    throw new EntraError("invalid_request", 50059, message);
  }
  authenticateApp(state, client, form, tenant);
  checkAppScope(required(form, "scope"));
  const lifetime = tokenLifetime(state, parseClaims(form.get("claims")), 0);
  const start = { user: undefined, application: client, scopes: client.roles, ...lifetime };
  return tokenJson({
    token_type: "Bearer",
    ...expiry(lifetime.lifeSeconds),
    access_token: state.tokens.issueAccess(start),
  });
}

/** The contents of a token response for a user. */
interface TokenIssue {
  readonly user: User;
  readonly client: Application;
  readonly request: ScopeRequest;
  readonly signedIn: number;
  readonly claims: Claims;
  /** The last challenge that this sign-in satisfied. */
  readonly challengeTime: number;
  readonly nonce?: string | undefined;
}

function newSignIn(
  user: User,
  client: Application,
  requested: ScopeRequest,
): Omit<TokenIssue, "claims" | "challengeTime"> {
  const request = isPersonal(user) ? toPersonalScopes(requested) : requested;
  return { user, client, request, signedIn: Date.now() };
}

function tokenResponse(state: State, form: Form, issue: TokenIssue): ServiceResponse {
  const { user, client, request, signedIn } = issue;
  const lifetime = tokenLifetime(state, issue.claims, issue.challengeTime);
  // offline_access is granted but never listed (PROTOCOL 13.3).
  const listed = [...request.requestedNames, ...request.openid.filter((scope) => scope !== "offline_access")];
  const grant = { user, client, request, signedIn, challengeTime: issue.challengeTime };
  const access = { user, application: client, scopes: request.graph, ...lifetime };
  return tokenJson({
    token_type: "Bearer",
    scope: listed.join(" "),
    ...expiry(lifetime.lifeSeconds),
    access_token: state.tokens.issueAccess(access),
    ...(request.openid.includes("offline_access") ? { refresh_token: state.tokens.issueRefresh(grant) } : {}),
    ...(request.openid.includes("openid")
      ? { id_token: state.tokens.issueId(user, client, issue.nonce) }
      : {}),
    ...(form.get("client_info") === "1" ? { client_info: clientInfo(user) } : {}),
  });
}

/** Challengeable clients get longer-lived tokens, since these can be revoked at once (PROTOCOL 9.1). */
function tokenLifetime(
  state: State,
  claims: Claims,
  challengeTime: number,
): { lifeSeconds: number; challengeTime: number; challengeable: boolean } {
  const { tokenLifeSeconds, challengeableTokenLifeSeconds } = state.settings;
  return {
    lifeSeconds: claims.capable ? challengeableTokenLifeSeconds : tokenLifeSeconds,
    challengeTime: Math.max(claims.challengeTime, challengeTime),
    challengeable: claims.capable,
  };
}

/** A second less than a long-lived token lives (recorded 2025, PROTOCOL 13.3b). */
function expiry(lifeSeconds: number): { expires_in: number; ext_expires_in: number } {
  const seconds = lifeSeconds > 60 ? lifeSeconds - 1 : lifeSeconds;
  return { expires_in: seconds, ext_expires_in: seconds };
}

function tokenJson(body: Record<string, unknown>): ServiceResponse {
  return jsonResponse(200, body, { "cache-control": "no-store, no-cache", pragma: "no-cache" });
}

/** The user consented on the page. */
function consent(state: State, request: ScopeRequest): void {
  for (const scope of request.graph) state.consented.add(scope);
}

function checkConsent(state: State, request: ScopeRequest): void {
  const missing = request.graph.find((name) => !state.consented.has(name));
  if (missing !== undefined) throw consentRequired(state);
}

/** AADSTS65001 */
export function consentRequired(state: State): EntraError {
  const { id, displayName } = state.tenant.directory.application;
  const message =
    `The user or administrator has not consented to use the application with ID '${id}' named ` +
    `'${displayName}'. Send an interactive authorization request for this user and resource.`;
  return new EntraError("invalid_grant", 65001, message, { suberror: "consent_required" });
}
