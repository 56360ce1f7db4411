/**
 * Downloads of a folder and its contents.
 *
 * @module
 */
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import { downloadItem, type DownloadOptions } from "./download.ts";
import { GraphError } from "../errors.ts";
import { type Item, listChildren } from "../drive/items.ts";
import { joinRemote } from "../drive/names.ts";
import { Filter, type FilterOptions } from "../drive/pattern.ts";
import { lstatIfExists } from "../local/local_file.ts";
import { failedJob, type TransferJob } from "../transfer/jobs.ts";
import { checkLocalName } from "./local_target.ts";

/** Why an item has nothing to download. */
export const SKIPPED = {
  package: "a OneNote notebook has no content of its own",
  link: "shortcuts are not followed",
};

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
  yield* downloadFolder(connection, folder, local, { ...options, filter, visited: new Set() }, "");
}

async function* downloadFolder(
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
    for await (const found of listChildren(connection, folder, visited)) {
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
      if (item.type === "folder") yield* downloadFolder(connection, item, path, options, inside);
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
