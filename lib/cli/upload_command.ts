/**
 * From the arguments of `put` to its transfers: everything local is looked at before anything is sent.
 *
 * @module
 */
import { basename } from "../std.ts";
import type { Connection } from "../connect.ts";
import { GraphError, usageError } from "../errors.ts";
import { failedJob, type TransferJob } from "../transfer/jobs.ts";
import { folderName, type LocalTree, readLocalTree } from "../upload/local_tree.ts";
import type { Location } from "../drive/location.ts";
import { remoteName, sameName } from "../drive/names.ts";
import { uploadFile, type UploadOptions, uploadStream } from "../upload/upload.ts";
import { uploadTree } from "../upload/tree.ts";

/** So many entries that are skipped are named, of a folder such as `/dev`. */
const MAX_NAMED = 5;

/** One argument of `put`. */
type Input =
  | { kind: "file"; path: string; name: string }
  | { kind: "folder"; path: string; name: string; tree: LocalTree }
  | { kind: "stream" };

/**
 * Reads the inputs.
 *
 * @param signal Ends the reading, which takes a while for large folders.
 * @returns What starts the transfers, given a connection.
 * @throws {GraphError} `usage` when two inputs would have one name, when something has a forbidden name, or for a folder
 *   without `recursive`.
 */
export async function uploadJobs(
  paths: readonly string[],
  location: Location,
  recursive: boolean,
  signal: AbortSignal,
  stdin: () => ReadableStream<Uint8Array>,
  options: UploadOptions,
): Promise<(connection: Connection) => AsyncGenerator<TransferJob>> {
  const inputs: Input[] = [];
  for (const path of paths) inputs.push(await readInput(path, recursive, signal));
  refuseSameNames(inputs);
  refuseForbiddenNames(inputs);
  return async function* (connection) {
    for (const input of inputs) {
      if (input.kind === "folder") {
        yield* treeJobs(connection, input, location, options);
        continue;
      }
      yield {
        name: input.kind === "file" ? input.path : "standard input",
        run: (onProgress) =>
          input.kind === "file"
            ? uploadFile(connection, input.path, location, { ...options, onProgress })
            : uploadStream(connection, location, { ...options, onProgress }, stdin()),
      };
    }
  };
}

async function* treeJobs(
  connection: Connection,
  { path, tree }: Input & { kind: "folder" },
  location: Location,
  options: UploadOptions,
): AsyncGenerator<TransferJob> {
  const { leftOut } = tree;
  if (leftOut.length > MAX_NAMED) {
    const some = leftOut.slice(0, MAX_NAMED).join(", ");
    connection.notice(
      `${leftOut.length} entries of ${path} are skipped, neither files nor folders: ${some}, …`,
    );
  } else {
    for (const entry of leftOut) connection.notice(`${entry} is skipped: it is neither a file nor a folder`);
  }
  for (const { path, error } of tree.unreadable) yield failedJob(path, error);
  try {
    yield* uploadTree(connection, path, tree, location, options);
  } catch (error) {
    yield failedJob(path, error as Error);
  }
}

async function readInput(path: string, recursive: boolean, signal: AbortSignal): Promise<Input> {
  if (path === "-") return { kind: "stream" };
  const facts = await Deno.stat(path).catch(() => undefined); // reported in its turn, among the others
  if (!facts?.isDirectory) return { kind: "file", path, name: remoteName(basename(path)) };
  if (!recursive) {
    throw usageError(`${path} is a folder`, "use -r for a folder with all that is in it", "localFolder");
  }
  return { kind: "folder", path, name: await folderName(path), tree: await readLocalTree(path, signal) };
}

/** Of two inputs of one name in the same folder the second would replace the first. */
function refuseSameNames(inputs: readonly Input[]): void {
  const named = inputs.filter((input) => input.kind !== "stream");
  for (const [index, input] of named.entries()) {
    const twin = named.slice(0, index).find(({ name }) => sameName(name, input.name));
    if (!twin) continue;
    throw usageError(
      `${twin.path} and ${input.path} would have the same name`,
      "upload them to different folders",
      "sameName",
    );
  }
}

/** All of them at once, so that a person need not mend them one by one. */
function refuseForbiddenNames(inputs: readonly Input[]): void {
  const faults = inputs.flatMap((input) => input.kind === "folder" ? input.tree.faults : []);
  const [first, ...others] = faults;
  if (!first) return;
  if (others.length === 0) throw first;
  throw new GraphError(
    "usage",
    `${faults.length} names cannot be stored: ${faults.map(({ message }) => message).join("; ")}`,
    { code: "illegalName", hint: "rename them; nothing was sent" },
  );
}
