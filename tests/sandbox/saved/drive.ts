/** The items of a drive as JSON. */

import { basename, join } from "node:path";
import type { Content } from "../tenant/content_store.ts";
import { type Directory, userNamed } from "../tenant/directory.ts";
import type { Drive } from "../tenant/drive.ts";
import type { Author, Item, Version } from "../tenant/item.ts";
import { nameKey } from "../tenant/names.ts";

/** The author of a change, by the short name of the person. */
interface SavedAuthor {
  user: string | undefined;
  application: Author["application"];
}

/** The bytes of a version, in a file of the content folder. */
type SavedContent = Omit<Content, "file"> & { name: string };

interface SavedVersion {
  number: number;
  content: SavedContent;
  modified: string;
  modifiedBy: SavedAuthor;
}

type SavedItem =
  & Pick<
    Item,
    "guid" | "id" | "kind" | "name" | "description" | "size" | "eTagVersion" | "cTagVersion" | "versions"
  >
  & {
    /** The id of its folder; none of the root. */
    parent: string | undefined;
    content: SavedContent | undefined;
    /** Of a shortcut. */
    target: { drive: string; item: string } | undefined;
    history: SavedVersion[];
    created: string;
    modified: string;
    fileSystemInfo: { created: string; modified: string };
    createdBy: SavedAuthor;
    modifiedBy: SavedAuthor;
  };

export interface SavedDrive {
  id: string;
  quotaBytes: number;
  /** Each after the folder that it is in. */
  items: SavedItem[];
}

export function saveDrive(drive: Drive): SavedDrive {
  return { id: drive.id, quotaBytes: drive.quotaBytes, items: saveItems(drive.root) };
}

/** The files of the content folder that a drive needs. */
export function contentNames({ items }: SavedDrive): string[] {
  return items.flatMap(({ content, history }) => [content, ...history.map(({ content }) => content)])
    .flatMap((content) => content ? [content.name] : []);
}

function saveItems(item: Item): SavedItem[] {
  const { parent, children, content, target, history, created, modified, fileSystemInfo, ...rest } = item;
  const { guid, id, kind, name, description, size, eTagVersion, cTagVersion, versions } = rest;
  const saved: SavedItem = {
    ...{ guid, id, kind, name, description, size, eTagVersion, cTagVersion, versions },
    parent: parent?.id,
    content: content && saveContent(content),
    target: target && { drive: target.drive.id, item: target.id },
    history: history.map(({ number, content, modified, modifiedBy }) => ({
      number,
      content: saveContent(content),
      modified: modified.toISOString(),
      modifiedBy: saveAuthor(modifiedBy),
    })),
    created: created.toISOString(),
    modified: modified.toISOString(),
    fileSystemInfo: {
      created: fileSystemInfo.created.toISOString(),
      modified: fileSystemInfo.modified.toISOString(),
    },
    createdBy: saveAuthor(item.createdBy),
    modifiedBy: saveAuthor(item.modifiedBy),
  };
  return [saved, ...[...children.values()].flatMap(saveItems)];
}

function saveContent({ file, ...content }: Content): SavedContent {
  return { ...content, name: basename(file) };
}

function saveAuthor({ user, application }: Author): SavedAuthor {
  return { user: user?.key, application: application && { ...application } };
}

/** Puts the items into drives, which have only their roots. @param folder Of contents */
export function restoreDrives(
  saved: readonly SavedDrive[],
  drives: readonly Drive[],
  directory: Directory,
  folder: string,
): void {
  const driveOf = (id: string) => drives.find((drive) => drive.id === id)!;
  const items = saved.flatMap(({ id, quotaBytes, items }) => {
    const drive = driveOf(id);
    drive.quotaBytes = quotaBytes;
    return items.map((item) => ({ drive, item }));
  });
  // A shortcut comes after what it leads to, which may be in another drive.
  items.sort((one, other) => Number(one.item.kind === "link") - Number(other.item.kind === "link"));
  for (const { drive, item } of items) {
    const target = item.target && driveOf(item.target.drive).item(item.target.item);
    const parent = item.parent === undefined ? undefined : drive.item(item.parent)!;
    restoreItem(drive, toItem(item, { drive, parent, target, directory, folder }));
  }
}

function restoreItem(drive: Drive, item: Item): void {
  if (item.parent === undefined) {
    return void Object.assign(drive.root, { ...item, children: drive.root.children });
  }
  item.parent.children.set(nameKey(item.name), item);
  drive.restore(item);
}

interface Surroundings {
  drive: Drive;
  parent: Item | undefined;
  target: Item | undefined;
  directory: Directory;
  folder: string;
}

function toItem(saved: SavedItem, { drive, parent, target, directory, folder }: Surroundings): Item {
  const content = ({ name, ...rest }: SavedContent): Content => ({ ...rest, file: join(folder, name) });
  const author = ({ user, application }: SavedAuthor): Author => ({
    ...(user === undefined ? {} : { user: userNamed(directory, user) }),
    ...(application && { application }),
  });
  const version = (former: SavedVersion): Version => ({
    number: former.number,
    content: content(former.content),
    modified: new Date(former.modified),
    modifiedBy: author(former.modifiedBy),
  });
  return {
    ...saved,
    description: saved.description,
    drive,
    parent,
    target,
    children: new Map(),
    content: saved.content && content(saved.content),
    history: saved.history.map(version),
    created: new Date(saved.created),
    modified: new Date(saved.modified),
    fileSystemInfo: {
      created: new Date(saved.fileSystemInfo.created),
      modified: new Date(saved.fileSystemInfo.modified),
    },
    createdBy: author(saved.createdBy),
    modifiedBy: author(saved.modifiedBy),
  };
}
