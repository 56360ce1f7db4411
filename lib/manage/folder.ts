/**
 * New folders (https://learn.microsoft.com/graph/api/driveitem-post-children).
 *
 * @module
 */
import { type ItemAddress, itemUrl } from "../drive/address.ts";
import { isExpectedItem } from "../drive/drive_item.ts";
import { type DriveItem, fetchItem, type Item, type ItemContext, toItem } from "../drive/items.ts";
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
  const { address } = await context.drives.locate(parseLocation(location, context.settings.siteHost));
  if ("path" in address && address.path.length > 0) {
    checkNewName(address.path.at(-1)!);
    return await create(context, address, parents);
  }
  const { item } = await fetchItem(context, address, "the folder");
  if (parents && item.type === "folder") return item;
  throw alreadyExists(item);
}

async function create(
  context: ItemContext,
  { driveId, path }: Extract<ItemAddress, { path: unknown }>,
  parents: boolean,
): Promise<Item> {
  const name = path.at(-1)!;
  const parent = { driveId, path: path.slice(0, -1) };
  const post = async () => {
    const driveItem = await context.graph.requestJson<DriveItem>(itemUrl(parent, "children"), {
      method: "POST",
      what: `creation of the folder ${path.join("/")}`,
      accepts: (value) => isExpectedItem(value, { driveId, name }),
      json: { name, folder: {}, "@microsoft.graph.conflictBehavior": "fail" },
    });
    return toItem(driveItem, driveId, path.join("/"));
  };
  try {
    return await post();
  } catch (error) {
    if (!isGraphError(error)) throw error;
    if (error.status === 404 && parent.path.length > 0) {
      if (!parents) throw error.withMessage(`the folder ${parent.path.join("/")} does not exist`);
      checkNewName(parent.path.at(-1)!);
      await create(context, parent, parents);
      return await retryUntilVisible(context, post);
    }
    if (error.status !== 409) throw error;
    const { item } = await fetchItem(context, { driveId, path }, path.join("/"));
    if (parents && item.type === "folder") return item;
    throw alreadyExists(item);
  }
}

function alreadyExists({ type, path }: Item): GraphError {
  return new GraphError("conflict", `the ${type} ${path || "at the root"} already exists`, {
    code: "nameAlreadyExists",
    hint: "choose another name",
  });
}
