/** `{item}/content`: download redirects and single-request uploads (PROTOCOL 5 and 6). */

import { ConnectionLost, emptyResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound, notImplemented, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { downloadUrl } from "../storage/download.ts";
import { deleteFile, type Staging } from "../tenant/content_store.ts";
import type { ConflictBehavior } from "../tenant/drive.ts";
import type { Author, Item } from "../tenant/item.ts";
import { mayReadDrive, mayWriteDrive } from "./authorization.ts";
import { conflictBehavior } from "./conflict_behavior.ts";
import { itemResponse } from "./items.ts";
import { authorOf, checkIfMatch, type GraphRequest, requireLength, unchanged } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

/** The limit in SharePoint's own error message (rclone PR 4052, PROTOCOL U18). */
const MAX_CONTENT_BYTES = 262_144_000;

/** GET: redirects to a pre-authenticated URL; a Range header is ignored here and applies there. */
export function getContent(state: State, request: GraphRequest, address: ItemAddress): ServiceResponse {
  mayReadDrive(request.caller, address.drive);
  const { item } = address;
  if (!item) throw itemNotFound();
  if (request.query.has("format")) {
    throw notImplemented("conversions (format=…)", "api/driveitem-get-content-format");
  }
  // The response has no body (recorded 2025).
  if (item.kind === "folder") return emptyResponse(404, { "content-type": "application/octet-stream" });
  if (item.kind !== "file") throw invalidRequest(`You cannot get content for a ${item.kind}.`);
  if (unchanged(request.http, item)) return emptyResponse(304);
  const headers = { location: downloadUrl(state, item), "content-type": "application/octet-stream" };
  return emptyResponse(302, headers);
}

/** PUT: creates or replaces a file with the bytes of the body. */
export async function putContent(
  state: State,
  request: GraphRequest,
  address: ItemAddress,
): Promise<ServiceResponse> {
  mayWriteDrive(request.caller, address.drive);
  const { http } = request;
  const conflict = conflictBehavior(request.query, "replace");
  checkForm(request, address);
  const { parents, name } = placeOf(state, address);
  if (parents.length === 0) address.drive.nameForFile(folderFor(address), name, conflict);
  address.drive.reserve(http.body.declaredLength ?? 0);
  const author = authorOf(state, request);
  const staging = state.tenant.store.stage();
  try {
    await http.body.read((chunk) => {
      if (http.body.received > MAX_CONTENT_BYTES) throw contentTooLarge();
      staging.append(chunk);
    });
  } catch (error) {
    // Without a Content-Length the service cannot detect missing bytes and keeps the truncated file (docs#6818,
    // PROTOCOL U12).
    if (error instanceof ConnectionLost && http.body.chunked) {
      place(address, parents, name, staging, conflict, author);
    } else staging.discard();
    throw error;
  }
  const { item, created } = place(address, parents, name, staging, conflict, author);
  return await state.tenant.storedFile(item, () => itemResponse(state, item, undefined, created ? 201 : 200));
}

function checkForm(request: GraphRequest, address: ItemAddress): void {
  const { http } = request;
  requireLength(http);
  // rclone sends empty files without (PROTOCOL U19).
  if (http.headers["content-type"] === undefined && http.body.declaredLength !== 0) {
    const message = "Write requests (excluding DELETE) must contain the Content-Type header declaration.";
    throw new ServiceError(400, "BadRequest", message);
  }
  if ((http.body.declaredLength ?? 0) > MAX_CONTENT_BYTES) throw contentTooLarge();
  checkIfMatch(http, address.item);
}

function contentTooLarge(): ServiceError {
  const message = "The request message is too big. The server does not allow messages larger than " +
    `${MAX_CONTENT_BYTES} bytes.`;
  return new ServiceError(413, "-1, Microsoft.SharePoint.Client.InvalidClientQueryException", message);
}

/** The parent folders to create, and the file name. */
function placeOf(state: State, address: ItemAddress): { parents: readonly string[]; name: string } {
  const { item } = address;
  if (item) {
    if (item.kind === "folder" && !address.byPath) throw invalidRequest("A folder has no content.");
    return { parents: [], name: item.name };
  }
  const parents = address.missing.slice(0, -1);
  // Observed but undocumented (api-docs#364, #82).
  if (parents.length > 0 && !state.tenant.behavior.putCreatesParents) throw itemNotFound();
  if (address.folder.kind !== "folder") throw itemNotFound();
  return { parents, name: address.missing.at(-1)! };
}

function folderFor(address: ItemAddress): Item {
  return address.item?.parent ?? address.folder;
}

function place(
  address: ItemAddress,
  parents: readonly string[],
  name: string,
  staging: Staging,
  conflict: ConflictBehavior,
  author: Author,
): { item: Item; created: boolean } {
  const content = staging.finish();
  try {
    let folder = folderFor(address);
    for (const parent of parents) {
      const existing = folder.drive.walk([parent], folder).item;
      folder = existing ?? folder.drive.add("folder", folder, parent, { author });
    }
    return folder.drive.placeFile(folder, name, content, { conflict, author });
  } catch (error) {
    deleteFile(content.file);
    throw error;
  }
}
