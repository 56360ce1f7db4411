/**
 * Making folders on the server.
 *
 * @module
 */
import { childUrl, itemUrl } from "../drive/address.ts";
import { type DriveItem, isExpectedItem } from "../drive/drive_item.ts";
import { fetchItem, type ItemContext, notAFolderError, type ResolvedItem, toItem } from "../drive/items.ts";
import { joinRemote, nameKey } from "../drive/names.ts";
import { GraphError, ifFound, isGraphError } from "../errors.ts";
import type { TransferContext } from "../transfer/result.ts";

/** Attempts in a folder that the service does not find yet. */
const MAX_ATTEMPTS = 5;

/** A folder, and whether this run has made it: the service may not find it yet. */
export interface NewFolder extends ResolvedItem {
  fresh: boolean;
}

/** What making folders needs of a connection. */
export type FolderContext = ItemContext & Pick<TransferContext, "notice">;

/**
 * Makes a folder in another one, unless another client has made it meanwhile.
 *
 * @param name Checked already.
 * @param dryRun Makes nothing, and says so.
 * @throws {GraphError} `conflict` if the name is taken by something else.
 */
export async function createFolder(
  context: FolderContext,
  parent: NewFolder,
  name: string,
  dryRun: boolean,
): Promise<NewFolder> {
  const { driveId, id: itemId } = parent.item;
  const path = joinRemote(parent.item.path, name);
  const result = (driveItem: DriveItem, fresh = true) => ({
    driveItem,
    item: toItem(driveItem, driveId, path),
    fresh,
  });
  if (dryRun) {
    context.notice(`would make the folder ${path}`);
    return result({ name, folder: {} });
  }
  const what = `creation of the folder ${path}`;
  const expected = { driveId, name, folderId: parent.item.path === "" ? undefined : itemId };
  const accepts = (value: unknown) => isExpectedItem(value, expected);
  const json = { name, folder: {}, "@microsoft.graph.conflictBehavior": "fail" };
  const post = () =>
    context.graph.requestJson<DriveItem>(itemUrl({ driveId, itemId }, "children"), {
      method: "POST",
      what,
      accepts,
      json,
    });
  try {
    return result(await (parent.fresh ? retryUntilVisible(context, post) : post()));
  } catch (error) {
    // Another client created it, or the response to our own request was lost or empty (PROTOCOL 9).
    if (!isGraphError(error) || (error.status !== 409 && error.code !== "invalidAnswer")) throw error;
    const url = childUrl({ driveId, itemId }, name);
    const existing = await ifFound(context.graph.requestJson<DriveItem>(url, { what, accepts }));
    if (!existing) throw error;
    return assertFolder(result(existing, false));
  }
}

/** @throws {GraphError} `conflict` for another item that has the name of a folder to be. */
export function assertFolder<T extends ResolvedItem>(found: T): T {
  const { path, type } = found.item;
  if (type === "folder") return found;
  throw new GraphError("conflict", `${path} is a ${type}, not a folder`, {
    code: "nameAlreadyExists",
    hint: "rename the local folder, or choose another place",
  });
}

/** Finds folders by path, each once. */
export class FolderFinder {
  readonly #context: FolderContext;
  readonly #missing: "fail" | "make" | "wouldMake";
  readonly #found = new Map<string, Promise<NewFolder>>();

  /** @param missing What to do about missing folders; `wouldMake` only says so. */
  constructor(context: FolderContext, missing: "fail" | "make" | "wouldMake" = "fail") {
    this.#context = context;
    this.#missing = missing;
  }

  /**
   * @param path From the root of the drive.
   * @throws {GraphError} `notFound`, code `folderNotFound`; `usage` for an item that is not a folder.
   */
  at(driveId: string, path: readonly string[]): Promise<NewFolder> {
    const key = [driveId, ...path.map(nameKey)].join("/");
    let found = this.#found.get(key);
    if (!found) this.#found.set(key, found = this.#find(driveId, path));
    return found;
  }

  async #find(driveId: string, path: readonly string[]): Promise<NewFolder> {
    const found = await ifFound(fetchItem(this.#context, { driveId, path }, `folder ${path.join("/")}`));
    if (found && found.item.type !== "folder") throw notAFolderError(found.item);
    if (found) return { ...found, fresh: false };
    // The service would create missing folders, even for a misspelled name (PROTOCOL 3.4).
    if (this.#missing === "fail" || path.length === 0) throw noFolder(path.join("/"));
    const parent = await this.at(driveId, path.slice(0, -1));
    return await createFolder(this.#context, parent, path.at(-1)!, this.#missing === "wouldMake");
  }
}

/** The error for a missing folder. */
export function noFolder(path: string): GraphError {
  return new GraphError("notFound", `the folder ${path} does not exist`, { code: "folderNotFound" });
}

/** Retries work in a folder that this run has created, which the service may not find at first (PROTOCOL E3). */
export async function retryUntilVisible<T>(
  { graph: { http } }: Pick<ItemContext, "graph">,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isNew = isGraphError(error) && error.status === 404;
      if (!isNew || attempt === MAX_ATTEMPTS) throw error;
      if (!await http.backOff(attempt - 1, "the folder is new")) throw error;
    }
  }
}
