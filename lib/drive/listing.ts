/**
 * Listings of folders, and of everything below them.
 *
 * @module
 */
import {
  assertNotVisited,
  childPages,
  getItem,
  type Item,
  type ItemContext,
  listChildren,
  notAFolderError,
  type ResolvedItem,
} from "./items.ts";
import { type Location, type LocationInput, parseLocation } from "./location.ts";

/** More would only be throttled. One more is left for the folder whose turn it is. */
const MAX_REQUESTS_AHEAD = 7;
/** Pages that wait for their turn; each has up to 200 items. */
const MAX_PAGES_AHEAD = 32;

/**
 * Lists a folder, page by page on demand; yields the item itself if it is not a folder.
 *
 * @param options.recursive Whether to list subfolders as well, each after the folder that it is in. Shortcuts are not
 *   followed. @default false
 */
export async function* listItems(
  context: ItemContext,
  location: LocationInput,
  options: { recursive?: boolean } = {},
): AsyncGenerator<Item> {
  const parsed = parseLocation(location, context.settings.siteHost);
  const target = await getItem(context, parsed);
  for await (const { item } of listTarget(context, parsed, target, options)) yield item;
}

/** As {@linkcode listItems}, of an item that was read before. */
export async function* listTarget(
  context: ItemContext,
  location: Location,
  target: ResolvedItem,
  { recursive = false }: { recursive?: boolean } = {},
): AsyncGenerator<ResolvedItem> {
  const { item } = target;
  if (item.type === "folder") yield* recursive ? walk(context, item) : listChildren(context, item);
  else if (location.folder && location.path.length > 0) throw notAFolderError(item);
  else yield target;
}

/** A folder whose first page may be requested before its turn. */
interface Upcoming {
  folder: Item;
  pages: AsyncIterator<ResolvedItem[]>;
  first?: Promise<IteratorResult<ResolvedItem[]>>;
  /** The folders of the page that was read last. */
  below: Upcoming[];
}

/**
 * Lists a folder, then each of its subfolders in the same way. The order does not depend on which response comes first; folders
 * that come next are requested in advance.
 */
async function* walk(context: ItemContext, root: Item): AsyncGenerator<ResolvedItem> {
  const visited = new Set<string>();
  const upcoming = foldersOf([root]);
  let requests = 0;
  let pagesAhead = 0;

  function foldersOf(items: Item[]): Upcoming[] {
    return items.filter(({ type }) => type === "folder")
      .map((folder) => ({ folder, pages: childPages(context, folder), below: [] }));
  }

  async function readPage(next: Upcoming): Promise<IteratorResult<ResolvedItem[]>> {
    requests++;
    try {
      const page = await next.pages.next();
      if (!page.done) next.below = foldersOf(page.value.map(({ item }) => item));
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
        yield* page.value;
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
