/**
 * From the arguments of `get` to its transfers.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { downloadItem, type DownloadOptions, downloadStream } from "../download/download.ts";
import { checkLocalName, localPathFor } from "../download/local_target.ts";
import { downloadTree } from "../download/tree.ts";
import { getItem, type Item } from "../drive/items.ts";
import type { Location } from "../drive/location.ts";
import { GraphError, usageError } from "../errors.ts";
import { basename, join, resolve } from "../std.ts";
import { failedJob, type TransferJob } from "../transfer/jobs.ts";
import { type OutputStream, writeBytes } from "./host.ts";

interface DownloadRequest {
  locations: readonly Location[];
  /** A file, a folder, or `-` for standard output. @default the current folder */
  destination?: string | undefined;
  recursive: boolean;
  options: DownloadOptions;
  /** Takes the content for `-`. */
  stdout: OutputStream;
}

export async function* downloadJobs(
  connection: Connection,
  request: DownloadRequest,
): AsyncGenerator<TransferJob> {
  const { locations, destination, options, stdout } = request;
  /** Locations by the local paths that they take, on any file system. */
  const taken = new Map<string, string>();
  for (const location of locations) {
    if (destination === "-") {
      const sink = (bytes: Uint8Array) => Promise.resolve(writeBytes(stdout, bytes));
      yield {
        name: location.text,
        run: (onProgress) => downloadStream(connection, location, sink, { onProgress }),
      };
      continue;
    }
    try {
      const found = await getItem(connection, location);
      const { item } = found;
      const local = await localPath(item, request);
      const key = resolve(local).normalize("NFC").toLowerCase();
      const other = taken.get(key);
      if (other !== undefined) { // the second would replace the first
        const message = `${other} and ${location.text} would both become ${basename(local)}`;
        const hint = "download them to different folders";
        throw new GraphError("conflict", message, { code: "sameName", hint });
      }
      taken.set(key, location.text);
      if (item.type === "folder") yield* downloadTree(connection, item, local, options);
      else {
        yield {
          name: item.path,
          bytes: item.size,
          run: (onProgress) => downloadItem(connection, found, local, { ...options, onProgress }),
        };
      }
    } catch (error) {
      yield failedJob(location.text, error);
    }
  }
}

/** Where an item goes. A folder becomes the destination, unless that ends with a slash or a dot, or several items go there. */
async function localPath(item: Item, request: DownloadRequest): Promise<string> {
  const { destination = ".", locations, recursive } = request;
  if (item.type !== "folder") return await localPathFor(destination, item);
  if (!recursive) {
    throw usageError(`${item.path || "the root folder"} is a folder`, undefined, "remoteFolder");
  }
  const isParent = locations.length > 1 || /(^|[/\\])\.{0,2}$/.test(destination);
  return isParent ? join(destination, folderName(item)) : destination;
}

function folderName(item: Item): string {
  if (item.path === "") {
    const hint = "give a folder name as DEST, without a slash at the end";
    throw usageError("the root folder has no name", hint, "noName");
  }
  checkLocalName(item);
  return item.name;
}
