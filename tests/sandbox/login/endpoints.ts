/** The OAuth endpoints a script calls: `/devicecode` and `/token`. */

import { Buffer } from "node:buffer";
import { type Answer, jsonAnswer } from "../message.ts";
import type { State } from "../state.ts";
import type { User } from "../tenant/directory.ts";
import { EntraError } from "./entra_error.ts";
import { missingParameter, parseScopes, type ScopeRequest } from "./scopes.ts";

/** A form body, each parameter at most once. */
export type Form = URLSearchParams;

/** `POST /{tenant}/oauth2/v2.0/devicecode` */
export function startDeviceCode(state: State, form: Form): Answer {
  checkClient(state, form);
  const request = parseScopes(required(form, "scope"), [...state.consented]);
  const code = state.deviceCodes.issue(request);
  const verificationUri = `${state.origins.login}/devicelogin`;
  return jsonAnswer(200, {
    user_code: code.userCode,
    device_code: code.deviceCode,
    verification_uri: verificationUri,
    expires_in: state.settings.deviceCodeLifeSeconds,
    interval: state.settings.pollIntervalSeconds,
    message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ` +
      `${code.userCode} to authenticate.`,
  });
}

/**
 * `POST /{tenant}/oauth2/v2.0/token`. Each grant is one case here; authorization code with PKCE and client credentials
 * would be two more, and the account types other than this tenant's a question of {@link checkClient}.
 */
export function redeem(state: State, form: Form): Answer {
  checkClient(state, form);
  const grantType = required(form, "grant_type");
  switch (grantType) {
    // MSAL Node sends the short form (cli-microsoft365#6692).
    case "device_code":
    case "urn:ietf:params:oauth:grant-type:device_code":
      return redeemDeviceCode(state, form);
    case "refresh_token":
      return redeemRefreshToken(state, form);
    default:
      throw new EntraError(
        "unsupported_grant_type",
        70003,
        `The app requested an unsupported grant type '${grantType}'.`,
      );
  }
}

function redeemDeviceCode(state: State, form: Form): Answer {
  const { code, user } = state.deviceCodes.poll(required(form, "device_code"));
  checkPublicClient(state);
  code.redeemed = true;
  // The person has seen the scopes on the page and agreed to them.
  for (const scope of code.request.graph) state.consented.add(scope);
  const { challenge } = state.tokens;
  if (challenge && state.tokens.answersChallenge(form.get("claims") ?? undefined)) {
    state.tokens.challenge = { ...challenge, needsPerson: false };
  }
  return tokenAnswer(state, form, user, code.request);
}

/** The `claims` parameter says whether a challenge is answered (graph-protocol 9.1). */
function redeemRefreshToken(state: State, form: Form): Answer {
  checkPublicClient(state);
  const grant = state.tokens.refresh(required(form, "refresh_token"));
  if (state.tokens.challenge?.needsPerson) {
    const message =
      "Due to a configuration change made by your administrator, or because you moved to a new " +
      "location, you must use multi-factor authentication to access the resource.";
    throw new EntraError("interaction_required", 50076, message, { suberror: "basic_action" });
  }
  const scope = form.get("scope");
  const request = scope === null ? grant.request : parseScopes(scope, [...state.consented]);
  const missing = request.graph.find((name) => !state.consented.has(name));
  if (missing !== undefined) {
    const { id, displayName } = state.tenant.directory.application;
    const message =
      `The user or administrator has not consented to use the application with ID '${id}' named ` +
      `'${displayName}'. Send an interactive authorization request for this user and resource.`;
    throw new EntraError("invalid_grant", 65001, message, { suberror: "consent_required" });
  }
  if (state.settings.revokeOldRefreshTokens) grant.revoked = true;
  return tokenAnswer(state, form, grant.user, request);
}

function tokenAnswer(state: State, form: Form, user: User, request: ScopeRequest): Answer {
  const lifeSeconds = state.settings.tokenLifeSeconds;
  const clientInfo = { uid: user.id, utid: state.tenant.directory.tenantId };
  // offline_access is granted but never listed (graph-protocol 13.3).
  const listed = [...request.spelled, ...request.openid.filter((scope) => scope !== "offline_access")];
  return jsonAnswer(200, {
    token_type: "Bearer",
    scope: listed.join(" "),
    expires_in: lifeSeconds,
    ext_expires_in: lifeSeconds,
    access_token: state.tokens.issueAccess(user, request.graph, lifeSeconds, form.get("claims") ?? undefined),
    ...(request.openid.includes("offline_access")
      ? { refresh_token: state.tokens.issueRefresh(user, request) }
      : {}),
    ...(request.openid.includes("openid") ? { id_token: state.tokens.issueId(user) } : {}),
    ...(form.get("client_info") === "1"
      ? { client_info: Buffer.from(JSON.stringify(clientInfo)).toString("base64url") }
      : {}),
  }, { "cache-control": "no-store, no-cache", pragma: "no-cache" });
}

function checkClient(state: State, form: Form): void {
  const clientId = required(form, "client_id");
  const { application, tenantId } = state.tenant.directory;
  if (clientId.toLowerCase() !== application.id) {
    const message = `Application with identifier '${clientId}' was not found in the directory '${tenantId}'.`;
    throw new EntraError("unauthorized_client", 700016, message);
  }
  if (form.has("client_secret") || form.has("client_assertion")) {
    const message = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
    throw new EntraError("invalid_client", 700025, message, { status: 401 });
  }
}

/** Found out only here, after the person has done everything (trap A1). */
function checkPublicClient(state: State): void {
  if (state.settings.publicClientFlows) return;
  const message =
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
  throw new EntraError("invalid_client", 7000218, message, { status: 401 });
}

function required(form: Form, name: string): string {
  const value = form.get(name);
  if (value === null || value === "") throw missingParameter(name);
  return value;
}
