/** The changes of a drive in their order, from which delta is read (PROTOCOL 4.2). */

import { isWithin, type Item } from "./item.ts";

/** An item with its last change, or one that is no longer there. */
export interface Change {
  readonly item: Item;
  readonly gone: boolean;
  /** Its place in the order of delta: a folder always comes before what is in it. */
  readonly place: number;
}

/** The part of the changes that a request reads. */
export interface ChangesWanted {
  /** The folder whose changes are read; the root for those of the whole drive. */
  readonly scope: Item;
  /** The count after which changes are of interest; 0 for the current state. */
  readonly since: number;
  /** The place of the last item of the page before. */
  readonly after: number;
  /** Leaves out folders that changed only because something in them did. */
  readonly excludeParents?: boolean;
}

interface Mark {
  place: number;
  /** The count at the last change of the item, or of anything below it. */
  changed: number;
  /** The count at the last change of the item itself. */
  own: number;
  /** The count at the last move of the item, or of a folder above it. */
  entered: number;
}

interface Tombstone {
  readonly item: Item;
  readonly place: number;
  /** The folders it was in. */
  readonly folders: readonly Item[];
}

export class Changes {
  /** Changes with {@link Changes.forget}, which makes all tokens invalid. */
  epoch: string = crypto.randomUUID();
  #count = 0;
  readonly #marks = new Map<Item, Mark>();
  #tombstones: Tombstone[] = [];

  /** The number of changes so far. */
  get count(): number {
    return this.#count;
  }

  created(item: Item): void {
    const count = ++this.#count;
    this.#marks.set(item, { place: count, changed: count, own: count, entered: count });
    this.changed(item);
  }

  /** Records a change of an item, which is one of the folders above it too: their size or eTag differs. */
  changed(item: Item): void {
    const count = ++this.#count;
    this.#marks.get(item)!.own = count;
    for (const at of [item, ...foldersOf(item)]) this.#marks.get(at)!.changed = count;
  }

  /** Records that an item has left a folder for another one: those above the former see it go, with all below it. */
  moved(item: Item, from: Item): void {
    this.changed(from);
    const folders = [from, ...foldersOf(from)];
    for (const below of subtree(item)) {
      this.#tombstones.push({ item: below, place: ++this.#count, folders });
      const count = ++this.#count;
      Object.assign(this.#marks.get(below)!, { place: count, entered: count });
    }
    this.changed(item);
  }

  /** Records the deletion of an item and all below it, before it takes place. */
  removed(item: Item): void {
    for (const below of subtree(item)) {
      this.#marks.delete(below);
      this.#tombstones.push({ item: below, place: ++this.#count, folders: foldersOf(below) });
    }
    this.changed(item.parent!);
  }

  /** Makes all tokens invalid, as after a long time: clients have to read everything again. */
  forget(): void {
    this.epoch = crypto.randomUUID();
    this.#tombstones = [];
  }

  /**
   * The changes in the order of delta. The scope itself always comes first, changed or not. Those that are made
   * while a client reads page by page are included: a folder must not vanish from before its files.
   */
  read({ scope, since, after, excludeParents }: ChangesWanted): Change[] {
    const isRecent = (count: number) => count > since;
    const present = [...this.#marks].filter(([item, { changed, own, entered }]) =>
      isWithin(item, scope) &&
      (item === scope || isRecent(excludeParents ? own : changed) ||
        (scope.parent !== undefined && isRecent(entered)))
    ).map(([item, { place }]) => ({ item, gone: false, place: item === scope ? 1 : place }));
    // The current state holds no deletions (PROTOCOL 4.2).
    const gone = this.#tombstones.filter(({ item, place, folders }) =>
      since > 0 && isRecent(place) && folders.includes(scope) &&
      !(this.#marks.has(item) && isWithin(item, scope))
    ).map(({ item, place }) => ({ item, gone: true, place }));
    return [...present, ...gone].filter(({ place }) => place > after).sort((a, b) => a.place - b.place);
  }
}

function foldersOf(item: Item): Item[] {
  return item.parent ? [item.parent, ...foldersOf(item.parent)] : [];
}

function subtree(item: Item): Item[] {
  return [item, ...[...item.children.values()].flatMap(subtree)];
}
