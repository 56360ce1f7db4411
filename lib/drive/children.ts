/**
 * The children of a folder, page by page (https://learn.microsoft.com/graph/api/driveitem-list-children).
 *
 * @module
 */
import { GraphError, isGraphError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { type ItemAddress, itemUrl } from "./address.ts";
import { type DriveItem, drivePath, isDriveItem, isExpectedItem, itemKey, sameItemId } from "./drive_item.ts";
import { type Item, type ItemContext, type ResolvedItem, toItem } from "./items.ts";
import { joinRemote, sameName } from "./names.ts";

// Without a selection every listed file carries a download URL, which is a secret, and most of the response.
const PAGE_QUERY =
  "$top=200&$select=id,name,size,eTag,cTag,webUrl,file,folder,package,remoteItem,fileSystemInfo,lastModifiedDateTime,lastModifiedBy,shared,parentReference";

/**
 * Lists the direct children of a folder, page by page.
 *
 * @throws {GraphError} `failed`, code `folderLoop`, for a folder that was visited before.
 */
export async function* listChildren(
  context: Pick<ItemContext, "graph">,
  folder: Pick<Item, "driveId" | "id" | "path">,
  visited = new Set<string>(),
  pages = childPages(context, folder),
): AsyncGenerator<ResolvedItem> {
  assertNotVisited(folder, visited);
  for await (const page of pages) yield* page;
}

/** The direct children of a folder, as pages. @param withLinks Whether files have their download URLs. */
export async function* childPages(
  { graph }: Pick<ItemContext, "graph">,
  folder: Pick<Item, "driveId" | "id" | "path">,
  withLinks = false,
): AsyncGenerator<ResolvedItem[]> {
  // By id, since next links of listings by path have led to the root of the drive (PROTOCOL L7).
  const url = itemUrl({ driveId: folder.driveId, itemId: folder.id }, "children");
  const query = withLinks ? `${PAGE_QUERY},@microsoft.graph.downloadUrl` : PAGE_QUERY;
  const parent = { driveId: folder.driveId, folderId: folder.path === "" ? undefined : folder.id };
  const isChild = (entry: unknown) => isExpectedItem(entry, parent);
  const seen = new Set<string>();
  for await (const page of graph.pages<DriveItem>(`${url}?${query}`, listingOf(folder), isChild)) {
    const children = page.map((driveItem) => toChild(driveItem, folder));
    // Pages may repeat items (PROTOCOL L7).
    yield children.filter(({ item: { id } }) => !seen.has(id) && seen.add(id));
  }
}

function toChild(driveItem: DriveItem, folder: Pick<Item, "driveId" | "path">): ResolvedItem {
  return {
    item: toItem(driveItem, folder.driveId, joinRemote(folder.path, driveItem.name ?? "")),
    driveItem,
  };
}

/** A folder of which only the ids and the path are known, and its children, as pages. */
export interface OpenFolder extends ResolvedItem {
  pages: AsyncGenerator<ResolvedItem[]>;
}

/**
 * Opens a folder in one request, that for the first page of its children.
 *
 * @returns `undefined` unless the page shows that this is the folder: it may be a file, a shortcut or empty, or not be there.
 */
export async function openFolder(
  context: Pick<ItemContext, "graph">,
  address: ItemAddress,
): Promise<OpenFolder | undefined> {
  const typed = "path" in address ? address.path.join("/") : undefined;
  const page = await requestFirstPage(context, address, listingOf({ path: typed ?? "" }));
  const parent = page?.value[0]?.parentReference;
  if (!page || !parent?.id) return undefined;
  const expected = { driveId: address.driveId, folderId: parent.id };
  const path = drivePath({ parentReference: parent });
  const isFolder = "path" in address
    ? sameName(path, address.path.join("/"))
    : address.itemId === "root" || sameItemId(parent.id, address.itemId);
  if (!isFolder || !page.value.every((entry) => isExpectedItem(entry, expected))) return undefined;
  const driveItem: DriveItem = { id: parent.id, name: path.split("/").at(-1)!, folder: {} };
  const item = toItem(driveItem, address.driveId, typed ?? path);
  return { driveItem, item, pages: pagesFrom(context, item, page) };
}

interface FirstPage {
  value: DriveItem[];
  "@odata.nextLink"?: string | null;
}

async function requestFirstPage(
  { graph }: Pick<ItemContext, "graph">,
  address: ItemAddress,
  what: string,
): Promise<FirstPage | undefined> {
  try {
    const accepts = (page: unknown) =>
      isJsonObject(page) && Array.isArray(page.value) && page.value.every(isDriveItem);
    return await graph.requestJson<FirstPage>(`${itemUrl(address, "children")}?${PAGE_QUERY}`, {
      what,
      accepts,
    });
  } catch (error) {
    if (!isGraphError(error) || !["notFound", "refused", "failed"].includes(error.kind)) throw error;
    if (![400, 403, 404].includes(error.status ?? 0)) throw error;
    return undefined; // the item itself shows what is wrong
  }
}

/** More pages are read by id, as {@linkcode childPages} does. */
async function* pagesFrom(
  context: Pick<ItemContext, "graph">,
  folder: Item,
  first: FirstPage,
): AsyncGenerator<ResolvedItem[]> {
  const children = first.value.map((driveItem) => toChild(driveItem, folder));
  yield children;
  if (!first["@odata.nextLink"]) return;
  const seen = new Set(children.map(({ item }) => item.id));
  for await (const page of childPages(context, folder)) yield page.filter(({ item }) => !seen.has(item.id));
}

/**
 * Adds a folder to those that were visited.
 *
 * @throws {GraphError} `failed`, code `folderLoop`, if it is among them.
 */
export function assertNotVisited(
  folder: Pick<Item, "driveId" | "id" | "path">,
  visited: Set<string>,
): void {
  const key = itemKey(folder);
  if (visited.has(key)) {
    throw new GraphError("failed", `${listingOf(folder)}: the service shows a folder inside itself`, {
      code: "folderLoop",
      hint: "list it without its subfolders",
    });
  }
  visited.add(key);
}

function listingOf({ path }: Pick<Item, "path">): string {
  return `listing of ${path || "the root folder"}`;
}
