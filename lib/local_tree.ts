/**
 * A local folder with all that is in it, looked at before anything is sent.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { type GraphError, usageError } from "./errors.ts";
import { nameFault, remoteName, sameName } from "./names.ts";

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
}

/** Looks at everything in a folder; links to files count as files, links to folders are not followed. */
export async function readLocalTree(folder: string): Promise<LocalTree> {
  const tree: LocalTree = { folders: [], files: [], faults: [], leftOut: [] };
  await readFolder(folder, [], tree);
  return tree;
}

async function readFolder(folder: string, folders: string[], tree: LocalTree): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const names: string[] = [];
  for (const entry of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    const path = join(folder, entry.name);
    const facts = entry.isSymlink ? await Deno.stat(path).catch(() => undefined) : entry; // it may lead nowhere
    if (!facts || !(facts.isFile || entry.isDirectory)) {
      tree.leftOut.push(path);
      continue;
    }
    const name = remoteName(entry.name);
    const fault = nameFault(name) ?? twinFault(name, names);
    if (fault) {
      tree.faults.push(usageError(`${path}: ${fault}`, "rename it; nothing was sent", "illegalName"));
    }
    names.push(name);
    if (entry.isDirectory) {
      tree.folders.push([...folders, name]);
      await readFolder(path, [...folders, name], tree);
    } else tree.files.push({ path, folders, name, size: (await Deno.stat(path)).size });
  }
}

function twinFault(name: string, names: readonly string[]): string | undefined {
  const twin = names.find((other) => sameName(other, name));
  return twin === undefined ? undefined : `to the service the name is the same as ${twin}`;
}

/** The name of a folder, also of `.` and `..`. */
export async function folderName(folder: string): Promise<string> {
  return remoteName(basename(await Deno.realPath(folder)));
}
