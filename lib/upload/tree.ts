/**
 * Uploads of a folder with its contents. Each remote folder is listed or created once, however many files go into it.
 *
 * @module
 */
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import { listChildren } from "../drive/children.ts";
import type { ResolvedItem } from "../drive/items.ts";
import type { LocationInput } from "../drive/location.ts";
import { nameKey } from "../drive/names.ts";
import type { FilterOptions } from "../drive/pattern.ts";
import { openLocalFile } from "../local/local_file.ts";
import { failedJob, runAll, type TransferJob } from "../transfer/jobs.ts";
import type { TransferResult } from "../transfer/result.ts";
import { assertFolder, createFolder, type NewFolder } from "./folders.ts";
import { folderName, type LocalTree, readLocalTree } from "./local_tree.ts";
import { findFolderTarget, type FolderTarget, type UploadTarget } from "./target.ts";
import { uploadContent, type UploadOptions } from "./upload.ts";

/** How to transfer a folder. */
export type UploadFolderOptions = Omit<UploadOptions, "onProgress"> & FilterOptions & {
  /** Files in parallel. @default 8, fewer when the service throttles */
  jobs?: number;
};

/**
 * Uploads a folder and its contents: into the location under its own name if that ends with a slash, otherwise as the
 * location itself. Files that are there with the same content are skipped, so the same call continues after a failure; all
 * others are tried after one. Nothing is removed.
 *
 * @returns one result for each file.
 * @throws {GraphError} `usage`, code `illegalName`, before anything is sent; the first failure, after all files were tried.
 */
export async function uploadFolder(
  connection: Connection,
  folder: string,
  location: LocationInput,
  { jobs, ...options }: UploadFolderOptions = {},
): Promise<TransferResult[]> {
  const tree = await readLocalTree(folder, connection.graph.http.signal, options);
  if (tree.problems[0]) throw tree.problems[0];
  for (const path of tree.skipped) connection.notice(`${path} is skipped: it is neither a file nor a folder`);
  const transfers = async function* () {
    for (const { path, error } of tree.unreadable) yield failedJob(path, error);
    yield* uploadTree(connection, folder, tree, location, { ifChanged: true, ...options });
  };
  return await runAll(connection, transfers(), jobs);
}

/**
 * The transfers that bring a local folder to a location: into it under its own name if the location ends with a slash,
 * otherwise as the location itself. Folders are made once, empty ones as well; nothing on the server is removed.
 *
 * @param tree What is in the folder, from `readLocalTree`; without problems.
 */
export async function* uploadTree(
  connection: Connection,
  folder: string,
  tree: LocalTree,
  location: LocationInput,
  options: UploadOptions = {},
): AsyncGenerator<TransferJob> {
  const target = await findFolderTarget(connection, location, await folderName(folder), options.folders);
  const remote = new RemoteFolders(connection, target, options.dryRun ?? false);
  const filled = new Set(tree.files.map(({ folders }) => folders.join("/")));
  for (const path of [[], ...tree.folders]) {
    if (filled.has(path.join("/"))) continue;
    yield {
      name: join(folder, ...path),
      isFolder: true,
      run: async () => void await remote.folder(path),
    };
  }
  for (const { path, folders, name, size } of tree.files) {
    yield {
      name: path,
      bytes: size,
      async run(onProgress) {
        using content = await openLocalFile(path);
        const target = await remote.fileTarget(folders, name);
        return await uploadContent(connection, content, target, { ...options, onProgress });
      },
    };
  }
}

/** A folder, and what was in it when it was listed. */
interface KnownFolder extends NewFolder {
  /** By name as the service compares names. */
  children: Map<string, ResolvedItem>;
}

/** The folders below the target. */
class RemoteFolders {
  readonly #connection: Connection;
  readonly #target: FolderTarget;
  readonly #dryRun: boolean;
  readonly #known = new Map<string, Promise<KnownFolder>>();

  /** @param dryRun Creates nothing, and acts as if it had. */
  constructor(connection: Connection, target: FolderTarget, dryRun: boolean) {
    this.#connection = connection;
    this.#target = target;
    this.#dryRun = dryRun;
  }

  /** Lists a folder, or creates it with those above it; once each. @param path Names below the target. */
  folder(path: readonly string[]): Promise<KnownFolder> {
    const key = path.map(nameKey).join("/");
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, known = this.#find(path));
    return known;
  }

  async fileTarget(path: readonly string[], name: string): Promise<UploadTarget> {
    const { item, children, fresh } = await this.folder(path);
    const existing = children.get(nameKey(name));
    return {
      folder: { driveId: item.driveId, itemId: item.id },
      folderId: item.id,
      folderPath: item.path,
      name: existing?.item.name ?? name,
      existing: existing?.driveItem,
      driveType: this.#target.driveType,
      fresh,
    };
  }

  async #find(path: readonly string[]): Promise<KnownFolder> {
    const { base, name } = this.#target;
    if (path.length > 0) return await this.#enter(await this.folder(path.slice(0, -1)), path.at(-1)!);
    const top = await this.#contents(base);
    return name === undefined ? top : await this.#enter(top, name);
  }

  async #enter(parent: KnownFolder, name: string): Promise<KnownFolder> {
    const found = parent.children.get(nameKey(name));
    return await this.#contents(
      found
        ? { ...assertFolder(found), fresh: false }
        : await createFolder(this.#connection, parent, name, this.#dryRun),
    );
  }

  async #contents(folder: NewFolder): Promise<KnownFolder> {
    const children = new Map<string, ResolvedItem>();
    if (folder.fresh) return { ...folder, children };
    for await (const child of listChildren(this.#connection, folder.item)) {
      children.set(nameKey(child.item.name), child);
    }
    return { ...folder, children };
  }
}
