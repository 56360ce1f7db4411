/** Entra ID: sign-in by device code, tokens, discovery, and the page where a person types the code. */

import { type Answer, type Call, jsonAnswer } from "../message.ts";
import type { State } from "../state.ts";
import { deviceLoginPage } from "./device_login_page.ts";
import { instanceDiscovery, openidConfiguration } from "./discovery.ts";
import { redeem, startDeviceCode } from "./endpoints.ts";
import { EntraError, entraErrorAnswer } from "./entra_error.ts";

/** Answers one request to the login host. */
export async function loginService(state: State, call: Call): Promise<Answer> {
  try {
    const answer = await route(state, call);
    answer.headers["x-ms-request-id"] = crypto.randomUUID();
    return answer;
  } catch (error) {
    if (!(error instanceof EntraError)) throw error;
    return entraErrorAnswer(error, call);
  }
}

async function route(state: State, call: Call): Promise<Answer> {
  if (call.path === "/devicelogin") return await deviceLoginPage(state, call);
  const [, tenant = "", ...rest] = call.path.split("/").map(decodeURIComponent);
  const endpoint = rest.join("/");
  switch (`${call.method} ${endpoint}`) {
    case "GET discovery/instance":
      return instanceDiscovery(state);
    case "GET v2.0/.well-known/openid-configuration":
      checkTenant(state, tenant);
      return openidConfiguration(state);
    case "POST oauth2/v2.0/devicecode":
      checkTenant(state, tenant);
      return startDeviceCode(state, await readForm(call));
    case "POST oauth2/v2.0/token":
      checkTenant(state, tenant);
      return redeem(state, await readForm(call));
    default:
      return jsonAnswer(404, {
        error: "not_found",
        error_description: `The sandbox has no ${call.method} ${call.path}`,
      });
  }
}

function checkTenant(state: State, tenant: string): void {
  const { tenantId, domains, application } = state.tenant.directory;
  const name = tenant.toLowerCase();
  if (name === tenantId || domains.includes(name)) return;
  if (name === "common" || name === "organizations") {
    const message =
      `Application '${application.id}'(${application.displayName}) is not configured as a multi-tenant ` +
      `application. Usage of the /${name} endpoint is not supported for such apps. Use a tenant-specific endpoint.`;
    throw new EntraError("invalid_request", 50194, message);
  }
  if (name === "consumers") {
    const message =
      `Application '${application.id}'(${application.displayName}) is configured for use by Azure Active ` +
      "Directory users only. Please do not use the /consumers endpoint to serve this request.";
    throw new EntraError("invalid_request", 9002332, message);
  }
  const message =
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing ` +
    "into the correct cloud. Check with your subscription administrator.";
  throw new EntraError("invalid_tenant", 90002, message);
}

async function readForm(call: Call): Promise<URLSearchParams> {
  const type = call.headers["content-type"] ?? "";
  const text = await call.body.text();
  if (!type.toLowerCase().startsWith("application/x-www-form-urlencoded")) {
    const message = "The request body must be of type application/x-www-form-urlencoded.";
    throw new EntraError("invalid_request", 900561, message);
  }
  const form = new URLSearchParams(text);
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) {
      throw new EntraError(
        "invalid_request",
        9000411,
        `The request is not properly formatted. The parameter '${name}' is duplicated.`,
      );
    }
  }
  return form;
}
