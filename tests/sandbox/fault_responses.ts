/** The default error bodies of each service, used when a fault rule gives no body (PROTOCOL 8 and 9). */

import { jsonResponse, type Service, type ServiceRequest, type ServiceResponse } from "./messages.ts";
import type { FaultRule } from "./faults.ts";

const GRAPH_ERRORS: Record<number, { code: string; inner?: string; message: string }> = {
  400: { code: "invalidRequest", message: "Invalid request" },
  401: { code: "InvalidAuthenticationToken", message: "Lifetime validation failed, the token is expired." },
  403: { code: "accessDenied", message: "Access denied" },
  404: { code: "itemNotFound", message: "The resource could not be found." },
  409: { code: "nameAlreadyExists", message: "Name already exists" },
  410: { code: "resyncRequired", message: "Resync required." },
  412: {
    code: "resourceModified",
    inner: "entityTagDoesNotMatch",
    message: "ETag does not match current item's value",
  },
  416: {
    code: "invalidRange",
    inner: "fragmentOverlap",
    message: "The uploaded fragment overlaps with existing data.",
  },
  423: {
    code: "notAllowed",
    inner: "resourceLocked",
    message: "The resource you are attempting to access is locked",
  },
  429: { code: "activityLimitReached", inner: "throttledRequest", message: "The request has been throttled" },
  500: { code: "generalException", message: "General exception while processing" },
  502: { code: "UnknownError", message: "Bad gateway" },
  503: { code: "serviceNotAvailable", message: "Server Too Busy" },
  504: { code: "UnknownError", message: "Gateway timeout" },
  507: { code: "quotaLimitReached", message: "Insufficient Space Available" },
  509: { code: "activityLimitReached", message: "Bandwidth limit exceeded" },
};

/** The response that a rule describes. */
export function faultResponse(
  rule: FaultRule & { status: number },
  request: ServiceRequest,
): ServiceResponse {
  const headers = faultHeaders(rule);
  const given: unknown = typeof rule.body === "function" ? rule.body(request) : rule.body;
  if (typeof given === "string") {
    const type = /^\s*<(!doctype|html)/i.test(given) ? "text/html" : "text/plain";
    return {
      status: rule.status,
      headers: { "content-type": `${type}; charset=utf-8`, ...headers },
      body: given,
    };
  }
  if (given === undefined && rule.status < 400) return { status: rule.status, headers, body: "" };
  // The service adds its request-id to its own errors; gateways do not.
  const isOwn = given === undefined && request.service !== "login";
  const own: Record<string, string> = isOwn ? { "request-id": crypto.randomUUID() } : {};
  return jsonResponse(rule.status, given ?? defaultBody(rule.status, request.service), {
    ...own,
    ...headers,
  });
}

/** The headers of a rule, with lower-case names. */
export function faultHeaders(rule: FaultRule): Record<string, string> {
  const headers = typeof rule.headers === "function" ? rule.headers() : rule.headers ?? {};
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function defaultBody(status: number, service: Service): unknown {
  const known = GRAPH_ERRORS[status] ?? { code: "generalException", message: `Status ${status}` };
  if (service === "login") {
    const transient = status === 429 || status >= 500;
    return {
      error: transient ? "temporarily_unavailable" : "invalid_request",
      error_description: transient
        ? "AADSTS90033: A transient error has occurred. Please try again."
        : known.message,
      error_codes: transient ? [90033] : [],
    };
  }
  const inner = known.inner === undefined ? {} : { code: known.inner };
  const key = service === "graph" ? "innerError" : "innererror";
  const code = service === "storage" && status === 401 ? "unauthenticated" : known.code;
  return { error: { code, message: known.message, [key]: inner } };
}

/** Applies a JSON merge patch to a response (RFC 7396). */
export function patchResponse(response: ServiceResponse, patch: Record<string, unknown>): ServiceResponse {
  if (typeof response.body !== "string" || response.body === "") return response;
  return { ...response, body: JSON.stringify(mergePatch(JSON.parse(response.body), patch)) };
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
