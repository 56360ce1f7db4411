/** Entra ID: device code, browser and app-only sign-in, tokens, discovery and pages. */

import { jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import { notImplemented, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { authorityOf } from "./authorities.ts";
import { authorize } from "./authorize.ts";
import { withBasicCredentials } from "./clients.ts";
import { deviceLoginPage } from "./device_login_page.ts";
import { instanceDiscovery, openidConfiguration } from "./discovery.ts";
import { redeem, startDeviceCode } from "./endpoints.ts";
import { EntraError, entraErrorResponse } from "./entra_error.ts";

const PAGE = "https://learn.microsoft.com/entra/identity-platform/v2-protocols";

export async function loginService(state: State, request: ServiceRequest): Promise<ServiceResponse> {
  try {
    const response = await route(state, request);
    response.headers["x-ms-request-id"] = crypto.randomUUID();
    return response;
  } catch (error) {
    if (error instanceof EntraError) return entraErrorResponse(error, request);
    if (!(error instanceof ServiceError)) throw error;
    return jsonResponse(error.status, { error: error.code, error_description: error.message });
  }
}

async function route(state: State, request: ServiceRequest): Promise<ServiceResponse> {
  if (request.path === "/devicelogin" || request.path === "/link") {
    return await deviceLoginPage(state, request);
  }
  const [, tenant = "", ...rest] = request.path.split("/").map(decodeURIComponent);
  const endpoint = rest.join("/");
  const authority = () => authorityOf(state.tenant.directory, tenant);
  switch (`${request.method} ${endpoint}`) {
    case "GET discovery/instance":
      return instanceDiscovery(state);
    case "GET v2.0/.well-known/openid-configuration":
      return openidConfiguration(state, authority());
    case "GET oauth2/v2.0/authorize":
    case "POST oauth2/v2.0/authorize":
      return await authorize(state, request, authority());
    case "POST oauth2/v2.0/devicecode":
      return startDeviceCode(state, { authority: authority(), tenant, form: await readForm(request) });
    case "POST oauth2/v2.0/token": {
      const form = withBasicCredentials(request, await readForm(request));
      return redeem(state, { authority: authority(), tenant, form });
    }
    default:
      throw notImplemented(`${request.method} of '${request.path}'`, PAGE);
  }
}

async function readForm(request: ServiceRequest): Promise<URLSearchParams> {
  const type = request.headers["content-type"] ?? "";
  const text = await request.body.text();
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
