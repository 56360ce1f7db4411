/** The state behind the services, and the view of it that tests have. */

import type { Secrets } from "../secrets.ts";
import type { SessionInfo, UploadSessions } from "../storage/upload_sessions.ts";
import { type Content, ContentStore } from "./content_store.ts";
import { contoso } from "./contoso.ts";
import type { Directory } from "./directory.ts";
import type { Drive } from "./drive.ts";
import { type Author, cTagOf, eTagOf, type Item, type ItemKind, pathOf } from "./item.ts";
import { nameKey } from "./names.ts";
import { promoteProperties } from "./property_promotion.ts";
import { seed } from "./seed.ts";
import { STORED_DAMAGE } from "./stored_damage.ts";

/** What tests read off an item. */
export interface ItemInfo {
  id: string;
  driveId: string;
  name: string;
  /** From the root of the drive, without a leading slash. */
  path: string;
  kind: ItemKind;
  size: number;
  eTag: string;
  cTag: string;
  quickXorHash: string | undefined;
  versions: number;
  /** The server's time of the last change. */
  modified: Date;
  /** The times a client may set. */
  fileSystemInfo: { created: Date; modified: Date };
  /** Names of the children. */
  children: string[];
}

/** How the service behaves where it is known to behave in more than one way. */
export interface Behavior {
  /** `PUT …:/A/B/c.txt:/content` makes A and B on the way (PROTOCOL 3.4). */
  putCreatesParents: boolean;
  /** How many metadata answers of a new file come without its hash (PROTOCOL 10). */
  readsWithoutHash: number;
  /** SharePoint rewrites Office files after upload: already in the answer, or only after it (PROTOCOL 10.2). */
  rewriteOfficeFiles: "no" | "in-response" | "after-response";
  /** What becomes of the bytes of an upload, after SharePoint's own changes. */
  storedDamage: keyof typeof STORED_DAMAGE | "no";
  /** How many requests for a folder, or for something in it, find nothing after a client has made it (PROTOCOL E3). */
  missesOfNewFolders: number;
  /** A listing begins with a page of no items and a link to the next (PROTOCOL 4.1). */
  emptyFirstPage: boolean;
}

/** The tenant: directory, libraries and bytes. */
export class Tenant {
  readonly directory: Directory;
  readonly store: ContentStore;
  readonly behavior: Behavior = {
    putCreatesParents: true,
    readsWithoutHash: 0,
    rewriteOfficeFiles: "no",
    storedDamage: "no",
    missesOfNewFolders: 0,
    emptyFirstPage: false,
  };
  readonly #drives: Map<string, Drive>;
  readonly #secrets: Secrets;
  readonly #sessions: UploadSessions;
  readonly #hashReads = new WeakMap<Item, number>();
  readonly #misses = new WeakMap<Item, number>();
  readonly #sha1 = new WeakMap<Content, string>();
  #unsettled: Item[] = [];

  constructor(folder: string, secrets: Secrets, sessions: UploadSessions) {
    this.store = new ContentStore(folder);
    this.#secrets = secrets;
    this.#sessions = sessions;
    const { directory, drives } = contoso(this.store);
    this.directory = directory;
    this.#drives = drives;
    seed(drives, directory.users, this.store);
  }

  /** All drives once. */
  get drives(): Drive[] {
    return [...new Set(this.#drives.values())];
  }

  /**
   * A drive by the name tests use, or by id: "me" or "adele", "megan", "Documents" or "TestTeam" (default library of
   * the site TestTeam), "Archive", "Marketing", "Contoso" (root site), "robin" (a personal OneDrive).
   */
  drive(name: string): Drive {
    const drive = this.#drives.get(name) ?? this.drives.find((drive) => drive.id === name);
    if (drive === undefined) {
      throw new Error(`no drive ${name}; there are ${[...this.#drives.keys()].join(", ")}`);
    }
    return drive;
  }

  /** What is known about the item at this path, or undefined. */
  find(drive: string, path: string): ItemInfo | undefined {
    const item = this.#item(drive, path);
    return item && toItemInfo(item);
  }

  /** The bytes of a file as the tenant holds them. */
  bytes(drive: string, path: string): Promise<Uint8Array> {
    return this.store.bytes(this.#content(drive, path));
  }

  /** SHA-256 of a file in hex, read in a stream. */
  sha256(drive: string, path: string): Promise<string> {
    return this.store.sha256(this.#content(drive, path));
  }

  /** Stores a file, making folders on the way and replacing what is there, as another person's client would. */
  addFile(drive: string, path: string, bytes: Uint8Array | string): ItemInfo {
    const segments = path.split("/");
    const name = segments.pop()!;
    const parent = this.#folder(this.drive(drive), segments);
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    const options = { conflict: "replace", author: this.#author } as const;
    return toItemInfo(parent.drive.placeFile(parent, name, this.store.put(data), options).item);
  }

  /** Makes a folder and those above it. */
  addFolder(drive: string, path: string): ItemInfo {
    return toItemInfo(this.#folder(this.drive(drive), path.split("/")));
  }

  /** Deletes an item with all below it, as another person's client would. */
  remove(drive: string, path: string): void {
    const item = this.#item(drive, path);
    if (item === undefined) throw new Error(`nothing at ${drive}:${path}`);
    item.drive.remove(item);
  }

  /** What happens when somebody opens the Files tab of a channel for the first time (PROTOCOL L6). */
  openFilesTab(channel: string): void {
    this.addFolder("Documents", channel);
  }

  /** Upload sessions that are neither finished, cancelled nor expired. */
  openSessions(): SessionInfo[] {
    return this.#sessions.open();
  }

  /** Lets all open upload sessions end, as they do by themselves after a while without a fragment. */
  expireUploadSessions(): void {
    this.#sessions.expireAll();
  }

  /** Every token, code and pre-authenticated URL ever issued. */
  secrets(): string[] {
    return this.#secrets.all();
  }

  /** Notes a folder that a client has just made. */
  madeByClient(folder: Item): void {
    this.#misses.set(folder, this.behavior.missesOfNewFolders);
  }

  /** Whether this request still does not find a new folder (PROTOCOL E3). */
  misses(folder: Item): boolean {
    const left = this.#misses.get(folder) ?? 0;
    if (left > 0) this.#misses.set(folder, left - 1);
    return left > 0;
  }

  /** The hash as an answer shows it: none for empty files, and for a while none for new ones (PROTOCOL 10). */
  reportedHash(item: Item): string | undefined {
    const reads = this.#hashReads.get(item) ?? 0;
    this.#hashReads.set(item, reads + 1);
    return reads < this.behavior.readsWithoutHash ? undefined : item.content?.quickXorHash;
  }

  /** SHA-1 in upper-case hex, which only a personal OneDrive shows, and only beside the other hash (ab#2471). */
  reportedSha1(item: Item): string | undefined {
    if (item.drive.cid === undefined || item.content === undefined) return undefined;
    const known = this.#sha1.get(item.content) ?? this.store.sha1(item.content);
    this.#sha1.set(item.content, known);
    return known;
  }

  /** What the service answers once a file is stored, with SharePoint's own changes to it (PROTOCOL U20). */
  async storedFile<T>(item: Item, toJson: () => T): Promise<T> {
    const { rewriteOfficeFiles: when, storedDamage } = this.behavior;
    const isLibrary = item.drive.info.owner === undefined;
    if (isLibrary && when === "in-response") await this.#promote(item);
    if (storedDamage !== "no") await this.#change(item, STORED_DAMAGE[storedDamage]);
    const json = toJson();
    if (isLibrary && when === "after-response") this.#unsettled.push(item);
    return json;
  }

  /** Does what the service does behind the back of its clients; called between requests. */
  async settle(): Promise<void> {
    const items = this.#unsettled;
    this.#unsettled = [];
    for (const item of items) await this.#promote(item);
  }

  #promote(item: Item): Promise<void> {
    return this.#change(item, (bytes) => promoteProperties(item.name, bytes, item.guid));
  }

  async #change(
    item: Item,
    change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    if (item.content === undefined) return;
    const bytes = await this.store.bytes(item.content);
    const changed = change(bytes);
    if (changed === bytes) return;
    const { modified } = item.fileSystemInfo;
    item.drive.replaceContent(item, this.store.put(changed), item.modifiedBy);
    item.fileSystemInfo.modified = modified; // the client's time stays (PROTOCOL 11a)
  }

  get #author(): Author {
    return { user: this.directory.users[1]! };
  }

  #item(drive: string, path: string): Item | undefined {
    return this.drive(drive).walk(path.split("/").filter((name) => name !== "")).item;
  }

  #content(drive: string, path: string): Content {
    const content = this.#item(drive, path)?.content;
    if (content === undefined) throw new Error(`no file at ${drive}:${path}`);
    return content;
  }

  #folder(drive: Drive, segments: readonly string[]): Item {
    let at = drive.root;
    for (const name of segments) {
      at = at.children.get(nameKey(name)) ?? drive.add("folder", at, name, { author: this.#author });
    }
    return at;
  }
}

function toItemInfo(item: Item): ItemInfo {
  return {
    id: item.id,
    driveId: item.drive.id,
    name: item.name,
    path: pathOf(item).join("/"),
    kind: item.kind,
    size: item.size,
    eTag: eTagOf(item),
    cTag: cTagOf(item),
    quickXorHash: item.content?.quickXorHash,
    versions: item.versions,
    modified: item.modified,
    fileSystemInfo: { ...item.fileSystemInfo },
    children: [...item.children.values()].map((child) => child.name),
  };
}
