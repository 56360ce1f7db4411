/** Client identification and authentication. */

import { Buffer } from "node:buffer";
import type { ServiceRequest } from "../messages.ts";
import type { State } from "../state.ts";
import type { Application } from "../tenant/directory.ts";
import { type Authority, checkAudience, unknownApplication } from "./authorities.ts";
import { checkAssertion } from "./client_assertion.ts";
import { serverTime } from "./clock.ts";
import { EntraError } from "./entra_error.ts";
import { missingParameter } from "./scopes.ts";
import { AppOnlyClient } from "./app_only_client.ts";

/** A form body or query; each parameter occurs at most once. */
export type Form = URLSearchParams;

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/** An app behind a gateway uses the real service as its audience (PROTOCOL 12). */
const CLOUD_LOGIN_ORIGINS = [
  "https://login.microsoftonline.com",
  "https://login.microsoftonline.us",
  "https://login.partner.microsoftonline.cn",
  "https://login.chinacloudapi.cn",
];

/** The app named by a request. @throws {EntraError} when it may not use this authority */
export function clientOf(state: State, authority: Authority, form: Form): Application {
  const clientId = required(form, "client_id");
  const { directory } = state.tenant;
  const tenantId = authority.kind === "tenant" ? authority.tenantId : directory.tenantId;
  if (clientId.toLowerCase() === directory.application.id) {
    checkAudience(directory, state.settings, authority);
    return directory.application;
  }
  if (clientId.toLowerCase() !== state.app.id || tenantId !== directory.tenantId) {
    throw unknownApplication(clientId, tenantId);
  }
  return state.app;
}

/** A public client must not send a credential. @throws {EntraError} 700025 */
export function rejectCredentials(client: Application, form: Form): void {
  if (client instanceof AppOnlyClient || (!form.has("client_secret") && !form.has("client_assertion"))) {
    return;
  }
  const message = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
  throw new EntraError("invalid_client", 700025, message, { status: 401 });
}

/** Authenticates the app that redeems a user's code or token; public clients only where they are allowed. */
export function authenticateClient(state: State, client: Application, form: Form, tenant: string): void {
  rejectCredentials(client, form);
  if (client instanceof AppOnlyClient) return authenticateApp(state, client, form, tenant);
  if (!state.settings.publicClientFlows) throw credentialMissing();
}

/** Authenticates a confidential client. @throws {EntraError} 7000218 without a credential */
export function authenticateApp(state: State, app: AppOnlyClient, form: Form, tenant: string): void {
  const secret = form.get("client_secret");
  const assertion = form.get("client_assertion");
  if (secret !== null && secret !== "") return app.checkSecret(secret);
  if (assertion === null || assertion === "") throw credentialMissing();
  if (required(form, "client_assertion_type") !== ASSERTION_TYPE) throw credentialMissing();
  const { tenantId, domains } = state.tenant.directory;
  const origins = [state.origins.login, ...CLOUD_LOGIN_ORIGINS];
  const names = [tenantId, ...domains, tenant.toLowerCase()];
  const audiences = origins.flatMap((origin) =>
    names.flatMap((name) => [`${origin}/${name}/oauth2/v2.0/token`, `${origin}/${name}/v2.0`])
  );
  checkAssertion(app, assertion, { audiences, now: serverTime(state.settings) });
}

/** Reported only after the user has signed in (PROTOCOL A1). */
function credentialMissing(): EntraError {
  const message =
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
  return new EntraError("invalid_client", 7000218, message, { status: 401 });
}

/** Adds a client id and secret sent as HTTP Basic (RFC 6749 section 2.3.1). */
export function withBasicCredentials(request: ServiceRequest, form: Form): Form {
  const encoded = /^Basic (\S+)$/i.exec(request.headers["authorization"] ?? "")?.[1];
  if (encoded === undefined) return form;
  const [, id, secret] = /^([^:]*):(.*)$/.exec(Buffer.from(encoded, "base64").toString()) ?? [];
  if (id === undefined || secret === undefined) return form;
  const complete = new URLSearchParams(form);
  // Both are form-encoded, so they may contain colons.
  const decode = (text: string) => new URLSearchParams(`text=${text.replaceAll("&", "%26")}`).get("text")!;
  complete.set("client_id", decode(id));
  complete.set("client_secret", decode(secret));
  return complete;
}

/** A required parameter. @throws {EntraError} 900144 */
export function required(form: Form, name: string): string {
  const value = form.get(name);
  if (value === null || value === "") throw missingParameter(name);
  return value;
}
