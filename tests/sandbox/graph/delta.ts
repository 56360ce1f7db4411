/** `{folder}/delta`: the current state of a drive or folder, and then its changes (PROTOCOL 4.2). */

import { Buffer } from "node:buffer";
import { driveItemJson } from "../drive_item_json.ts";
import { jsonResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound, notImplemented, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Change, Changes } from "../tenant/changes.ts";
import { cTagOf, type Item } from "../tenant/item.ts";
import { mayReadDrive } from "./authorization.ts";
import { DRIVE_ITEM_PROPERTIES } from "./drive_item_properties.ts";
import { pageSize } from "./paging.ts";
import { allowOptions, pick, selected } from "./query.ts";
import { contextUrl, type GraphRequest } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

type Json = Record<string, unknown>;

/** Where an enumeration stands. */
interface Position {
  readonly since: number;
  /** The count of changes when it began, after which the next one continues; undefined before it begins. */
  readonly upTo: number | undefined;
  /** The place of the last item of the page before. */
  readonly after: number;
}

/** A page of changes, with a link to the next page or to later changes. */
export function readDelta(
  state: State,
  request: GraphRequest,
  { drive, item: scope }: ItemAddress,
  argument: string | undefined,
): ServiceResponse {
  mayReadDrive(request.caller, drive);
  allowOptions(request.query, "$select", "$top");
  if (!scope) throw itemNotFound();
  if (scope.kind !== "folder") throw invalidRequest("Only a folder has a delta.");
  const { changes } = drive;
  const token = argument ?? request.query.get("token");
  const link = (position: Position) => linkTo(state, request, changes, position);
  const { since, upTo = changes.count, after } = token === "latest"
    ? { since: changes.count, after: Infinity }
    : readToken(token, changes, link);
  const names = selected(request.query, DRIVE_ITEM_PROPERTIES, "microsoft.graph.driveItem");
  const { deltaexcludeparent, prefer = "" } = request.http.headers;
  const excludeParents = deltaexcludeparent !== undefined || /\bdeltaExcludeParent\b/i.test(prefer);
  const all = changes.read({ scope, since, after, excludeParents });
  const page = all.slice(0, pageSize(request.query.get("$top")));
  return jsonResponse(200, {
    "@odata.context": contextUrl(
      state,
      `Collection(${drive.cid === undefined ? "" : "microsoft.graph."}driveItem)`,
    ),
    ...(page.length < all.length
      ? { "@odata.nextLink": link({ since, upTo, after: page.at(-1)!.place }) }
      : { "@odata.deltaLink": link({ since: upTo, upTo: undefined, after: 0 }) }),
    value: page.map((change) => pick(changeJson(state, change, names), names)),
  });
}

function readToken(token: string | undefined, changes: Changes, link: (start: Position) => string): Position {
  if (token === undefined) return { since: 0, upTo: undefined, after: 0 };
  if (/^\d{4}-\d\d-\d\dT/.test(token)) throw notImplemented("delta from a time", "api/driveitem-delta");
  const [, epoch, since, upTo, after] =
    /^([\w-]{36});(\d+);(\d*);(\d+)$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (epoch === undefined) throw invalidRequest("The delta token is not valid.");
  if (epoch !== changes.epoch) {
    throw new ServiceError(410, "resyncRequired", "Resync required.", {
      innerCode: "resyncChangesApplyDifferences",
      headers: { location: link({ since: 0, upTo: changes.count, after: 0 }) },
    });
  }
  return { since: Number(since), upTo: upTo === "" ? undefined : Number(upTo), after: Number(after) };
}

/** The address of the request with another token. */
function linkTo(state: State, { http }: GraphRequest, changes: Changes, position: Position): string {
  const { since, upTo = "", after } = position;
  const token = Buffer.from(`${changes.epoch};${since};${upTo};${after}`).toString("base64url");
  const options = http.query.split("&").filter((option) => option !== "" && !option.startsWith("token="));
  const path = http.path.replace(/\([^()]*\)$/, "");
  return `${state.origins.graph}${path}?${[...options, `token=${token}`].join("&")}`;
}

function changeJson(state: State, { item, gone }: Change, names: string[] | undefined): Json {
  if (gone) return goneJson(state, item);
  const { cTag, parentReference, ...json } = driveItemJson(
    state,
    item,
    (property) => names?.includes(property) === true,
  );
  const { path, name: _, ...parent } = (parentReference ?? {}) as Json;
  // Business has no path, since what is below a renamed folder is not reported, but clients have relied on one.
  const isPersonal = item.drive.cid !== undefined;
  const hasPath = path !== undefined && (isPersonal || item.drive.info.olderForms);
  return {
    ...json,
    ...(isPersonal && cTag !== undefined ? { cTag } : {}),
    ...(parentReference === undefined ? {} : { parentReference: hasPath ? { ...parent, path } : parent }),
  };
}

/** Without a name; a file has the hash of nothing (recorded 2026). */
function goneJson(state: State, item: Item): Json {
  const { parentReference } = driveItemJson(state, item, () => false);
  const { path: _path, name: _name, ...parent } = parentReference as Json;
  return {
    id: item.id,
    ...(item.drive.cid === undefined ? {} : { cTag: cTagOf(item) }),
    size: 0,
    parentReference: parent,
    deleted: { state: "deleted" },
    ...(item.kind === "folder" ? { folder: { childCount: 0 } } : {}),
    ...(item.kind === "file" ? { file: { hashes: { quickXorHash: "A".repeat(27) + "=" } } } : {}),
    fileSystemInfo: {},
  };
}
