/** Cross-origin requests of scripts in web pages (PROTOCOL 8f). */

import { emptyResponse, type ServiceRequest, type ServiceResponse } from "./messages.ts";

const EXPOSED = "ETag, Location, Preference-Applied, Content-Range, request-id, client-request-id, " +
  "ReadWriteConsistencyToken, Retry-After, SdkVersion, WWW-Authenticate, x-ms-client-gcc-tenant";

/** The response to a preflight request, which has no token; undefined for other requests. */
export function preflightResponse({ method, headers }: ServiceRequest): ServiceResponse | undefined {
  const wanted = headers["access-control-request-method"];
  if (method !== "OPTIONS" || headers["origin"] === undefined || wanted === undefined) return undefined;
  const names = headers["access-control-request-headers"];
  return emptyResponse(200, {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": wanted,
    ...(names === undefined ? {} : { "access-control-allow-headers": names }),
    "access-control-max-age": "3600",
  });
}

/** Lets pages of any origin read the response. */
export function allowOrigin(request: ServiceRequest, response: ServiceResponse): void {
  if (request.headers["origin"] === undefined) return;
  response.headers["access-control-allow-origin"] = "*";
  response.headers["access-control-expose-headers"] = EXPOSED;
}
