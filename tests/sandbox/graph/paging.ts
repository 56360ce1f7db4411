/** Pages of a collection, with links that must come back unaltered (PROTOCOL 4.1b). */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { invalidRequest } from "../service_error.ts";
import type { State } from "../state.ts";
import type { GraphRequest } from "./request.ts";

export const DEFAULT_PAGE = 200;
/** A larger `$top` is silently lowered (api-docs#691, PROTOCOL L8). */
const MAX_PAGE = 1000;
/** Stands for the first page in a skip token. */
const FROM_THE_START = "start";
const skipTokenKey = randomBytes(32);

/** What has an id, by which a page continues. */
interface Entity {
  readonly id: string;
}

/** The page of `all` that a request asks for, and the link to the next one. */
export function pageOf<T extends Entity>(
  state: State,
  request: GraphRequest,
  all: readonly T[],
): { page: T[]; links: Record<string, string> } {
  const start = startOf(request, all);
  const isFirst = request.query.get("$skiptoken") === undefined;
  const empty = isFirst && state.tenant.behavior.emptyFirstPage;
  const page = all.slice(start, start + (empty ? 0 : pageSize(request.query.get("$top"))));
  if (start + page.length >= all.length) return { page, links: {} };
  const target = withoutSkipToken(request.http.target);
  return { page, links: { "@odata.nextLink": linkAfter(state, target, page.at(-1)?.id ?? FROM_THE_START) } };
}

/** A link to what follows an item: its token is valid with this target only. */
export function linkAfter(state: State, target: string, last: string): string {
  const place = Buffer.from(last).toString("base64url");
  const separator = target.includes("?") ? "&" : "?";
  return `${state.origins.graph}${target}${separator}$skiptoken=${place}.${sign(target, place)}`;
}

/** The number of items of a page. @throws {ServiceError} 400 */
export function pageSize(top: string | undefined): number {
  if (top === undefined) return DEFAULT_PAGE;
  if (!/^[1-9]\d{0,8}$/.test(top)) throw invalidRequest(`Invalid value for $top: '${top}'.`);
  return Math.min(Number(top), MAX_PAGE);
}

function startOf(request: GraphRequest, all: readonly Entity[]): number {
  const token = request.query.get("$skiptoken") ?? request.query.get("$skipToken");
  if (token === undefined) return 0;
  const [place = "", signature] = token.split(".");
  if (signature !== sign(withoutSkipToken(request.http.target), place)) {
    throw invalidRequest("The skip token is not valid.");
  }
  const last = Buffer.from(place, "base64url").toString();
  if (last === FROM_THE_START) return 0;
  const index = all.findIndex((item) => item.id === last);
  // The item was deleted between two pages.
  if (index < 0) throw invalidRequest("The skip token is no longer valid.");
  return index + 1;
}

function withoutSkipToken(target: string): string {
  return target.replace(/[?&](\$|%24)?skip[tT]oken=[^&]*/, "");
}

function sign(target: string, place: string): string {
  return createHmac("sha256", skipTokenKey).update(`${target}\n${place}`).digest("base64url").slice(0, 22);
}
