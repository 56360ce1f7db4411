/** `/{tenant}/oauth2/v2.0/authorize`: browser sign-in with an authorization code (RFC 6749, 7636, 8252). */

import type { ServiceRequest, ServiceResponse } from "../messages.ts";
import type { State } from "../state.ts";
import type { Application, User } from "../tenant/directory.ts";
import { approve, declined } from "./approval.ts";
import type { Authority } from "./authorities.ts";
import { accountPage, errorPage, formPostPage } from "./authorize_page.ts";
import { type Claims, parseClaims } from "./claims.ts";
import { clientOf, type Form, required } from "./clients.ts";
import { consentRequired } from "./endpoints.ts";
import { describeError, EntraError } from "./entra_error.ts";
import { parseScopes, type ScopeRequest, toPersonalScopes } from "./scopes.ts";
import { clientInfo } from "./tokens.ts";

/** The redirect address; read before all else, since errors go there too. */
interface RedirectTarget {
  readonly redirectUri: string;
  readonly mode: "query" | "fragment" | "form_post";
  readonly state: string | null;
}

/** A validated request. */
interface SignInRequest {
  readonly authority: Authority;
  readonly client: Application;
  readonly request: ScopeRequest;
  readonly claims: Claims;
  readonly challenge: string | undefined;
  readonly prompt: string | null;
}

/** GET shows the accounts; POST submits the user's choice. */
export async function authorize(
  state: State,
  request: ServiceRequest,
  authority: Authority,
): Promise<ServiceResponse> {
  const form = new URLSearchParams(request.query);
  let client: Application;
  let target: RedirectTarget;
  try {
    client = clientOf(state, authority, form);
    target = readRedirectTarget(state, client, form);
  } catch (error) {
    // Without a registered redirect URI, an error is only shown, never redirected.
    if (error instanceof EntraError) return errorPage(describeError(error, request).error_description);
    throw error;
  }
  try {
    const requested = readRequest(state, client, authority, form);
    const decisions = request.method === "POST" ? new URLSearchParams(await request.body.text()) : undefined;
    return signIn(state, request, form, { requested, target, decisions });
  } catch (error) {
    if (!(error instanceof EntraError)) throw error;
    if (SHOWN_IN_BROWSER.has(error.number)) return errorPage(describeError(error, request).error_description);
    return redirectToApp(target, errorFields(error, request));
  }
}

/** Errors about the chosen account stay in the browser. */
const SHOWN_IN_BROWSER = new Set([50020, 500200]);

function readRedirectTarget(state: State, client: Application, form: Form): RedirectTarget {
  const redirectUri = required(form, "redirect_uri");
  if (!state.settings.redirectUris.some((registered) => matches(registered, redirectUri))) {
    const message =
      `The redirect URI '${redirectUri}' specified in the request does not match the redirect ` +
      `URIs configured for the application '${client.id}'.`;
    throw new EntraError("invalid_client", 50011, message);
  }
  const mode = form.get("response_mode") ?? "query";
  if (mode !== "query" && mode !== "fragment" && mode !== "form_post") {
    throw new EntraError("invalid_request", 70007, `'${mode}' is not a supported value of 'response_mode'.`);
  }
  return { redirectUri, mode, state: form.get("state") };
}

/** Loopback addresses match with any port (RFC 8252 section 7.3); `localhost` and `127.0.0.1` differ. */
function matches(registered: string, requested: string): boolean {
  if (!URL.canParse(requested)) return false;
  const [known, given] = [new URL(registered), new URL(requested)];
  if (given.hash !== "" || given.username !== "" || given.password !== "") return false;
  if (known.protocol === "http:" && ["localhost", "127.0.0.1"].includes(known.hostname)) {
    given.port = known.port;
  }
  return known.href === given.href;
}

const PROMPTS = ["login", "none", "consent", "select_account", "create"];

function readRequest(state: State, client: Application, authority: Authority, form: Form): SignInRequest {
  const responseType = required(form, "response_type");
  if (responseType !== "code") {
    const message = `response_type '${responseType}' is not enabled for the application.`;
    throw new EntraError("unsupported_response_type", 700051, message);
  }
  const requested = parseScopes(required(form, "scope"), [...state.consented]);
  const request = authority.kind === "consumers" ? toPersonalScopes(requested) : requested;
  const prompt = form.get("prompt");
  if (prompt !== null && !PROMPTS.includes(prompt)) {
    throw new EntraError("invalid_request", 90023, `Unsupported 'prompt' value '${prompt}'.`);
  }
  const claims = parseClaims(form.get("claims"));
  return { authority, client, request, prompt, claims, challenge: challengeOf(form) };
}

/** Only single-page apps must send a challenge (PROTOCOL 13.6a), and this registration is none. */
function challengeOf(form: Form): string | undefined {
  const challenge = form.get("code_challenge");
  if (challenge === null) return undefined;
  if (form.get("code_challenge_method") !== "S256") {
    const message = "Proof Key for Code Exchange is required: send code_challenge with the method S256.";
    throw new EntraError("invalid_request", 9002325, message);
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge)) {
    throw new EntraError("invalid_request", 501491, "Invalid size of Code_Challenge parameter.");
  }
  return challenge;
}

interface Page {
  readonly requested: SignInRequest;
  readonly target: RedirectTarget;
  /** The submitted form, if any. */
  readonly decisions: Form | undefined;
}

function signIn(
  state: State,
  request: ServiceRequest,
  form: Form,
  { requested, target, decisions }: Page,
): ServiceResponse {
  const { user: testUser, tenant: { directory } } = state;
  if (requested.prompt === "none") return finish(state, form, requested, target, sessionOf(state, requested));
  const hint = form.get("login_hint");
  if (decisions === undefined) {
    if (testUser.always === "decline") throw declined("access_denied");
    if (testUser.always === "approve") return finish(state, form, requested, target, testUser.choose(hint));
  } else if (decisions.get("decision") === "decline") {
    throw declined("access_denied");
  } else if (decisions.get("decision") === "approve") {
    const user = directory.users.find((user) => user.key === decisions.get("person"));
    if (user) return finish(state, form, requested, target, user);
  }
  return accountPage({
    action: `${request.path}?${request.query}`,
    returnOrigin: new URL(target.redirectUri).origin,
    application: requested.client,
    scopes: requested.request.graph,
    users: directory.users,
    chosen: testUser.choose(hint),
    error: decisions === undefined ? undefined : "Choose who signs in.",
  });
}

/** The user signed in to this browser, for `prompt=none`. @throws {EntraError} 50058 or 65001 */
function sessionOf(state: State, requested: SignInRequest): User {
  const { user } = state.browser;
  if (user === undefined) {
    const message = "A silent sign-in request was sent but no user is signed in.";
    throw new EntraError("login_required", 50058, message);
  }
  if (requested.request.graph.some((scope) => !state.consented.has(scope))) {
    const { message, number } = consentRequired(state);
    throw new EntraError("interaction_required", number, message, { suberror: "consent_required" });
  }
  return user;
}

/** Sends a code to the app after the user's approval. @throws {EntraError} when approval is not enough */
function finish(
  state: State,
  form: Form,
  requested: SignInRequest,
  target: RedirectTarget,
  chosen: User,
): ServiceResponse {
  // Unlike a device code, this flow reports every policy error to the app.
  const stop = state.user.stop && { ...state.user.stop, seenBy: "app" } as const;
  const outcome = approve(state.tenant.directory, requested, chosen, stop);
  if (outcome.kind === "refused") throw outcome.error;
  const { user } = outcome;
  state.browser.user = user;
  const code = state.authorizationCodes.issue({
    ...requested,
    user,
    redirectUri: target.redirectUri,
    nonce: form.get("nonce") ?? undefined,
  });
  return redirectToApp(target, {
    code,
    ...(form.get("client_info") === "1" ? { client_info: clientInfo(user) } : {}),
    session_state: crypto.randomUUID(),
  });
}

function errorFields(error: EntraError, request: ServiceRequest): Record<string, string> {
  const { error: code, error_description, error_uri } = describeError(error, request);
  const canceled: Record<string, string> = error.number === 65004 ? { error_subcode: "cancel" } : {};
  return { error: code, ...canceled, error_description, error_uri };
}

/** Redirects to the app with these fields. */
function redirectToApp(target: RedirectTarget, fields: Record<string, string>): ServiceResponse {
  const all = { ...fields, ...(target.state === null ? {} : { state: target.state }) };
  if (target.mode === "form_post") return formPostPage(target.redirectUri, all);
  const separator = target.mode === "fragment" ? "#" : target.redirectUri.includes("?") ? "&" : "?";
  const location = `${target.redirectUri}${separator}${new URLSearchParams(all)}`;
  return { status: 302, headers: { location, "cache-control": "no-store" }, body: "" };
}
