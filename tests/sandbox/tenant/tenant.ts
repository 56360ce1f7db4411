/** The state behind the services, as tests see it. */

import { sharingLink } from "./sharing_link.ts";
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

/** An item as tests see it. */
export interface ItemInfo {
  /** The id in Graph. */
  id: string;
  /** The id of its drive. */
  driveId: string;
  /** The name of the item. */
  name: string;
  /** Relative to the root of the drive, without a leading slash. */
  path: string;
  /** What it is. */
  kind: ItemKind;
  /** In bytes; of a folder, with everything in it. */
  size: number;
  /** Changes with every change of the item. */
  eTag: string;
  /** Changes with the content. */
  cTag: string;
  /** In base64; undefined for what has no content. */
  quickXorHash: string | undefined;
  /** The number of versions, with the current one. */
  versions: number;
  /** Server time of the last change. */
  modified: Date;
  /** The timestamps that clients may set. */
  fileSystemInfo: { created: Date; modified: Date };
  /** Names of the children. */
  children: string[];
}

/** Behavior in which real services differ. */
export interface Behavior {
  /** `PUT …:/A/B/c.txt:/content` creates A and B (PROTOCOL 3.4). */
  putCreatesParents: boolean;
  /** How many metadata responses for a new file lack its hash (PROTOCOL 10). */
  readsWithoutHash: number;
  /** SharePoint rewrites Office files: before the response to the upload, or after it (PROTOCOL 10.2). */
  rewriteOfficeFiles: "no" | "in-response" | "after-response";
  /** Damage to uploaded bytes, after SharePoint's own changes. */
  storedDamage: "flipped-byte" | "first-byte-only" | "no";
  /** How many requests for a new folder or its contents fail with 404 (PROTOCOL E3). */
  missesOfNewFolders: number;
  /** Reads without permission are 404 instead of 403 (PROTOCOL 2.3c). */
  forbiddenAsNotFound: boolean;
  /** Listings begin with an empty page (PROTOCOL 4.1). */
  emptyFirstPage: boolean;
}

/** The tenant: directory, libraries and file contents. */
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
    forbiddenAsNotFound: false,
  };
  readonly #drives: Map<string, Drive>;
  readonly #secrets: Secrets;
  readonly #sessions: UploadSessions;
  readonly #hashReads = new WeakMap<Item, number>();
  readonly #misses = new WeakMap<Item, number>();
  readonly #otherHashes = new WeakMap<Content, Record<string, string>>();
  #pendingPromotions: Item[] = [];

  constructor(folder: string, secrets: Secrets, sessions: UploadSessions, olderForms: boolean) {
    this.store = new ContentStore(folder);
    this.#secrets = secrets;
    this.#sessions = sessions;
    const { directory, drives } = contoso({ store: this.store, olderForms });
    this.directory = directory;
    this.#drives = drives;
    seed(drives, directory.users, this.store);
  }

  /** All drives. */
  get drives(): Drive[] {
    return [...new Set(this.#drives.values())];
  }

  /**
   * A drive by id or test name: "me" or "adele", "megan", "Documents" or "TestTeam" (default library of the site
   * TestTeam), "Archive", "Marketing", "Contoso" (root site), "robin" (a personal OneDrive).
   */
  drive(name: string): Drive {
    const drive = this.#drives.get(name) ?? this.drives.find((drive) => drive.id === name);
    if (drive === undefined) {
      throw new Error(`no drive ${name}; there are ${[...this.#drives.keys()].join(", ")}`);
    }
    return drive;
  }

  /** The item at this path, or undefined. */
  find(drive: string, path: string): ItemInfo | undefined {
    const item = this.#item(drive, path);
    return item && toItemInfo(item);
  }

  /** The stored bytes of a file. */
  bytes(drive: string, path: string): Promise<Uint8Array> {
    return this.store.bytes(this.#content(drive, path));
  }

  /** SHA-256 of a file in hex, streamed. */
  sha256(drive: string, path: string): Promise<string> {
    return this.store.sha256(this.#content(drive, path));
  }

  /** Stores a file as another user; creates parent folders and replaces an existing file. */
  addFile(drive: string, path: string, bytes: Uint8Array | string): ItemInfo {
    const segments = path.split("/");
    const name = segments.pop()!;
    const parent = this.#folder(this.drive(drive), segments);
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    const options = { conflict: "replace", author: this.#author } as const;
    return toItemInfo(parent.drive.placeFile(parent, name, this.store.put(data), options).item);
  }

  /** Creates a folder and its parents. */
  addFolder(drive: string, path: string): ItemInfo {
    return toItemInfo(this.#folder(this.drive(drive), path.split("/")));
  }

  /** Deletes an item and its contents as another user. */
  remove(drive: string, path: string): void {
    const item = this.#item(drive, path);
    if (item === undefined) throw new Error(`nothing at ${drive}:${path}`);
    item.drive.remove(item);
  }

  /** Simulates the first visit of a channel's Files tab (PROTOCOL L6). */
  openFilesTab(channel: string): void {
    this.addFolder("Documents", channel);
  }

  /** The share link of an item. */
  shareLink(drive: string, path: string): string {
    return sharingLink(this.#item(drive, path)!);
  }

  /** Open upload sessions. */
  openSessions(): SessionInfo[] {
    return this.#sessions.open();
  }

  /** Expires all open upload sessions. */
  expireUploadSessions(): void {
    this.#sessions.expireAll();
  }

  /** All tokens, codes and pre-authenticated URLs issued so far. */
  secrets(): string[] {
    return this.#secrets.all();
  }

  /** Records a folder that a client has created. */
  recordNewFolder(folder: Item): void {
    this.#misses.set(folder, this.behavior.missesOfNewFolders);
  }

  /** Whether this request does not see a new folder yet (PROTOCOL E3). */
  isStillHidden(folder: Item): boolean {
    const left = this.#misses.get(folder) ?? 0;
    if (left > 0) this.#misses.set(folder, left - 1);
    return left > 0;
  }

  /** The reported hash: none for empty files, nor at first for new files (PROTOCOL 10). */
  reportedHash(item: Item): string | undefined {
    const reads = this.#hashReads.get(item) ?? 0;
    this.#hashReads.set(item, reads + 1);
    return reads < this.behavior.readsWithoutHash ? undefined : item.content?.quickXorHash;
  }

  /** Further hashes, in upper-case hex: of a personal OneDrive only, and not of a PDF (PROTOCOL 10a). */
  otherHashes({ name, drive, content }: Item): Record<string, string> {
    const { cid, info: { olderForms } } = drive;
    const hasNone = cid === undefined || content === undefined || (!olderForms && /\.pdf$/i.test(name));
    if (hasNone) return {};
    const known = this.#otherHashes.get(content) ?? {
      sha1Hash: this.store.hexDigest(content, "sha1"),
      ...(olderForms ? {} : { sha256Hash: this.store.hexDigest(content, "sha256") }),
    };
    this.#otherHashes.set(content, known);
    return known;
  }

  /** The response to a completed upload, after SharePoint's own changes (PROTOCOL U20). */
  async storedFile<T>(item: Item, toJson: () => T): Promise<T> {
    const { rewriteOfficeFiles: when, storedDamage } = this.behavior;
    const isLibrary = item.drive.info.owner === undefined;
    if (isLibrary && when === "in-response") await this.#promote(item);
    if (storedDamage !== "no") await this.#change(item, STORED_DAMAGE[storedDamage]);
    const json = toJson();
    if (isLibrary && when === "after-response") this.#pendingPromotions.push(item);
    return json;
  }

  /** Applies pending background changes; called between requests. */
  async applyPendingChanges(): Promise<void> {
    const items = this.#pendingPromotions;
    this.#pendingPromotions = [];
    for (const item of items) await this.#promote(item);
  }

  #promote(item: Item): Promise<void> {
    return this.#change(item, (bytes) => promoteProperties(item.name, bytes, item.guid));
  }

  async #change(
    item: Item,
    change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    // It may have been deleted meanwhile.
    if (item.content === undefined || item.drive.item(item.id) !== item) return;
    const bytes = await this.store.bytes(item.content);
    const changed = change(bytes);
    if (changed === bytes) return;
    const { modified } = item.fileSystemInfo;
    item.drive.replaceContent(item, this.store.put(changed), item.modifiedBy);
    item.fileSystemInfo.modified = modified; // keep the client's time (PROTOCOL 11a)
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
