/**
 * New folders (https://learn.microsoft.com/graph/api/driveitem-post-children).
 *
 * @module
 */
import { type ItemAddress, itemUrl } from "../drive/address.ts";
import { type DriveItem, isExpectedItem } from "../drive/drive_item.ts";
import { fetchItem, type Item, type ItemContext, retryWithoutMemory, toItem } from "../drive/items.ts";
import { type LocationInput, parseLocation } from "../drive/location.ts";
import { checkNewName } from "../drive/names.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { retryUntilVisible } from "../upload/target.ts";

/**
 * Creates a folder.
 *
 * @param options.parents Creates missing folders above it too, and accepts that the folder exists. @default false
 * @throws {GraphError} `conflict`, code `nameAlreadyExists`; `notFound` if the folder above it is missing.
 */
export async function createFolder(
  context: ItemContext,
  location: LocationInput,
  { parents = false }: { parents?: boolean } = {},
): Promise<Item> {
  const parsed = parseLocation(location, context.settings.siteHost);
  return await retryWithoutMemory(context, async () => {
    const { address } = await context.drives.locate(parsed);
    return await create(context, address, parents);
  });
}

async function create(context: ItemContext, address: ItemAddress, parents: boolean): Promise<Item> {
  const name = "path" in address ? address.path.at(-1) : undefined;
  if (!("path" in address) || name === undefined) return await existing(context, address, parents);
  checkNewName(name);
  const { driveId, path } = address;
  const parent = { driveId, path: path.slice(0, -1) };
  const post = () =>
    context.graph.requestJson<DriveItem>(itemUrl(parent, "children"), {
      method: "POST",
      what: `creation of the folder ${path.join("/")}`,
      accepts: (value) => isExpectedItem(value, { driveId, name }),
      json: { name, folder: {}, "@microsoft.graph.conflictBehavior": "fail" },
    });
  try {
    return toItem(await post(), driveId, path.join("/"));
  } catch (error) {
    if (!isGraphError(error)) throw error;
    if (error.status === 409) return await existing(context, address, parents);
    if (error.status !== 404 || parent.path.length === 0) throw error;
    if (!parents) {
      throw error.withMessage(`the folder ${parent.path.join("/")} does not exist`, {
        code: "folderNotFound",
      });
    }
    await create(context, parent, parents);
    return toItem(await retryUntilVisible(context, post), driveId, path.join("/"));
  }
}

/** The item at an address, if a folder may exist there already. */
async function existing(context: ItemContext, address: ItemAddress, parents: boolean): Promise<Item> {
  const { item } = await fetchItem(context, address, "the folder");
  if (parents && item.type === "folder") return item;
  throw new GraphError("conflict", `the ${item.type} ${item.path || "at the root"} already exists`, {
    code: "nameAlreadyExists",
    hint: "choose another name",
  });
}
