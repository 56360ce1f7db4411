/**
 * Listings of folders, and of everything below them.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import { assertNotVisited, childPages, listChildren, type OpenFolder, openFolder } from "./children.ts";
import {
  fetchItem,
  getItem,
  type Item,
  type ItemContext,
  locationLabel,
  notAFolderError,
  type ResolvedItem,
  retryWithoutMemory,
} from "./items.ts";
import { locate } from "./locate.ts";
import { type Location, type LocationInput, parseLocation } from "./location.ts";
import { joinRemote } from "./names.ts";
import { Filter, type FilterOptions, matchesBelow, matchesPattern } from "./pattern.ts";

/** More would only be throttled. One more is left for the folder whose turn it is. */
const MAX_REQUESTS_AHEAD = 7;
/** Pages that wait for their turn; each has up to 200 items. */
const MAX_PAGES_AHEAD = 32;

/** What to list. */
export interface ListOptions extends FilterOptions {
  /** Whether to list subfolders as well, each after the folder that it is in. Shortcuts are not followed. @default false */
  recursive?: boolean;
}

/**
 * Lists a folder, page by page on demand; yields the item itself if it is not a folder, and the items that match a location
 * with wildcards. Filters apply to the contents of folders.
 */
export async function* listItems(
  context: ItemContext,
  location: LocationInput,
  options: ListOptions = {},
): AsyncGenerator<Item> {
  const parsed = parseLocation(location, context.settings.siteHost);
  const target = await openTarget(context, parsed);
  for await (const { item } of listTarget(context, parsed, target, options)) yield item;
}

/** What a listing starts from. */
export type ListTarget = ResolvedItem | OpenFolder;

/** Finds what a location up to its wildcards is, and opens it if it is a folder. */
export async function openTarget(
  context: ItemContext,
  { pattern: _, ...location }: Location,
): Promise<ListTarget> {
  return await retryWithoutMemory(context, async () => {
    const { address } = await locate(context.drives, location);
    return await openFolder(context, address) ?? await fetchItem(context, address, locationLabel(location));
  });
}

/** As {@linkcode listItems}, of the item of the location up to its wildcards, which was opened before. */
export async function* listTarget(
  context: ItemContext,
  location: Location,
  target: ListTarget,
  { recursive = false, ...filterOptions }: ListOptions = {},
): AsyncGenerator<ResolvedItem> {
  const filter = new Filter(filterOptions);
  for await (const found of matchesOf(context, location, target, recursive)) {
    const { item } = found;
    const isFolder = item.type === "folder";
    if (!isFolder && location.folder && location.path.length > 0) throw notAFolderError(item);
    if (location.pattern || !isFolder) yield found;
    if (isFolder && recursive) yield* walk(context, found, filter);
    else if (isFolder && !location.pattern) yield* contentsOf(context, found, filter);
  }
}

async function* contentsOf(
  context: ItemContext,
  folder: ListTarget,
  filter: Filter,
): AsyncGenerator<ResolvedItem> {
  for await (const page of pagesOf(context, folder)) {
    yield* page.filter(({ item }) => filter.shows(item.name, item.type === "folder"));
  }
}

function pagesOf(context: ItemContext, folder: ListTarget): AsyncGenerator<ResolvedItem[]> {
  return "pages" in folder ? folder.pages : childPages(context, folder.item);
}

/**
 * Finds the item at a location, or all that match its wildcards.
 *
 * @param whole Whether a folder that matches stands for its contents, which are not searched then.
 * @throws {GraphError} `notFound`, code `noMatch`.
 */
export async function* findItems(
  context: ItemContext,
  location: Location,
  whole: boolean,
): AsyncGenerator<ResolvedItem> {
  const target = location.pattern ? await openTarget(context, location) : await getItem(context, location);
  yield* matchesOf(context, location, target, whole);
}

async function* matchesOf(
  context: ItemContext,
  location: Location,
  target: ListTarget,
  whole: boolean,
): AsyncGenerator<ResolvedItem> {
  const { pattern } = location;
  if (!pattern) return yield target;
  const visited = new Set<string>();
  let isEmpty = true;
  const search = async function* (folder: ListTarget, below: string): AsyncGenerator<ResolvedItem> {
    for await (const child of listChildren(context, folder.item, visited, pagesOf(context, folder))) {
      const path = joinRemote(below, child.item.name);
      const isFolder = child.item.type === "folder";
      const isMatch = matchesPattern(pattern, path) && (isFolder || !location.folder);
      if (isMatch) {
        isEmpty = false;
        yield child;
      }
      if (isFolder && matchesBelow(pattern, path) && !(isMatch && whole)) yield* search(child, path);
    }
  };
  if (target.item.type === "folder") yield* search(target, "");
  if (isEmpty) throw new GraphError("notFound", `${location.text} matches nothing`, { code: "noMatch" });
}

/** A folder whose first page may be requested before its turn. */
interface Upcoming {
  folder: Item;
  /** Its path below the root of the walk. */
  path: string;
  pages: AsyncIterator<ResolvedItem[]>;
  first?: Promise<IteratorResult<ResolvedItem[]>>;
  /** The folders of the page that was read last. */
  below: Upcoming[];
}

/**
 * Lists a folder, then each of its subfolders in the same way. The order does not depend on which response comes first; folders
 * that come next are requested in advance.
 */
async function* walk(context: ItemContext, root: ListTarget, filter: Filter): AsyncGenerator<ResolvedItem> {
  const visited = new Set<string>();
  const upcoming = [toUpcoming(root, "")];
  let requests = 0;
  let pagesAhead = 0;

  function toUpcoming(folder: ListTarget, path: string): Upcoming {
    return { folder: folder.item, path, pages: pagesOf(context, folder), below: [] };
  }

  function isShown(item: Item, folder: string): boolean {
    return filter.shows(joinRemote(folder, item.name), item.type === "folder");
  }

  function foldersIn(items: readonly ResolvedItem[], folder: string): Upcoming[] {
    return items.flatMap((found) => {
      const path = joinRemote(folder, found.item.name);
      return found.item.type === "folder" && filter.takes(path, true) ? [toUpcoming(found, path)] : [];
    });
  }

  async function readPage(next: Upcoming): Promise<IteratorResult<ResolvedItem[]>> {
    requests++;
    try {
      const page = await next.pages.next();
      if (!page.done) next.below = foldersIn(page.value, next.path);
      return page;
    } finally {
      requests--;
    }
  }

  function readAhead(): void {
    for (const next of inOrder(upcoming)) {
      if (requests >= MAX_REQUESTS_AHEAD || pagesAhead >= MAX_PAGES_AHEAD) return;
      if (next.first) continue;
      pagesAhead++;
      next.first = readPage(next);
      next.first.then(readAhead, () => {}); // a failure is thrown when its turn comes
    }
  }

  try {
    for (let current; (current = upcoming.shift());) {
      assertNotVisited(current.folder, visited);
      if (current.first) pagesAhead--;
      let page = await (current.first ?? readPage(current));
      for (let position = 0; !page.done; page = await readPage(current)) {
        upcoming.splice(position, 0, ...current.below);
        position += current.below.length;
        readAhead();
        yield* page.value.filter(({ item }) => isShown(item, current.path));
      }
    }
  } finally {
    upcoming.length = 0; // so that nothing more is requested
  }
}

function* inOrder(folders: readonly Upcoming[]): Generator<Upcoming> {
  for (const folder of folders) {
    yield folder;
    yield* inOrder(folder.below);
  }
}
