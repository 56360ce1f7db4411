/**
 * Downloads of a folder and its contents.
 *
 * @module
 */
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import { downloadItem, type DownloadOptions } from "./download.ts";
import { GraphError } from "../errors.ts";
import { childPages, listChildren } from "../drive/children.ts";
import { getItem, type Item, notAFolderError } from "../drive/items.ts";
import type { LocationInput } from "../drive/location.ts";
import { joinRemote } from "../drive/names.ts";
import { Filter, type FilterOptions } from "../drive/pattern.ts";
import { lstatIfExists } from "../local/local_file.ts";
import { failedJob, runAll, type TransferJob } from "../transfer/jobs.ts";
import type { TransferResult } from "../transfer/result.ts";
import { checkLocalName } from "./local_target.ts";

/** Why an item has nothing to download. */
export const SKIPPED = {
  package: "a OneNote notebook has no content of its own",
  link: "shortcuts are not followed",
};

/** How to transfer a folder. */
export type DownloadFolderOptions = Omit<DownloadOptions, "onProgress"> & FilterOptions & {
  /** Files in parallel. @default 8, fewer when the service throttles */
  jobs?: number;
};

/**
 * Downloads a folder and its contents. Files that are here with the same content are skipped, so the same call continues
 * after a failure; all others are tried after one. Nothing is deleted.
 *
 * @param destination Becomes the copy of the folder, and is made if missing.
 * @returns one result for each file.
 * @throws {GraphError} the first failure, after all files were tried.
 */
export async function downloadFolder(
  connection: Connection,
  location: LocationInput,
  destination: string,
  { jobs, ...options }: DownloadFolderOptions = {},
): Promise<TransferResult[]> {
  const { item } = await getItem(connection, location);
  if (item.type !== "folder") throw notAFolderError(item);
  const all = { ifChanged: true, connections: 1, ...options };
  return await runAll(connection, downloadTree(connection, item, destination, all), jobs);
}

/**
 * Lists the downloads of a folder and its contents. Creates local folders on the way, empty ones too, and deletes nothing.
 * What cannot be downloaded is a failed job, which does not stop the others.
 */
export async function* downloadTree(
  connection: Connection,
  folder: Item,
  local: string,
  options: DownloadOptions & FilterOptions,
): AsyncGenerator<TransferJob> {
  const filter = new Filter(options);
  yield* downloadContents(connection, folder, local, { ...options, filter, visited: new Set() }, "");
}

async function* downloadContents(
  connection: Connection,
  folder: Item,
  local: string,
  options: DownloadOptions & { filter: Filter; visited: Set<string> },
  below: string,
): AsyncGenerator<TransferJob> {
  const { filter, visited } = options;
  const makeFolder = () => options.dryRun ? undefined : Deno.mkdir(local, { recursive: true });
  try {
    if (visited.size > 0) await refuseSymlink(local);
    if (filter.keepsEmptyFolders) await makeFolder();
    const pages = childPages(connection, folder, true); // so that a file takes one request, to storage
    for await (const found of listChildren(connection, folder, visited, pages)) {
      const { item } = found;
      const inside = joinRemote(below, item.name);
      if (!filter.takes(inside, item.type === "folder")) continue;
      try {
        checkLocalName(item);
      } catch (error) {
        yield failedJob(item.path, error);
        continue;
      }
      const path = join(local, item.name);
      if (item.type === "folder") yield* downloadContents(connection, item, path, options, inside);
      else if (item.type === "file") {
        await makeFolder();
        yield {
          name: item.path,
          bytes: item.size,
          run: (onProgress) => downloadItem(connection, found, path, { ...options, onProgress }),
        };
      } else connection.notice(`${item.path} is skipped: ${SKIPPED[item.type]}`);
    }
  } catch (error) {
    yield failedJob(folder.path, error);
  }
}

/** A symlink to a folder would lead to a place that the user did not name. */
async function refuseSymlink(local: string): Promise<void> {
  if (!(await lstatIfExists(local))?.isSymlink) return;
  throw new GraphError("conflict", `${local} is a symbolic link, which is not followed`, {
    code: "linkedFolder",
    hint: "remove the link, or download that folder on its own to where it leads",
  });
}
