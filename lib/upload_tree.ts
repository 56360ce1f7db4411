/**
 * Uploads of a folder with all that is in it.
 *
 * @module
 */
import { join } from "@std/path";
import type { Connection } from "./connection.ts";
import type { TransferJob } from "./jobs.ts";
import { openLocalFile } from "./local_file.ts";
import { folderName, type LocalTree } from "./local_tree.ts";
import type { LocationLike } from "./location.ts";
import { RemoteFolders } from "./remote_folders.ts";
import { uploadContent, type UploadOptions } from "./upload.ts";
import { findFolderTarget } from "./upload_target.ts";

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
  location: LocationLike,
  options: UploadOptions = {},
): AsyncGenerator<TransferJob> {
  const target = await findFolderTarget(connection, location, await folderName(folder));
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

function emptyFolder(remote: RemoteFolders, name: string, path: string[]): TransferJob {
  return {
    name,
    async run() {
      await remote.folder(path);
      return undefined;
    },
  };
}
