/**
 * From the arguments of `get` to its transfers.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { downloadItem, type DownloadOptions, downloadStream } from "../download/download.ts";
import { checkLocalName, localPathFor } from "../download/local_target.ts";
import { downloadTree, SKIPPED } from "../download/tree.ts";
import { findItems, type Item, type ResolvedItem } from "../drive/items.ts";
import type { Location } from "../drive/location.ts";
import type { FilterOptions } from "../drive/pattern.ts";
import { GraphError, usageError } from "../errors.ts";
import { parseJsonObject } from "../json.ts";
import { basename, join, resolve } from "../std.ts";
import { failedJob, type TransferJob } from "../transfer/jobs.ts";
import { type OutputStream, writeBytes } from "./host.ts";

interface DownloadRequest {
  locations: AsyncIterable<Location> | Iterable<Location>;
  /** Locations come from a list, of which only files are downloaded, and folders with `recursive`. */
  isList: boolean;
  /** A file, a folder, or `-` for standard output. @default the current folder */
  destination?: string | undefined;
  /** Whether the destination is an existing folder for several items. */
  intoFolder: boolean;
  recursive: boolean;
  options: DownloadOptions & FilterOptions;
  /** Takes the content for `-`. */
  stdout: OutputStream;
}

export async function* downloadJobs(
  connection: Connection,
  request: DownloadRequest,
): AsyncGenerator<TransferJob> {
  const { locations, destination, stdout } = request;
  /** Locations by the local paths that they take, on any file system. */
  const taken = new Map<string, string>();
  for await (const location of locations) {
    if (destination === "-") {
      const sink = (bytes: Uint8Array) => Promise.resolve(writeBytes(stdout, bytes));
      yield {
        name: location.text,
        run: (onProgress) => downloadStream(connection, location, sink, { onProgress }),
      };
      continue;
    }
    try {
      for await (const found of findItems(connection, location, request.recursive)) {
        yield* itemJobs(connection, found, location, request, taken);
      }
    } catch (error) {
      yield failedJob(location.text, error);
    }
  }
}

async function* itemJobs(
  connection: Connection,
  found: ResolvedItem,
  { text, pattern }: Location,
  request: DownloadRequest,
  taken: Map<string, string>,
): AsyncGenerator<TransferJob> {
  const { isList, recursive, options } = request;
  const { item } = found;
  if ((isList || pattern) && item.type !== "file" && !(item.type === "folder" && recursive)) {
    const reason = item.type === "folder" ? "use -r to include folders" : SKIPPED[item.type];
    return connection.notice(`${item.path} is skipped: ${reason}`);
  }
  const name = pattern ? item.path : text;
  try {
    const local = await localPath(item, request);
    const key = resolve(local).normalize("NFC").toLowerCase();
    const other = taken.get(key);
    if (other !== undefined) { // the second would replace the first
      const message = `${other} and ${name} would both become ${basename(local)}`;
      const hint = "download them to different folders";
      throw new GraphError("conflict", message, { code: "sameName", hint });
    }
    taken.set(key, name);
    if (item.type === "folder") yield* downloadTree(connection, item, local, options);
    else {
      yield {
        name: item.path,
        bytes: item.size,
        run: (onProgress) => downloadItem(connection, found, local, { ...options, onProgress }),
      };
    }
  } catch (error) {
    yield failedJob(name, error as Error);
  }
}

/**
 * The items that `ls --json` has printed, as locations.
 *
 * @throws {GraphError} `usage` for a line without the ids of an item.
 */
export async function* listedLocations(
  input: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Location> {
  let rest = "";
  const parse = (line: string): Location[] => {
    if (line.trim() === "") return [];
    const { id, driveId, path = id } = parseJsonObject(line) ?? {};
    if (typeof id !== "string" || typeof driveId !== "string") {
      throw usageError(`no item with id and driveId: ${line}`, "pass lines of ls --json on standard input");
    }
    return [{ text: `${path}`, base: { kind: "item", driveId, itemId: id }, path: [], folder: false }];
  };
  for await (const text of input.pipeThrough(new TextDecoderStream(), { signal })) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines.flatMap(parse);
  }
  yield* parse(rest);
}

/** Where an item goes. A folder becomes the destination, unless that ends with a slash or a dot, or several items go there. */
async function localPath(item: Item, request: DownloadRequest): Promise<string> {
  const { destination = ".", intoFolder, recursive } = request;
  if (item.type !== "folder") return await localPathFor(destination, item);
  if (!recursive) {
    throw usageError(`${item.path || "the root folder"} is a folder`, undefined, "remoteFolder");
  }
  const isParent = intoFolder || /(^|[/\\])\.{0,2}$/.test(destination);
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
