/** A document library: a tree of items and its invariants. */

import { invalidRequest, itemNotFound, nameAlreadyExists, ServiceError } from "../service_error.ts";
import { Changes } from "./changes.ts";
import type { Content, ContentStore } from "./content_store.ts";
import type { Site, User } from "./directory.ts";
import { driveId, itemId, personalItemId, ROOT_ITEM_GUID, sitePrefix } from "./ids.ts";
import {
  type Author,
  type FileSystemInfo,
  isWithin,
  type Item,
  type ItemKind,
  type ItemStart,
  newItem,
  wholeSeconds,
} from "./item.ts";
import { nameKey, numberedName } from "./names.ts";

export type ConflictBehavior = "fail" | "replace" | "rename";

/** The result of following a path: an item, or the deepest existing folder and the missing names. */
export interface Walk {
  readonly item: Item | undefined;
  readonly folder: Item;
  readonly missing: readonly string[];
}

export interface DriveInfo {
  readonly name: string;
  /** The last segment of the library's URL, which often differs from its name (PROTOCOL 2.2). */
  readonly urlName: string;
  readonly listGuid: string;
  readonly site: Site;
  /** The owner, if this is a OneDrive. */
  readonly owner: User | undefined;
  /** The back end: OneDrive for work and SharePoint, or personal OneDrive. */
  readonly profile: "business" | "personal";
  /** Whether it answers in the forms of earlier years; see {@link SandboxOptions.olderForms}. */
  readonly olderForms: boolean;
  readonly created: Date;
  readonly author: Author;
}

/** What a PATCH changes. */
export interface ItemChange {
  readonly name?: string;
  readonly parent?: Item;
  /** If the name is taken in that folder. @default "fail" */
  readonly conflict?: ConflictBehavior;
  readonly description?: string;
  readonly fileSystemInfo?: Partial<FileSystemInfo>;
}

export class Drive {
  readonly info: DriveInfo;
  readonly id: string;
  /** The account number of a personal OneDrive; undefined on the other back end. */
  readonly cid: string | undefined;
  readonly root: Item;
  readonly changes = new Changes();
  /** Capacity in bytes; tests lower it. */
  quotaBytes = 1024 ** 4;
  readonly #store: ContentStore;
  readonly #items = new Map<string, Item>();
  #made = 0;

  constructor(info: DriveInfo, store: ContentStore) {
    this.info = info;
    this.#store = store;
    this.cid = info.profile === "personal" ? info.owner!.id : undefined;
    this.id = this.cid ?? driveId(info.site.siteGuid, info.site.webGuid, info.listGuid);
    const { author, created: at } = info;
    this.root = this.#newItem({
      kind: "folder",
      name: "root",
      guid: ROOT_ITEM_GUID,
      parent: undefined,
      author,
      at,
    });
  }

  /** A time as it is stored: in whole seconds, except in a personal OneDrive of earlier years (PROTOCOL 11b). */
  roundTime(time: Date): Date {
    return this.cid !== undefined && this.info.olderForms ? time : wholeSeconds(time);
  }

  /** The library's URL in the browser. */
  get webUrl(): string {
    return `https://${this.info.site.hostname}${this.info.site.path}/${
      encodeURIComponent(this.info.urlName)
    }`;
  }

  /** The id of an item with this GUID. */
  idOf(guid: string): string {
    return this.cid === undefined
      ? itemId(sitePrefix(this.info.site.webGuid), guid)
      : personalItemId(this.cid, guid);
  }

  /** The item with this id. Ids are case-sensitive. */
  item(id: string): Item | undefined {
    return this.#items.get(id);
  }

  /** Follows names down from `from`, ignoring case. */
  walk(segments: readonly string[], from: Item = this.root): Walk {
    let at = from;
    for (const [index, name] of segments.entries()) {
      const next = at.children.get(nameKey(name));
      if (next === undefined) return { item: undefined, folder: at, missing: segments.slice(index) };
      at = next;
    }
    return { item: at, folder: at, missing: [] };
  }

  /** Takes an item of an earlier run, whose folder has it already. */
  restore(item: Item): void {
    const number = /!(\d+)$/.exec(item.id)?.[1]; // of the older form
    this.#made = Math.max(this.#made, Number(number ?? 0) - 100);
    this.#items.set(item.id, item);
    this.changes.created(item);
  }

  /** Creates a folder; under `replace`, returns the existing one. */
  createFolder(parent: Item, name: string, options: {
    conflict: ConflictBehavior;
    author: Author;
    guid?: string;
    at?: Date;
  }): { item: Item; created: boolean } {
    const present = parent.children.get(nameKey(name));
    if (present !== undefined && options.conflict === "replace" && present.kind === "folder") {
      return { item: present, created: false };
    }
    if (present !== undefined && options.conflict !== "rename") throw nameAlreadyExists();
    const free = present === undefined ? name : this.freeName(parent, name);
    return { item: this.add("folder", parent, free, options), created: true };
  }

  /** Adds an item; its name must be free. */
  add(kind: ItemKind, parent: Item, name: string, options: {
    author: Author;
    guid?: string;
    at?: Date;
    content?: Content;
    target?: Item;
  }): Item {
    this.#requirePresent(parent);
    if (parent.kind !== "folder" && parent.kind !== "package") throw itemNotFound();
    const { author, guid = crypto.randomUUID(), at = new Date(), target } = options;
    const item = this.#newItem({ kind, name, guid, parent, author, at, target });
    parent.children.set(nameKey(name), item);
    parent.eTagVersion++;
    if (options.content) this.#setContent(item, options.content);
    return item;
  }

  /** The name under which a file would be stored now, and the file it would replace. @throws {ServiceError} 409 */
  nameForFile(
    parent: Item,
    name: string,
    conflict: ConflictBehavior,
  ): { name: string; replaces: Item | undefined } {
    const present = parent.children.get(nameKey(name));
    if (present === undefined) return { name, replaces: undefined };
    if (conflict === "rename") return { name: this.freeName(parent, name), replaces: undefined };
    // A folder or OneNote package of that name always conflicts (rclone: "is it a OneNote file?", E7).
    if (conflict === "fail" || present.kind !== "file") throw nameAlreadyExists();
    return { name: present.name, replaces: present };
  }

  /** Stores a file; the drive owns the content from now on. @throws {ServiceError} 409, 404 */
  placeFile(parent: Item, name: string, content: Content, options: {
    conflict: ConflictBehavior;
    author: Author;
    guid?: string;
    fileSystemInfo?: Partial<FileSystemInfo>;
  }): { item: Item; created: boolean } {
    this.#requirePresent(parent);
    const place = this.nameForFile(parent, name, options.conflict);
    if (place.replaces === undefined) {
      const { author, guid } = options;
      const item = this.add("file", parent, place.name, { author, content, ...(guid ? { guid } : {}) });
      this.#setFileSystemInfo(item, options.fileSystemInfo);
      return { item, created: true };
    }
    const item = place.replaces;
    this.replaceContent(item, content, options.author);
    this.#setFileSystemInfo(item, options.fileSystemInfo);
    return { item, created: false };
  }

  /** Replaces a file's bytes: adds a version and sets the timestamps to now (PROTOCOL 11). */
  replaceContent(item: Item, content: Content, author: Author): void {
    this.#keepVersion(item);
    this.#setContent(item, content);
    this.#changed(item, author);
    item.cTagVersion++;
    item.fileSystemInfo.modified = this.roundTime(item.modified);
  }

  /** Changes an item; adds a file version, except in a personal OneDrive (PROTOCOL U21). */
  update(item: Item, change: ItemChange, author: Author): void {
    this.#requirePresent(item);
    if (change.name !== undefined || change.parent !== undefined) this.#move(item, change);
    this.#setFileSystemInfo(item, change.fileSystemInfo);
    item.description = change.description ?? item.description;
    if (item.kind === "file" && this.cid === undefined) this.#keepVersion(item);
    this.#changed(item, author);
  }

  /** Deletes an item and everything below it. */
  remove(item: Item): void {
    if (item.parent === undefined) throw invalidRequest("The root of a drive cannot be deleted.");
    this.changes.removed(item);
    item.parent.children.delete(nameKey(item.name));
    item.parent.eTagVersion++;
    this.#addSize(item.parent, -item.size);
    for (const candidate of [...this.#items.values()]) {
      if (!isWithin(candidate, item)) continue;
      this.#items.delete(candidate.id);
      const contents = [candidate, ...candidate.history].map(({ content }) => content);
      for (const content of new Set(contents)) if (content) this.#store.remove(content);
    }
  }

  /** Deletes a former version of a file. */
  removeVersion(item: Item, number: number): void {
    const [version] = item.history.splice(item.history.findIndex((version) => version.number === number), 1);
    const { content } = version!;
    if (![item, ...item.history].some((other) => other.content === content)) this.#store.remove(content);
  }

  /** Free bytes. */
  get remainingBytes(): number {
    return Math.max(0, this.quotaBytes - this.root.size);
  }

  /** @throws {ServiceError} 507 when `bytes` more do not fit */
  reserve(bytes: number): void {
    if (bytes > this.remainingBytes) {
      throw new ServiceError(507, "quotaLimitReached", "Insufficient Space Available");
    }
  }

  /** A free name such as `report 1.txt`. */
  freeName(parent: Item, name: string): string {
    let n = 1;
    while (parent.children.has(nameKey(numberedName(name, n)))) n++;
    return numberedName(name, n);
  }

  #move(item: Item, { name = item.name, parent = item.parent, conflict }: ItemChange): void {
    if (item.parent === undefined) throw invalidRequest("The root of a drive cannot be moved or renamed.");
    if (parent === undefined || isWithin(parent, item)) {
      throw invalidRequest("An item cannot be moved into itself.");
    }
    const present = parent.children.get(nameKey(name));
    if (present !== undefined && present !== item) {
      if (conflict === "rename") name = this.freeName(parent, name);
      else if (conflict === "replace" && present.kind === "file") this.remove(present);
      else throw nameAlreadyExists();
    }
    const former = item.parent;
    former.children.delete(nameKey(item.name));
    former.eTagVersion++;
    this.#addSize(former, -item.size);
    item.name = name;
    item.parent = parent;
    parent.children.set(nameKey(name), item);
    parent.eTagVersion++;
    this.#addSize(parent, item.size);
    if (parent !== former) this.changes.moved(item, former);
  }

  /** @throws {ServiceError} 404 if it was deleted while the request arrived */
  #requirePresent(item: Item): void {
    if (this.#items.get(item.id) !== item) throw itemNotFound();
  }

  /** What is there now becomes a former version. */
  #keepVersion(item: Item): void {
    const { content, modified, modifiedBy } = item;
    item.history.push({ number: item.versions++, content: content!, modified, modifiedBy });
  }

  #changed(item: Item, author: Author): void {
    item.eTagVersion++;
    // The folder's listing has changed too: If-None-Match on it must not yield 304.
    if (item.parent) item.parent.eTagVersion++;
    item.modified = new Date();
    item.modifiedBy = author;
    this.changes.changed(item);
  }

  #setFileSystemInfo(item: Item, info: Partial<FileSystemInfo> | undefined): void {
    if (info?.created) item.fileSystemInfo.created = this.roundTime(info.created);
    if (info?.modified) item.fileSystemInfo.modified = this.roundTime(info.modified);
  }

  #setContent(item: Item, content: Content): void {
    this.#addSize(item, content.length - (item.content?.length ?? 0));
    item.content = content;
  }

  #addSize(item: Item, bytes: number): void {
    for (let at: Item | undefined = item; at !== undefined; at = at.parent) at.size += bytes;
  }

  #newItem(start: Omit<ItemStart, "drive" | "number">): Item {
    const item = newItem({ ...start, drive: this, number: 101 + this.#made++ });
    this.#items.set(item.id, item);
    this.changes.created(item);
    return item;
  }
}
