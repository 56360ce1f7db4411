/** Headers of Graph's responses, and the form of its errors (PROTOCOL 8e, 9). */

import { jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import { itemNotFound, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { isPersonal } from "../tenant/directory.ts";
import { bearerToken } from "./authorization.ts";
import { LengthRequired } from "./request.ts";

const ODATA = ["odata.metadata=minimal", "odata.streaming=true", "IEEE754Compatible=false", "charset=utf-8"];
const DIAGNOSTIC = JSON.stringify({
  ServerInfo: {
    DataCenter: "Sandbox",
    Slice: "E",
    Ring: "3",
    ScaleUnit: "001",
    RoleInstance: "SANDBOX0001",
  },
});

/** Ids of one request, in headers and errors. */
export interface RequestIds {
  readonly "request-id": string;
  readonly "client-request-id": string;
}

/** Adds the headers of every response. Those to reads and writes differ a little (PROTOCOL 9f). */
export function addHeaders({ method }: ServiceRequest, response: ServiceResponse, ids: RequestIds): void {
  const isRead = method === "GET";
  const isError = response.status >= 400;
  Object.assign(response.headers, ids, {
    "x-ms-ags-diagnostic": DIAGNOSTIC,
    "cache-control": isRead && !isError ? "no-cache" : "no-store, no-cache",
    vary: "Accept-Encoding",
    splogid: crypto.randomUUID(),
    ...(isRead || isError ? {} : { "odata-version": "4.0" }),
  });
  const isHtml = (response.headers["content-type"] ?? "").startsWith("text/html");
  if (response.body === "" || isHtml) return;
  response.headers["content-type"] = isError && !isRead
    ? "application/json"
    : ["application/json", ...ODATA].join(isRead ? "; " : ";");
}

/** The response to an error. @throws what is no error of the service */
export function errorResponse(
  error: unknown,
  state: State,
  request: ServiceRequest,
  ids: RequestIds,
): ServiceResponse {
  if (error instanceof LengthRequired) {
    const body =
      "<!DOCTYPE html><html><head><title>Length Required</title></head><body><h2>Length Required</h2>" +
      "<p>HTTP Error 411. The request must be chunked or have a content length.</p></body></html>";
    return { status: 411, headers: { "content-type": "text/html; charset=us-ascii" }, body };
  }
  if (!(error instanceof ServiceError)) throw error;
  const isHidden = error.status === 403 && request.method === "GET" &&
    state.tenant.behavior.forbiddenAsNotFound;
  const { status, code, message, innerCode, headers, localizedMessage } = isHidden ? itemNotFound() : error;
  const inner = innerCode === undefined ? {} : { code: innerCode };
  const innerError = { ...inner, date: new Date().toISOString().slice(0, 19), ...ids };
  const isBare = innerCode === undefined && hasBareErrors(state, request, status);
  const body = {
    code,
    message,
    ...(localizedMessage === undefined ? {} : { localizedMessage }),
    ...(isBare ? {} : { innerError }),
  };
  return jsonResponse(status, { error: body }, headers);
}

/** On business, what is not found has no `innerError` (PROTOCOL 9b). */
function hasBareErrors(state: State, request: ServiceRequest, status: number): boolean {
  if (state.settings.olderForms || request.method !== "GET" || status !== 404) return false;
  const user = state.tokens.access(bearerToken(request) ?? "")?.user;
  return user === undefined || !isPersonal(user);
}
