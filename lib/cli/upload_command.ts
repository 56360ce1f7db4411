/**
 * From the arguments of `put` to its transfers. All local files are checked before anything is sent.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import type { Location } from "../drive/location.ts";
import { checkNewName, remoteName, sameName } from "../drive/names.ts";
import type { FilterOptions } from "../drive/pattern.ts";
import { usageError } from "../errors.ts";
import { basename } from "../std.ts";
import { failedJob, type TransferJob } from "../transfer/jobs.ts";
import { FolderFinder } from "../upload/folders.ts";
import { folderName, type LocalTree, readLocalTree } from "../upload/local_tree.ts";
import { uploadTree } from "../upload/tree.ts";
import { uploadFile, type UploadOptions, uploadStream } from "../upload/upload.ts";

/** How many skipped entries of a folder are named; `/dev` has hundreds. */
const MAX_NAMED = 5;

interface UploadRequest {
  /** Files, folders, or `-` for standard input. */
  paths: readonly string[];
  location: Location;
  recursive: boolean;
  /** Makes missing folders above the target. */
  parents: boolean;
  /** What to take of folders. */
  filter: FilterOptions;
  options: UploadOptions;
}

/** A checked argument of `put`. */
interface UploadInput {
  path: string;
  /** As the service gets it; `undefined` for standard input. */
  name?: string;
  tree?: LocalTree;
}

/**
 * Reads the arguments, and folders with their contents.
 *
 * @param signal Ends the reading, which takes a while for large folders.
 * @throws {GraphError} `usage` for a folder without `recursive`, for a name that the service forbids, and for two inputs
 *   with the same name.
 */
export async function readUploadInputs(
  { paths, location, recursive, parents, filter }: UploadRequest,
  signal: AbortSignal,
): Promise<UploadInput[]> {
  if (parents) location.path.forEach(checkNewName);
  const inputs: UploadInput[] = [];
  for (const path of paths) inputs.push(await readInput(path, recursive && filter, signal));
  checkSameNames(inputs);
  // All at once, so that they can be fixed in one go.
  const forbidden = inputs.flatMap(({ tree }) => tree?.problems ?? []).map(({ message }) => message);
  if (forbidden.length === 0) return inputs;
  const hint = "rename what cannot be stored; nothing was sent";
  throw usageError(forbidden.join("; "), hint, "illegalName");
}

export async function* uploadJobs(
  connection: Connection,
  inputs: readonly UploadInput[],
  { location, parents, ...request }: UploadRequest,
  stdin: () => ReadableStream<Uint8Array>,
): AsyncGenerator<TransferJob> {
  const missing = request.options.dryRun ? "wouldMake" : "make";
  const folders = parents ? new FolderFinder(connection, missing) : undefined;
  const options = { ...request.options, folders };
  for (const { path, name, tree } of inputs) {
    if (tree) yield* treeJobs(connection, path, tree, location, options);
    else {
      yield {
        name: name === undefined ? "standard input" : path,
        run: (onProgress) =>
          name === undefined
            ? uploadStream(connection, location, { ...options, onProgress }, stdin())
            : uploadFile(connection, path, location, { ...options, onProgress }),
      };
    }
  }
}

async function* treeJobs(
  connection: Connection,
  path: string,
  tree: LocalTree,
  location: Location,
  options: UploadOptions,
): AsyncGenerator<TransferJob> {
  const { skipped, unreadable } = tree;
  if (skipped.length > 0) {
    const named = skipped.slice(0, MAX_NAMED).join(", ") + (skipped.length > MAX_NAMED ? ", …" : "");
    connection.notice(`skipped in ${path}, since they are neither files nor folders: ${named}`);
  }
  for (const { path, error } of unreadable) yield failedJob(path, error);
  try {
    yield* uploadTree(connection, path, tree, location, options);
  } catch (error) {
    yield failedJob(path, error);
  }
}

/** @param filter What to take of a folder; `false`: a folder is an error. */
async function readInput(
  path: string,
  filter: FilterOptions | false,
  signal: AbortSignal,
): Promise<UploadInput> {
  if (path === "-") return { path };
  // A missing file is reported in its turn, among the others.
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isDirectory) return { path, name: remoteName(basename(path)) };
  if (!filter) throw usageError(`${path} is a folder`, "use -r to include folders", "localFolder");
  return { path, name: await folderName(path), tree: await readLocalTree(path, signal, filter) };
}

/** Of two inputs with one name the second would replace the first. */
function checkSameNames(inputs: readonly UploadInput[]): void {
  for (const [index, { path, name }] of inputs.entries()) {
    const other = inputs.slice(0, index).find((other) => name && other.name && sameName(name, other.name));
    if (!other) continue;
    const message = `${other.path} and ${path} would have the same name`;
    throw usageError(message, "upload them to different folders", "sameName");
  }
}
