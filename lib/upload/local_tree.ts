/**
 * A local folder with all that is in it, looked at before anything is sent.
 *
 * @module
 */
import { basename, join } from "../std.ts";
import { type GraphError, usageError } from "../errors.ts";
import { interruptedError } from "../abort.ts";
import { nameKey, nameProblem, remoteName } from "../drive/names.ts";

/** A file below a folder. */
export interface LocalTreeFile {
  path: string;
  /** Names of its folders below the top one, as the service is to have them. */
  folders: string[];
  /** Name as the service is to have it. */
  name: string;
  size: number;
}

/** What is in a local folder. */
export interface LocalTree {
  /** All folders below the top one, each after the one above it. */
  folders: string[][];
  files: LocalTreeFile[];
  /** What cannot be stored: forbidden names, and names that differ in case alone. */
  faults: GraphError[];
  /** What is left out: links to folders, devices, … */
  leftOut: string[];
  /** What could not be looked at: no permission, gone meanwhile, … */
  unreadable: { path: string; error: Error }[];
}

/** Looks at everything in a folder; links to files count as files, links to folders are not followed. */
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
    if (signal?.aborted) throw interruptedError(signal);
    const path = join(folder, entry.name);
    const mayBeFile = entry.isFile || entry.isSymlink;
    const facts = mayBeFile ? await attempt(path, tree, () => lookAt(path, entry.isSymlink)) : undefined;
    if (mayBeFile && !facts) continue;
    if (!entry.isDirectory && !facts?.isFile) {
      tree.leftOut.push(path);
      continue;
    }
    const name = remoteName(entry.name);
    const fault = nameProblem(name) ?? twinFault(name, names);
    if (fault) {
      tree.faults.push(usageError(`${path}: ${fault}`, "rename it; nothing was sent", "illegalName"));
    }
    if (facts) tree.files.push({ path, folders, name, size: facts.size });
    else {
      tree.folders.push([...folders, name]);
      await readFolder(path, [...folders, name], tree, signal);
    }
  }
}

/** Facts of a file; a link that leads nowhere is none. */
async function lookAt(path: string, isLink: boolean): Promise<{ isFile: boolean; size: number }> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isLink && error instanceof Deno.errors.NotFound) return { isFile: false, size: 0 };
    throw error;
  }
}

/** What cannot be looked at is noted, and does not keep the rest from being sent. */
async function attempt<T>(path: string, tree: LocalTree, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    tree.unreadable.push({ path, error: error as Error });
    return undefined;
  }
}

/** @param names Names of the same folder so far, by what the service compares; a linear search would take minutes. */
function twinFault(name: string, names: Map<string, string>): string | undefined {
  const key = nameKey(name);
  const twin = names.get(key);
  names.set(key, name);
  return twin === undefined ? undefined : `to the service the name is the same as ${twin}`;
}

/** The name of a folder, also of `.` and `..`. */
export async function folderName(folder: string): Promise<string> {
  return remoteName(basename(await Deno.realPath(folder)));
}
