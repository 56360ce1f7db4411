/**
 * The local path that a download is to have: what is there already, and how the finished file gets its name and mode.
 *
 * @module
 */
import { basename, dirname, join } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";
import type { Item } from "../drive/items.ts";
import { pathNameProblem } from "../drive/names.ts";
import { shellQuoted } from "../local/private_file.ts";

/** A local path and the file that is there. */
export interface LocalTarget {
  /** As the person wrote it. */
  local: string;
  /** Whole path, with the folder's links followed. */
  path: string;
  /** The file that is there; `undefined`: none. */
  existing: Deno.FileInfo | undefined;
}

/**
 * The file that a download goes to.
 *
 * @param destination A file or a folder.
 * @param name Name of the item: it comes from the service, and must not lead out of the folder.
 * @throws {GraphError} `usage`, `notFound`.
 */
export async function localPathFor(destination: string, name: string): Promise<string> {
  const fault = pathNameProblem(name);
  if (fault) {
    throw usageError(
      `the name ${JSON.stringify(name)} cannot be a local file: ${fault}`,
      "give a file name as DEST",
      "illegalName",
    );
  }
  const facts = await statIfExists(destination);
  if (facts?.isDirectory) return destination === "." ? name : join(destination, name);
  const folder = /[/\\]$/.test(destination) ? destination.replace(/(.)[/\\]+$/, "$1") : dirname(destination);
  if (!/[/\\]$/.test(destination) && await statIfExists(folder)) return destination;
  throw noLocalFolder(folder);
}

/**
 * Looks at a local path.
 *
 * @throws {GraphError} `usage` for a folder or device; `notFound` when its folder does not exist.
 */
export async function inspectTarget(local: string): Promise<LocalTarget> {
  const folder = dirname(local);
  const whole = await Deno.realPath(folder).catch((error) => {
    throw error instanceof Deno.errors.NotFound ? noLocalFolder(folder) : error;
  });
  const path = join(whole, basename(local));
  // A link that leads nowhere is in the way as well, which should not be found out after the download.
  const existing = await statIfExists(local) ?? await lstatIfExists(local);
  if (existing?.isDirectory) {
    throw usageError(`${local} is a folder`, "give a file name as DEST", "localFolder");
  }
  if (existing && !existing.isFile) {
    const what = existing.isSymlink ? "is a link that leads nowhere" : "is not a regular file";
    throw usageError(`${local} ${what}`, "give another DEST", "notAFile");
  }
  return { local, path, existing };
}

/** Facts of what is at a path; `undefined`: nothing. */
export async function statIfExists(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** As {@linkcode statIfExists}, of a link itself. */
export async function lstatIfExists(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A new file gets the mode that the user's umask gives, one that is replaced keeps its own. */
export async function takeMode({ existing }: LocalTarget, partial: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const mode = existing?.mode ?? await maskedMode(partial.replace(/\.partial$/, ".mode"));
  await Deno.chmod(partial, mode & 0o777);
}

/** The mode of new files: a file tells it without the right to ask the system. */
async function maskedMode(path: string): Promise<number> {
  const left = await lstatIfExists(path);
  if (left?.isFile && left.size === 0) await Deno.remove(path); // of a process that was killed right here
  using file = await Deno.open(path, { write: true, createNew: true });
  try {
    return (await file.stat()).mode ?? 0o600;
  } finally {
    await Deno.remove(path);
  }
}

/** Gives the finished file its name; a file that appeared meanwhile is not replaced, unless any is to be. */
export async function moveIntoPlace(
  partial: string,
  target: LocalTarget,
  replace: "any" | "seen" | "none",
): Promise<void> {
  const { path, local, existing } = target;
  if (replace === "any") return await Deno.rename(partial, path);
  if (replace === "seen" && existing) {
    if (!isSameFile(await statIfExists(path), existing)) throw changedMeanwhile(local);
    return await Deno.rename(partial, path);
  }
  try {
    await Deno.link(partial, path); // unlike a rename it replaces nothing that appeared meanwhile
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw localExistsError(local);
    if (await lstatIfExists(path)) throw localExistsError(local); // a file system without hard links
    return await Deno.rename(partial, path);
  }
  await Deno.remove(partial);
}

function isSameFile(now: Deno.FileInfo | undefined, before: Deno.FileInfo): boolean {
  return now?.ino === before.ino && now?.size === before.size &&
    now.mtime?.getTime() === before.mtime?.getTime();
}

/** The error of a local file that is in the way. */
export function localExistsError(local: string): GraphError {
  return new GraphError("conflict", `${local} exists already`, {
    code: "localExists",
    hint: "choose with --conflict replace or --conflict skip, or give another DEST",
  });
}

function noLocalFolder(folder: string): GraphError {
  return new GraphError("notFound", `no such local folder: ${folder}`, {
    code: "noLocalFolder",
    hint: `make it first: mkdir -p ${
      shellQuoted(folder)
    }; several files need an existing folder as the last argument`,
  });
}

/** The error of a local file that cannot be the beginning of an item. */
export function localLongerError({ path, size }: Item, local: string, bytes: number): GraphError {
  return new GraphError("conflict", `${local} is longer than ${path}: ${bytes} bytes, not ${size}`, {
    code: "localLonger",
    hint: "it is not the beginning of that file: choose with --conflict replace, or give another DEST",
  });
}

function changedMeanwhile(local: string): GraphError {
  return new GraphError("conflict", `${local} changed during the download`, {
    code: "localChanged",
    hint: "look at it; with --conflict replace it is replaced",
  });
}
