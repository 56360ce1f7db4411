/** A Graph request as its handlers get it, and the response shapes they share. */

import { jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import { invalidRequest, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { type Author, cTagOf, eTagOf, type Item } from "../tenant/item.ts";
import type { Caller } from "./authorization.ts";
import type { Query } from "./query.ts";

export interface GraphRequest {
  readonly http: ServiceRequest;
  readonly caller: Caller;
  readonly query: Query;
}

type Json = Record<string, unknown>;

/** The user and app, or the app alone, as `createdBy` shows them. */
export function authorOf(_state: State, request: GraphRequest): Author {
  const { user, application } = request.caller;
  return { ...(user ? { user } : {}), application };
}

export function entityResponse(
  state: State,
  status: number,
  set: string,
  entity: Json,
  headers = {},
): ServiceResponse {
  return jsonResponse(status, { "@odata.context": contextUrl(state, `${set}/$entity`), ...entity }, headers);
}

/** A collection, or a page of one. */
export function collectionResponse(
  state: State,
  set: string,
  value: readonly Json[],
  links: Record<string, string> = {},
): ServiceResponse {
  return jsonResponse(200, { "@odata.context": contextUrl(state, set), ...links, value });
}

/** `{graph}/v1.0/$metadata#…` */
export function contextUrl(state: State, set: string): string {
  return `${state.origins.graph}/v1.0/$metadata#${set}`;
}

/** Parses the body as a JSON object; an empty body is `{}` if allowed. */
export async function readJson(request: ServiceRequest, empty: "allowed" | "refused"): Promise<Json> {
  requireLength(request);
  const text = await request.body.text();
  if (text === "" && empty === "allowed") return {};
  if (!isJson(request)) {
    throw new ServiceError(
      400,
      "BadRequest",
      "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
    );
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Json;
  } catch { /* reported below */ }
  throw new ServiceError(400, "BadRequest", "Unable to read JSON request payload.");
}

/** Whether the request declares a JSON body. */
export function isJson(request: ServiceRequest): boolean {
  return (request.headers["content-type"] ?? "").toLowerCase().startsWith("application/json");
}

/** The front end rejects an empty POST without Content-Length: 0, with HTML (docs PR 2262, api-docs#549). */
export function requireLength(request: ServiceRequest): void {
  if (request.body.declaredLength === undefined && !request.body.chunked) throw new LengthRequired();
}

/** Reported as an HTML page: a client must not assume JSON. */
export class LengthRequired extends Error {
  override name = "LengthRequired";
}

/** Compares If-Match with the eTag or cTag of the item. @throws {ServiceError} 412, or 400 for an unquoted tag */
export function checkIfMatch(request: ServiceRequest, item: Item | undefined): void {
  const header = request.headers["if-match"];
  if (header === undefined) return;
  if (item !== undefined && (header === "*" || tagsOf(item).includes(header))) return;
  // Tags of a personal OneDrive are unquoted.
  if (header !== "*" && item?.drive.cid === undefined && !/^(W\/)?"[^]*"$/.test(header)) {
    throw invalidRequest("The entity tag is malformed.", "malformedEntityTag");
  }
  const message = "ETag does not match current item's value";
  throw new ServiceError(412, "resourceModified", message, { innerCode: "entityTagDoesNotMatch" });
}

/** Whether If-None-Match contains the current eTag or cTag of the item. */
export function unchanged(request: ServiceRequest, item: Item): boolean {
  const header = request.headers["if-none-match"];
  return header !== undefined && tagsOf(item).includes(header);
}

function tagsOf(item: Item): string[] {
  const tags = [eTagOf(item), cTagOf(item)];
  return item.drive.cid === undefined ? tags : [...tags, ...tags.map((tag) => `"${tag}"`)];
}
