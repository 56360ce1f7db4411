/** The first content of a drive. */

import type { ContentStore } from "./content_store.ts";
import type { Drive } from "./drive.ts";
import { fixedGuid } from "./ids.ts";
import type { Author, Item } from "./item.ts";
import { nameKey } from "./names.ts";
import type { FileData, FilesData } from "./tenant_data.ts";

/** Adds items to one drive, as one author. */
export class Seeder {
  readonly #drive: Drive;
  readonly #store: ContentStore;
  readonly #author: Author;
  /** Finds the target of a shortcut. */
  readonly #find: (path: string) => Item;
  #minutes = 0;

  constructor(drive: Drive, store: ContentStore, author: Author, find: (path: string) => Item) {
    this.#drive = drive;
    this.#store = store;
    this.#author = author;
    this.#find = find;
  }

  add(files: FilesData): void {
    for (const [path, data] of Object.entries(files)) {
      if (data === null) this.#folder(path.replace(/\/$/, ""));
      else this.#item(path, data);
    }
  }

  #item(path: string, data: NonNullable<FileData>): void {
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? this.#drive.root : this.#folder(path.slice(0, slash));
    const name = path.slice(slash + 1);
    const defaults = this.#defaults(path);
    if (typeof data === "object" && "notebook" in data) this.#drive.add("package", parent, name, defaults);
    else if (typeof data === "object" && "shortcut" in data) {
      this.#drive.add("link", parent, name, { ...defaults, target: this.#find(data.shortcut) });
    } else {
      const content = typeof data === "number"
        ? this.#store.putZeros(data)
        : this.#store.putInPack(typeof data === "string" ? new TextEncoder().encode(data) : data);
      this.#drive.add("file", parent, name, { ...defaults, content });
    }
  }

  #folder(path: string): Item {
    let folder = this.#drive.root;
    for (const name of path.split("/")) {
      folder = folder.children.get(nameKey(name)) ??
        this.#drive.add("folder", folder, name, this.#defaults(`${path} ${name}`));
    }
    return folder;
  }

  /** Fixed ids, and times a few minutes apart: listings are the same in every run. */
  #defaults(path: string): { author: Author; guid: string; at: Date } {
    const at = new Date(Date.UTC(2025, 9, 3, 7, 12, 9) + 37 * 60_000 * this.#minutes++);
    return { author: this.#author, guid: fixedGuid(`${this.#drive.id} ${path}`), at };
  }
}
