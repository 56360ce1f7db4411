/** Entra ID: sign-in by device code, in the browser, or by an app itself; tokens, discovery, and the pages. */

import { jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import type { State } from "../state.ts";
import { authorityOf } from "./authorities.ts";
import { authorize } from "./authorize.ts";
import { withBasicCredentials } from "./clients.ts";
import { deviceLoginPage } from "./device_login_page.ts";
import { instanceDiscovery, openidConfiguration } from "./discovery.ts";
import { redeem, startDeviceCode } from "./endpoints.ts";
import { EntraError, entraErrorResponse } from "./entra_error.ts";

/** Answers one request to the login host. */
export async function loginService(state: State, call: ServiceRequest): Promise<ServiceResponse> {
  try {
    const answer = await route(state, call);
    answer.headers["x-ms-request-id"] = crypto.randomUUID();
    return answer;
  } catch (error) {
    if (!(error instanceof EntraError)) throw error;
    return entraErrorResponse(error, call);
  }
}

async function route(state: State, call: ServiceRequest): Promise<ServiceResponse> {
  if (call.path === "/devicelogin" || call.path === "/link") return await deviceLoginPage(state, call);
  const [, tenant = "", ...rest] = call.path.split("/").map(decodeURIComponent);
  const endpoint = rest.join("/");
  const at = () => authorityOf(state.tenant.directory, tenant);
  switch (`${call.method} ${endpoint}`) {
    case "GET discovery/instance":
      return instanceDiscovery(state);
    case "GET v2.0/.well-known/openid-configuration":
      return openidConfiguration(state, at());
    case "GET oauth2/v2.0/authorize":
    case "POST oauth2/v2.0/authorize":
      return await authorize(state, call, at());
    case "POST oauth2/v2.0/devicecode":
      return startDeviceCode(state, { authority: at(), tenant, form: await readForm(call) });
    case "POST oauth2/v2.0/token": {
      const form = withBasicCredentials(call, await readForm(call));
      return redeem(state, { authority: at(), tenant, form });
    }
    default:
      return jsonResponse(404, {
        error: "not_found",
        error_description: `The sandbox has no ${call.method} ${call.path}`,
      });
  }
}

async function readForm(call: ServiceRequest): Promise<URLSearchParams> {
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
