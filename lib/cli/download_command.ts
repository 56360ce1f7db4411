/**
 * From the arguments of `get` to its transfers.
 *
 * @module
 */
import { basename, join, resolve } from "../std.ts";
import type { Connection } from "../connect.ts";
import { downloadItem, type DownloadOptions, downloadStream } from "../download/download.ts";
import type { ByteSink } from "../download/to_stream.ts";
import { downloadTree } from "../download/tree.ts";
import { GraphError, usageError } from "../errors.ts";
import { getItem, type Item, type ResolvedItem } from "../drive/items.ts";
import { failedJob, type TransferJob } from "../transfer/jobs.ts";
import { localNameProblem } from "../download/local_names.ts";
import { localPathFor } from "../download/local_target.ts";
import type { Location } from "../drive/location.ts";

/** What `get` is to do. */
export interface DownloadRequest {
  locations: readonly Location[];
  /** As it was typed; `undefined`: the current folder. */
  destination: string | undefined;
  /** Folders with all that is in them. */
  recursive: boolean;
  options: DownloadOptions;
  /** Takes the content for `-`. */
  write: ByteSink;
}

/** The transfers of all locations. */
export async function* downloadJobs(
  connection: Connection,
  { locations, destination = ".", recursive, options, write }: DownloadRequest,
): AsyncGenerator<TransferJob> {
  if (destination === "-") {
    for (const location of locations) {
      yield {
        name: location.text,
        run: (onProgress) => downloadStream(connection, location, write, { onProgress }),
      };
    }
    return;
  }
  const targets = new Map<string, string>();
  for (const location of locations) {
    try {
      const found = await getItem(connection, location);
      yield* jobsOf(connection, found, destination, {
        recursive,
        several: locations.length > 1,
        options,
        claim: (local) => claim(targets, local, location.text),
      });
    } catch (error) {
      yield failedJob(location.text, error as Error);
    }
  }
}

async function* jobsOf(
  connection: Connection,
  found: ResolvedItem,
  destination: string,
  how: { recursive: boolean; several: boolean; options: DownloadOptions; claim: (local: string) => void },
): AsyncGenerator<TransferJob> {
  const { item } = found;
  if (item.type === "folder" && how.recursive) {
    const local = how.several ? join(destination, folderNameOf(item)) : localFolderFor(destination, item);
    how.claim(local);
    yield* downloadTree(connection, item, local, how.options);
    return;
  }
  if (item.type === "folder") {
    throw usageError(
      `${item.path || "the root folder"} is a folder`,
      "use -r for a folder with all that is in it",
      "notAFile",
    );
  }
  const local = await localPathFor(destination, item.name);
  how.claim(local);
  yield {
    name: item.path,
    bytes: item.size,
    run: (onProgress) => downloadItem(connection, found, local, { ...how.options, onProgress }),
  };
}

/** By the rule of uploads: into a DEST with a slash at its end, or a dot, under its own name; otherwise it becomes DEST. */
function localFolderFor(destination: string, item: Item): string {
  const inside = /(^|[/\\])\.{0,2}$/.test(destination);
  return inside ? join(destination, folderNameOf(item)) : destination;
}

function folderNameOf(item: Item): string {
  if (item.path === "") {
    throw usageError(
      "the root folder has no name of its own",
      "give a folder's name as DEST, without a slash",
      "noName",
    );
  }
  const fault = localNameProblem(item.name);
  if (!fault) return item.name;
  throw usageError(
    `${item.path}: ${JSON.stringify(item.name)} cannot be a local name: ${fault}`,
    "give a folder's name as DEST, without a slash",
    "illegalName",
  );
}

/** Of two inputs of one name the second would replace the first, or fail for it. */
function claim(targets: Map<string, string>, local: string, text: string): void {
  const key = resolve(local).normalize("NFC").toLowerCase();
  const twin = targets.get(key);
  if (twin !== undefined) {
    throw new GraphError("conflict", `${twin} and ${text} would both become ${basename(local)}`, {
      code: "sameName",
      hint: "get them into different folders",
    });
  }
  targets.set(key, text);
}
