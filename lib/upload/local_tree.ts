/**
 * A local folder and everything below it, read before anything is sent.
 *
 * @module
 */
import { basename, join } from "../std.ts";
import { type GraphError, usageError } from "../errors.ts";
import { throwIfAborted } from "../abort.ts";
import { nameKey, nameProblem, remoteName } from "../drive/names.ts";

/** A file below a folder. */
export interface LocalTreeFile {
  path: string;
  /** Names of its folders below the top one, as the service gets them. */
  folders: string[];
  /** Name as the service gets it. */
  name: string;
  size: number;
}

/** The contents of a local folder. */
export interface LocalTree {
  /** All folders below the top one, parents first. */
  folders: string[][];
  files: LocalTreeFile[];
  /** Forbidden names, and names that differ only in case. */
  faults: GraphError[];
  /** Skipped: symlinks to folders, devices, … */
  leftOut: string[];
  /** Not readable: no permission, deleted meanwhile, … */
  unreadable: { path: string; error: Error }[];
}

/** Reads a folder recursively; symlinks to files count as files, those to folders are not followed. */
export async function readLocalTree(folder: string, signal?: AbortSignal): Promise<LocalTree> {
  const tree: LocalTree = { folders: [], files: [], faults: [], leftOut: [], unreadable: [] };
  await readFolder(folder, [], tree, signal);
  return tree;
}

async function readFolder(
  folder: string,
  folders: string[],
  tree: LocalTree,
  signal: AbortSignal | undefined,
): Promise<void> {
  const entries = await attempt(folder, tree, () => Array.fromAsync(Deno.readDir(folder))) ?? [];
  const names = new Map<string, string>();
  for (const entry of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    throwIfAborted(signal);
    const path = join(folder, entry.name);
    const mayBeFile = entry.isFile || entry.isSymlink;
    const info = mayBeFile ? await attempt(path, tree, () => statFile(path, entry.isSymlink)) : undefined;
    if (mayBeFile && !info) continue;
    if (!entry.isDirectory && !info?.isFile) {
      tree.leftOut.push(path);
      continue;
    }
    const name = remoteName(entry.name);
    const problem = nameProblem(name) ?? twinProblem(name, names);
    if (problem) {
      tree.faults.push(usageError(`${path}: ${problem}`, "rename it; nothing was sent", "illegalName"));
    }
    if (info) tree.files.push({ path, folders, name, size: info.size });
    else {
      tree.folders.push([...folders, name]);
      await readFolder(path, [...folders, name], tree, signal);
    }
  }
}

/** Size and type; a broken symlink is not a file. */
async function statFile(path: string, isLink: boolean): Promise<{ isFile: boolean; size: number }> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isLink && error instanceof Deno.errors.NotFound) return { isFile: false, size: 0 };
    throw error;
  }
}

/** Notes an error, so that the rest is sent. */
async function attempt<T>(path: string, tree: LocalTree, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    tree.unreadable.push({ path, error: error as Error });
    return undefined;
  }
}

/** @param names Names of the same folder so far, by what the service compares. */
function twinProblem(name: string, names: Map<string, string>): string | undefined {
  const key = nameKey(name);
  const twin = names.get(key);
  names.set(key, name);
  return twin === undefined ? undefined : `the service treats the name as equal to ${twin}`;
}

/** The name of a folder, also of `.` and `..`. */
export async function folderName(folder: string): Promise<string> {
  return remoteName(basename(await Deno.realPath(folder)));
}
