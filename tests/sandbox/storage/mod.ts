/** The storage host: uploads, downloads and monitors by pre-authenticated URL; it rejects bearer tokens by default. */

import { allowOrigin, preflightResponse } from "../cors.ts";
import { jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import { notImplemented, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { download } from "./download.ts";
import { cancel, commit, progressResponse, receiveFragment } from "./fragments.ts";

const MONITOR_PAGE = "long-running-actions-overview";
const SHAREPOINT_PAGE = "/sharepoint/dev/sp-add-ins/get-to-know-the-sharepoint-rest-service";

export async function storageService(state: State, request: ServiceRequest): Promise<ServiceResponse> {
  const requestId = crypto.randomUUID();
  let response: ServiceResponse;
  // A page can read a download without a preflight request, and upload only with one (PROTOCOL 8f).
  const preflight = request.path.endsWith("/uploadSession") ? preflightResponse(request) : undefined;
  try {
    response = preflight ?? await route(state, request);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    response = errorResponse(error);
  }
  response.headers["sprequestguid"] = requestId;
  response.headers["request-id"] = requestId;
  response.headers["splogid"] = requestId;
  allowOrigin(request, response);
  return response;
}

async function route(state: State, request: ServiceRequest): Promise<ServiceResponse> {
  const path = /\/_api\/.*$/.exec(request.path)?.[0] ?? "";
  if (path !== "" && !/^\/_api\/v2\.0\/(?:monitor\/|.*\/uploadSession$)/.test(path)) {
    throw notImplemented(`${request.method} of SharePoint's own '${path}'`, SHAREPOINT_PAGE);
  }
  // Some front ends accept it, personal OneDrive never does; a client that sends it leaks its token (PROTOCOL D1,
  // U5).
  if (request.headers["authorization"] !== undefined && !state.settings.lenientStorage) {
    throw new ServiceError(401, "unauthenticated", "Authentication failed.");
  }
  if (request.path.endsWith("/_layouts/15/download.aspx")) {
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new ServiceError(405, "notAllowed", "Method not allowed.");
    }
    return download(state, request);
  }
  if (request.path.includes("/_api/v2.0/monitor/")) {
    if (request.method !== "GET") throw notImplemented(`${request.method} of a monitor`, MONITOR_PAGE);
    return await state.copies.report(state, request);
  }
  if (!request.path.endsWith("/uploadSession")) {
    throw notImplemented(`SharePoint's page '${request.path}'`, SHAREPOINT_PAGE);
  }
  const session = state.sessions.get(state.signer.check(request, "upload").subject);
  switch (request.method) {
    case "GET":
      return progressResponse(session, 200);
    case "PUT":
      return await receiveFragment(state, session, request);
    case "POST":
      return await commit(state, session);
    case "DELETE":
      return cancel(state, session);
    default:
      throw new ServiceError(405, "notAllowed", "Method not allowed.");
  }
}

/** Storage writes `innererror` and may put it before `code` (PROTOCOL 9). */
function errorResponse(error: ServiceError): ServiceResponse {
  const inner = error.innerCode === undefined ? {} : { innererror: { code: error.innerCode } };
  return jsonResponse(
    error.status,
    { error: { ...inner, code: error.code, message: error.message } },
    error.headers,
  );
}
