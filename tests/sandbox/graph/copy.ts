/** `{item}/copy`: accepted at once, reported by a monitor (PROTOCOL 14b). */

import { emptyResponse, type ServiceResponse } from "../messages.ts";
import { invalidRequest, itemNotFound, notImplemented } from "../service_error.ts";
import type { State } from "../state.ts";
import type { ContentStore } from "../tenant/content_store.ts";
import type { ConflictBehavior } from "../tenant/drive.ts";
import { type Author, isWithin, type Item } from "../tenant/item.ts";
import { mayReadDrive, mayWriteDrive } from "./authorization.ts";
import { conflictBehavior, unknownKey } from "./conflict_behavior.ts";
import { checkName, referencedFolder } from "./items.ts";
import { authorOf, type GraphRequest, readJson } from "./request.ts";
import type { ItemAddress } from "./resolve.ts";

/** The response has no body; its Location needs no token. */
export async function copyItem(
  state: State,
  request: GraphRequest,
  { drive, item }: ItemAddress,
): Promise<ServiceResponse> {
  mayReadDrive(request.caller, drive);
  if (!item) throw itemNotFound();
  const body = await readJson(request.http, "refused");
  const { name = item.name, parentReference } = body;
  const unknown = unknownKey(body, ["name", "parentReference"]);
  if (unknown !== undefined) throw notImplemented(`copy with '${unknown}'`, "api/driveitem-copy");
  checkName(item, name);
  const parent = targetFolder(state, item, parentReference);
  mayWriteDrive(request.caller, parent.drive);
  if (isWithin(parent, item)) throw invalidRequest("An item cannot be copied into itself.");
  // A personal OneDrive ignores it (PROTOCOL 14d).
  const asked = conflictBehavior(request.query, "fail");
  const options = {
    conflict: drive.cid === undefined ? asked : "fail",
    author: authorOf(state, request),
  } as const;
  const result = copyTree(state.tenant.store, item, parent, name as string, options);
  await Promise.allSettled([result]); // nothing is written after the sandbox has closed
  return emptyResponse(202, { location: state.copies.monitor(state, drive.info.site, result) });
}

function targetFolder(state: State, item: Item, reference: unknown): Item {
  if (reference !== undefined) return referencedFolder(state, item.drive, reference);
  if (item.parent) return item.parent;
  throw invalidRequest("The root of a drive cannot be copied without a parentReference.");
}

/** Copies an item with everything below it into a folder. @throws {ServiceError} 409, 507 */
async function copyTree(store: ContentStore, source: Item, parent: Item, name: string, options: {
  conflict: ConflictBehavior;
  author: Author;
}): Promise<Item> {
  const { drive } = parent;
  drive.reserve(source.size);
  if (source.kind === "file") {
    const content = store.put(await store.bytes(source.content!));
    const { fileSystemInfo } = source;
    return drive.placeFile(parent, name, content, { ...options, fileSystemInfo }).item;
  }
  const children = [...source.children.values()]; // before the copy, which may be inside
  const { item } = drive.createFolder(parent, name, options);
  for (const child of children) {
    if (child !== item) await copyTree(store, child, item, child.name, options);
  }
  return item;
}
