/**
 * Local paths of downloads: what is there already, and how the finished file gets its mode and name.
 *
 * @module
 */
import { basename, dirname, join } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";
import type { Item } from "../drive/items.ts";
import { pathNameProblem } from "../drive/names.ts";
import type { DownloadConflict } from "./download.ts";
import { ifExists, lstatIfExists, rename, statIfExists } from "../local/local_file.ts";

export interface LocalTarget {
  /** As typed. */
  local: string;
  /** Absolute path, with the symlinks of its folder resolved. */
  path: string;
  existing: Deno.FileInfo | undefined;
}

/** @throws {GraphError} `usage`, code `illegalName`, for a name of the service that could lead out of a local folder. */
export function checkLocalName({ path, name }: Item): void {
  const problem = pathNameProblem(name);
  if (problem === undefined) return;
  const message = `${path}: ${JSON.stringify(name)} cannot be a local name: ${problem}`;
  throw usageError(message, "rename it where it is stored", "illegalName");
}

/**
 * The path of the file that a download creates.
 *
 * @param destination A file or a folder.
 * @throws {GraphError} `usage`, `notFound`.
 */
export async function localPathFor(destination: string, item: Item): Promise<string> {
  checkLocalName(item);
  if ((await statIfExists(destination))?.isDirectory) return join(destination, item.name);
  const isFolder = /[/\\]$/.test(destination);
  const folder = isFolder ? destination.replace(/(.)[/\\]+$/, "$1") : dirname(destination);
  if (isFolder || !await statIfExists(folder)) throw noLocalFolder(folder);
  return destination;
}

/** @throws {GraphError} `usage` for a folder or device; `notFound` when its folder does not exist. */
export async function inspectTarget(local: string): Promise<LocalTarget> {
  const folder = dirname(local);
  const realFolder = await ifExists(Deno.realPath(folder));
  if (realFolder === undefined) throw noLocalFolder(folder);
  const path = join(realFolder, basename(local));
  // A dangling symlink is in the way as well; it is reported before the download, not after it.
  const existing = await statIfExists(local) ?? await lstatIfExists(local);
  if (existing?.isDirectory) {
    throw usageError(`${local} is a folder`, "give a file name as the destination", "localFolder");
  }
  if (existing && !existing.isFile) {
    const what = existing.isSymlink ? "is a dangling symbolic link" : "is not a regular file";
    throw usageError(`${local} ${what}`, "give another destination", "notAFile");
  }
  return { local, path, existing };
}

/** Gives a new file the mode of the user's umask, and a replaced one its own. */
export async function takeMode({ existing }: LocalTarget, partial: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const mode = existing?.mode ?? await maskedMode(partial.replace(/\.partial$/, ".mode"));
  await Deno.chmod(partial, mode & 0o777);
}

/** The mode of new files, learned from one: reading the umask would need a permission. */
async function maskedMode(path: string): Promise<number> {
  using file = await Deno.open(path, { write: true, create: true }); // a killed process may have left one
  await Deno.remove(path);
  return (await file.stat()).mode ?? 0o600;
}

/**
 * Gives the finished file its name. With `resume`, it replaces only the file that was there at first, unchanged; with
 * `fail` and `skip`, none.
 *
 * @throws {GraphError} `conflict`, code `localExists` or `localReplaced`.
 */
export async function moveIntoPlace(
  partial: string,
  target: LocalTarget,
  conflict: DownloadConflict,
): Promise<void> {
  const { path, local, existing } = target;
  if (conflict === "replace") return await rename(partial, path);
  if (conflict === "resume" && existing) {
    if (!isSameFile(await statIfExists(path), existing)) {
      throw new GraphError("conflict", `${local} changed during the download`, { code: "localReplaced" });
    }
    return await rename(partial, path);
  }
  try {
    await Deno.link(partial, path); // unlike a rename, it replaces no file that appeared meanwhile
  } catch {
    if (await lstatIfExists(path)) throw localExistsError(local);
    return await rename(partial, path); // a file system without hard links
  }
  await Deno.remove(partial);
}

function isSameFile(now: Deno.FileInfo | undefined, before: Deno.FileInfo): boolean {
  return now?.ino === before.ino && now?.size === before.size &&
    now.mtime?.getTime() === before.mtime?.getTime();
}

export function localExistsError(local: string): GraphError {
  return new GraphError("conflict", `${local} already exists`, { code: "localExists" });
}

function noLocalFolder(folder: string): GraphError {
  const message = `no such local folder: ${folder}`;
  return new GraphError("notFound", message, { code: "noLocalFolder", subject: folder });
}
