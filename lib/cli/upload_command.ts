/**
 * From the arguments of `put` to its transfers. All local files are checked before anything is sent.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import type { Location } from "../drive/location.ts";
import { remoteName, sameName } from "../drive/names.ts";
import { usageError } from "../errors.ts";
import { basename } from "../std.ts";
import { failedJob, type TransferJob } from "../transfer/jobs.ts";
import { folderName, type LocalTree, readLocalTree } from "../upload/local_tree.ts";
import { uploadTree } from "../upload/tree.ts";
import { uploadFile, type UploadOptions, uploadStream } from "../upload/upload.ts";

/** How many skipped entries of a folder are named; `/dev` has hundreds. */
const MAX_NAMED = 5;

export interface UploadRequest {
  /** Files, folders, or `-` for standard input. */
  paths: readonly string[];
  location: Location;
  recursive: boolean;
  options: UploadOptions;
}

/** A checked argument of `put`. */
export type UploadInput =
  | { kind: "file"; path: string; name: string }
  | { kind: "folder"; path: string; name: string; tree: LocalTree }
  | { kind: "stream" };

/**
 * Reads the arguments, and folders with their contents.
 *
 * @param signal Ends the reading, which takes a while for large folders.
 * @throws {GraphError} `usage` for a folder without `recursive`, for a name that the service forbids, and for two inputs
 *   with the same name.
 */
export async function readUploadInputs(
  { paths, recursive }: UploadRequest,
  signal: AbortSignal,
): Promise<UploadInput[]> {
  const inputs: UploadInput[] = [];
  for (const path of paths) inputs.push(await readInput(path, recursive, signal));
  checkSameNames(inputs);
  checkNames(inputs);
  return inputs;
}

/** The transfers of all inputs. */
export async function* uploadJobs(
  connection: Connection,
  inputs: readonly UploadInput[],
  { location, options }: UploadRequest,
  stdin: () => ReadableStream<Uint8Array>,
): AsyncGenerator<TransferJob> {
  for (const input of inputs) {
    if (input.kind === "folder") {
      yield* treeJobs(connection, input, location, options);
    } else if (input.kind === "file") {
      yield {
        name: input.path,
        run: (onProgress) => uploadFile(connection, input.path, location, { ...options, onProgress }),
      };
    } else {
      yield {
        name: "standard input",
        run: (onProgress) => uploadStream(connection, location, { ...options, onProgress }, stdin()),
      };
    }
  }
}

async function* treeJobs(
  connection: Connection,
  { path, tree }: { path: string; tree: LocalTree },
  location: Location,
  options: UploadOptions,
): AsyncGenerator<TransferJob> {
  const { leftOut: skipped, unreadable } = tree;
  if (skipped.length > 0) {
    const named = skipped.slice(0, MAX_NAMED).join(", ") + (skipped.length > MAX_NAMED ? ", …" : "");
    connection.notice(`skipped in ${path}, since they are neither files nor folders: ${named}`);
  }
  for (const { path, error } of unreadable) yield failedJob(path, error);
  try {
    yield* uploadTree(connection, path, tree, location, options);
  } catch (error) {
    yield failedJob(path, error as Error);
  }
}

async function readInput(path: string, recursive: boolean, signal: AbortSignal): Promise<UploadInput> {
  if (path === "-") return { kind: "stream" };
  // A missing file is reported in its turn, among the others.
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isDirectory) return { kind: "file", path, name: remoteName(basename(path)) };
  if (!recursive) throw usageError(`${path} is a folder`, "use -r to include folders", "localFolder");
  return { kind: "folder", path, name: await folderName(path), tree: await readLocalTree(path, signal) };
}

/** Of two inputs with one name the second would replace the first. */
function checkSameNames(inputs: readonly UploadInput[]): void {
  const named = inputs.filter((input) => input.kind !== "stream");
  for (const [index, input] of named.entries()) {
    const other = named.slice(0, index).find(({ name }) => sameName(name, input.name));
    if (!other) continue;
    const message = `${other.path} and ${input.path} would have the same name`;
    throw usageError(message, "upload them to different folders", "sameName");
  }
}

/** Reports all forbidden names at once, so that they can be fixed in one go. */
function checkNames(inputs: readonly UploadInput[]): void {
  const faults = inputs.flatMap((input) => input.kind === "folder" ? input.tree.faults : []);
  if (faults.length === 0) return;
  const names = faults.map(({ message }) => message).join("; ");
  throw usageError(names, "rename what cannot be stored; nothing was sent", "illegalName");
}
