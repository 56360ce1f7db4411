/**
 * A local folder and everything below it, read before anything is sent.
 *
 * @module
 */
import { basename, join } from "../std.ts";
import { type GraphError, usageError } from "../errors.ts";
import { throwIfAborted } from "../abort.ts";
import { statIfExists } from "../local/local_file.ts";
import { nameKey, nameProblem, remoteName } from "../drive/names.ts";
import { Filter, type FilterOptions } from "../drive/pattern.ts";

interface LocalTreeFile {
  path: string;
  /** Names of its folders below the top one, as the service gets them. */
  folders: string[];
  /** Name as the service gets it. */
  name: string;
  size: number;
}

export interface LocalTree {
  /** All folders below the top one, parents first. */
  folders: string[][];
  files: LocalTreeFile[];
  /** Forbidden names, and names that differ only in case. */
  problems: GraphError[];
  /** Skipped: symlinks to folders, devices, … */
  skipped: string[];
  /** Not readable: no permission, deleted meanwhile, … */
  unreadable: { path: string; error: unknown }[];
}

/** Reads a folder recursively; symlinks to files count as files, those to folders are not followed. */
export async function readLocalTree(
  folder: string,
  signal?: AbortSignal,
  filter: FilterOptions = {},
): Promise<LocalTree> {
  const tree: LocalTree = { folders: [], files: [], problems: [], skipped: [], unreadable: [] };
  await readFolder(folder, [], tree, new Filter(filter), signal);
  return tree;
}

async function readFolder(
  folder: string,
  folders: string[],
  tree: LocalTree,
  filter: Filter,
  signal: AbortSignal | undefined,
): Promise<void> {
  let entries: Deno.DirEntry[] = [];
  try {
    entries = await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    tree.unreadable.push({ path: folder, error });
  }
  const names = new Map<string, string>();
  for (const entry of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    throwIfAborted(signal);
    const path = join(folder, entry.name);
    const name = remoteName(entry.name);
    if (!filter.takes([...folders, name].join("/"), entry.isDirectory)) continue;
    let info: Deno.FileInfo | undefined;
    if (!entry.isDirectory) {
      try {
        info = await statIfExists(path);
      } catch (error) {
        tree.unreadable.push({ path, error });
        continue;
      }
      if (!info?.isFile) {
        tree.skipped.push(path);
        continue;
      }
    }
    const problem = nameProblem(name) ?? twinProblem(name, names);
    if (problem) {
      tree.problems.push(usageError(`${path}: ${problem}`, "rename it; nothing was sent", "illegalName"));
    }
    if (info) tree.files.push({ path, folders, name, size: info.size });
    else {
      if (filter.keepsEmptyFolders) tree.folders.push([...folders, name]);
      await readFolder(path, [...folders, name], tree, filter, signal);
    }
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
