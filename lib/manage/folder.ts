/**
 * New folders (https://learn.microsoft.com/graph/api/driveitem-post-children).
 *
 * @module
 */
import { type Item, locationLabel, retryWithoutMemory } from "../drive/items.ts";
import { locate } from "../drive/locate.ts";
import { type LocationInput, parseLocation } from "../drive/location.ts";
import { checkNewName } from "../drive/names.ts";
import { GraphError } from "../errors.ts";
import type { TransferContext } from "../transfer/result.ts";
import { createFolder as createIn, FolderFinder } from "../upload/folders.ts";

/**
 * Creates a folder.
 *
 * @param options.parents Creates missing folders above it too, and accepts that the folder exists. @default false
 * @throws {GraphError} `conflict`, code `nameAlreadyExists`; `notFound` if the folder above it is missing.
 */
export async function createFolder(
  context: TransferContext,
  location: LocationInput,
  { parents = false }: { parents?: boolean } = {},
): Promise<Item> {
  const parsed = parseLocation(location, context.settings.siteHost);
  parsed.path.forEach(checkNewName);
  const conflict = new GraphError("conflict", `the folder ${locationLabel(parsed)} already exists`, {
    code: "nameAlreadyExists",
    hint: "choose another name",
  });
  return await retryWithoutMemory(context, async () => {
    const { address } = await locate(context.drives, parsed);
    if (!("path" in address)) throw conflict; // what has an id is there
    const { driveId, path } = address;
    if (parents) return (await new FolderFinder(context, "make").at(driveId, path)).item;
    const name = path.at(-1);
    if (name === undefined) throw conflict;
    const parent = await new FolderFinder(context).at(driveId, path.slice(0, -1));
    const { item, fresh } = await createIn(context, parent, name, false);
    if (!fresh) throw conflict;
    return item;
  });
}
