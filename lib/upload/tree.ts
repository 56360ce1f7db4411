/**
 * Uploads of a folder with all that is in it.
 *
 * @module
 */
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import { usageError } from "../errors.ts";
import type { TransferJob } from "../transfer/jobs.ts";
import { openLocalFile } from "../local/local_file.ts";
import { folderName, type LocalTree } from "./local_tree.ts";
import type { LocationInput } from "../drive/location.ts";
import { MAX_PATH } from "../drive/names.ts";
import { RemoteFolders } from "./remote_folders.ts";
import { uploadContent, type UploadOptions } from "./upload.ts";
import { findFolderTarget } from "./target.ts";

/**
 * The transfers that bring a local folder to a location: into it under its own name if the location ends with a slash,
 * otherwise as the location itself. Folders are made once, empty ones as well; nothing on the server is removed.
 *
 * @param tree What is in the folder, from `readLocalTree`; without faults.
 */
export async function* uploadTree(
  connection: Connection,
  folder: string,
  tree: LocalTree,
  location: LocationInput,
  options: UploadOptions = {},
): AsyncGenerator<TransferJob> {
  const target = await findFolderTarget(connection, location, await folderName(folder));
  refuseLongPaths(tree, [target.base.item.path, target.name ?? ""].filter(Boolean).join("/"));
  const remote = new RemoteFolders(connection, target, options.dryRun ?? false);
  const filled = new Set(tree.files.map(({ folders }) => folders.join("/")));
  for (const path of [[], ...tree.folders]) {
    if (!filled.has(path.join("/"))) yield emptyFolder(remote, join(folder, ...path), path);
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

/** The service would refuse them one by one, after all the others were sent. */
function refuseLongPaths(tree: LocalTree, below: string): void {
  const paths = [...tree.folders, ...tree.files.map(({ folders, name }) => [...folders, name])];
  const long = paths.map((path) => [below, ...path].filter(Boolean).join("/"))
    .filter((path) => path.length > MAX_PATH);
  const [first] = long;
  if (first === undefined) return;
  throw usageError(
    `${long.length} paths are longer than the service allows, ${MAX_PATH} characters: ${first}${
      long.length > 1 ? ", …" : ""
    }`,
    "use shorter names, or a place nearer to the root; nothing was sent",
    "illegalName",
  );
}

function emptyFolder(remote: RemoteFolders, name: string, path: string[]): TransferJob {
  return {
    name,
    isFolder: true,
    async run() {
      await remote.folder(path);
      return undefined;
    },
  };
}
