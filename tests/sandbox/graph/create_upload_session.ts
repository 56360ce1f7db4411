/** `{item}/createUploadSession` (PROTOCOL 7.1). */

import { shortTime } from "../drive_item_json.ts";
import { jsonResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound, notImplemented } from "../service_error.ts";
import type { State } from "../state.ts";
import type { SessionRequest, UploadSession } from "../storage/upload_sessions.ts";
import type { Drive } from "../tenant/drive.ts";
import { eTagOf } from "../tenant/item.ts";
import { nameKey } from "../tenant/names.ts";
import { mayWriteDrive } from "./authorization.ts";
import { CONFLICT_KEYS, conflictBehavior } from "./conflict_behavior.ts";
import { readFileSystemInfo } from "./file_system_info.ts";
import { authorOf, checkIfMatch, contextUrl, type GraphRequest, readJson } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

/** Documented for personal OneDrive only (DIUP), or in an example that fails on SharePoint (docs#21770). */
const PERSONAL_ONLY = ["description", "fileSize", "@odata.type"];
/** Known to be refused (docs#10585, docs#14819, PROTOCOL U4). */
const REFUSED = [...PERSONAL_ONLY, "size"];

export async function createUploadSession(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
): Promise<ServiceResponse> {
  mayWriteDrive(request.caller, address.drive);
  const body = await readJson(request.http, "allowed");
  // With verbose OData the service responds with 200 and an error in the body (api-docs#465, PROTOCOL E2).
  if ((request.http.headers["accept"] ?? "").includes("odata=verbose")) {
    const message = "The media type 'application/json;odata=verbose' is not supported.";
    return jsonResponse(200, { error: { code: "notSupported", message } });
  }
  const { parent, name } = placeOf(address);
  const wanted = readItem(body["item"], name, address.drive);
  checkIfMatch(request.http, address.item);
  const { replaces } = address.drive.nameForFile(parent, name, wanted.conflict);
  const { item } = address;
  const ifMatch = request.http.headers["if-match"] !== undefined && item
    ? { item, eTag: eTagOf(item) }
    : undefined;
  const session = state.sessions.create({
    ...wanted,
    itemGuid: replaces?.guid ?? crypto.randomUUID(),
    drive: address.drive,
    parent,
    name,
    deferCommit: body["deferCommit"] === true,
    author: authorOf(state, request),
    ifMatch,
  }, state.tenant.store);
  // Creating the session changes the eTag of the file it will replace (api-docs#1716, PROTOCOL U17).
  if (item && !address.drive.info.olderForms) item.eTagVersion++;
  session.uploadUrl = uploadUrl(state, session);
  return jsonResponse(200, {
    "@odata.context": contextUrl(state, "microsoft.graph.uploadSession"),
    expirationDateTime: shortTime(new Date(session.expires)),
    nextExpectedRanges: ["0-"],
    uploadUrl: session.uploadUrl,
  });
}

function placeOf(address: ItemAddress): Pick<SessionRequest, "parent" | "name"> {
  const { item, folder, missing } = address;
  if (item) {
    // A folder id alone does not name a file (PROTOCOL U26).
    if (!address.byPath && item.kind !== "file") throw invalidRequest("File name not provided in url");
    return { parent: item.parent!, name: item.name };
  }
  // Unlike a simple PUT, a session creates no parent folders (api-docs#364).
  if (missing.length !== 1 || folder.kind !== "folder") throw itemNotFound();
  return { parent: folder, name: missing[0]! };
}

/** Only properties inside `item` count; others have no effect (OpenFn/adaptors#1761, PROTOCOL U2). */
function readItem(
  item: unknown,
  name: string,
  drive: Drive,
): Pick<SessionRequest, "conflict" | "description" | "fileSystemInfo"> {
  if (item === undefined) return { conflict: "replace", description: undefined, fileSystemInfo: {} };
  if (typeof item !== "object" || item === null) {
    throw invalidRequest("The property 'item' is not an object.");
  }
  const properties = item as Record<string, unknown>;
  const keys = Object.keys(properties);
  const known = [
    ...CONFLICT_KEYS,
    "name",
    "fileSystemInfo",
    ...(drive.cid === undefined ? [] : PERSONAL_ONLY),
  ];
  for (const key of keys.filter((key) => !known.includes(key))) {
    if (REFUSED.includes(key)) {
      throw invalidRequest(`The property '${key}' is not allowed in an upload session.`);
    }
    throw notImplemented(`'${key}' of an upload session`, "api/driveitem-createuploadsession");
  }
  if (typeof properties["fileSize"] === "number") drive.reserve(properties["fileSize"]);
  // The annotation must precede fileSystemInfo (python-o365, drive.py).
  const conflictAt = keys.findIndex((key) => CONFLICT_KEYS.includes(key));
  if (keys.includes("fileSystemInfo") && conflictAt > keys.indexOf("fileSystemInfo")) {
    throw invalidRequest("An annotation must precede the properties it applies to.");
  }
  if (properties["name"] !== undefined && nameKey(String(properties["name"])) !== nameKey(name)) {
    throw invalidRequest("Name specified in the path doesn't match the name in the item.");
  }
  return {
    // Documented default: "fail"; actual default: "replace" (contrib#300, PROTOCOL U1).
    conflict: conflictBehavior(properties, "replace"),
    description: properties["description"] === undefined ? undefined : String(properties["description"]),
    fileSystemInfo: properties["fileSystemInfo"] === undefined
      ? {}
      : readFileSystemInfo(properties["fileSystemInfo"]),
  };
}

/**
 * Names the item that the file is or will be, earlier the folder and a staging file (PROTOCOL 7.1e). The quotes are
 * deliberate: the URL parser behind fetch turns them into %27 (PROTOCOL D4).
 */
function uploadUrl(state: State, session: UploadSession): string {
  const { drive, parent, guid, itemGuid } = session;
  const { site, olderForms } = drive.info;
  const itemId = olderForms ? parent.id : drive.idOf(itemGuid);
  const path = `${site.path}/_api/v2.0/drives/${drive.id}/items/${itemId}/uploadSession`;
  const staging = encodeURIComponent(`~tmp${guid.slice(0, 2).toUpperCase()}_${session.name}`);
  const overwrite = session.conflict === "replace" ? "True" : "False";
  const rename = session.conflict === "rename" ? "True" : "False";
  const query = `guid='${guid}'${olderForms ? `&path='${staging}'` : ""}` +
    `&overwrite=${overwrite}&rename=${rename}&dc=0&tempauth=`;
  const grant = { use: "upload", driveId: drive.id, subject: guid } as const;
  const origin = state.origins.storage(site);
  return state.signer.sign(origin, path, query, grant, state.settings.uploadUrlLifeSeconds);
}
