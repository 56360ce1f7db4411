/**
 * Local names and paths of downloads: which names are possible, what is there already, and how the finished file gets its
 * mode and name.
 *
 * @module
 */
import { basename, dirname, join } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";
import { pathNameProblem } from "../drive/names.ts";
import type { DownloadConflict } from "./download.ts";
import { ifExists, lstatIfExists, statIfExists } from "../local/local_file.ts";

/** The limit of common file systems, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;
/** Device names on Windows, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;

/** Why a name cannot be that of a local file or folder; `undefined` if it can. */
export function localNameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  const fault = pathNameProblem(name);
  if (fault) return fault;
  if (DEVICE.test(name)) return "it is a device name on Windows";
  if (/[. ]$/.test(name)) return "it ends with a dot or space, which Windows drops";
  const bytes = new TextEncoder().encode(name).length;
  return bytes > MAX_NAME_BYTES ? `it has ${bytes} bytes, more than ${MAX_NAME_BYTES}` : undefined;
}

/** The names in one local folder. On many file systems, names that differ only in case are the same file. */
export class LocalNames {
  readonly #taken = new Map<string, string>();

  /** Takes a name; returns why it cannot be used, or `undefined`. */
  take(name: string): string | undefined {
    const fault = localNameProblem(name);
    if (fault) return fault;
    const key = name.normalize("NFC").toLowerCase();
    const twin = this.#taken.get(key);
    if (twin !== undefined) return `many file systems do not distinguish it from ${twin}`;
    this.#taken.set(key, name);
    return undefined;
  }
}

/** A local path and the file that is there. */
export interface LocalTarget {
  /** As typed. */
  local: string;
  /** Absolute path, with the symlinks of its folder resolved. */
  path: string;
  /** The file that is there, if any. */
  existing: Deno.FileInfo | undefined;
}

/**
 * The path of the file that a download creates.
 *
 * @param destination A file or a folder.
 * @param name Name of the item, which comes from the service and must not lead out of the folder.
 * @throws {GraphError} `usage`, `notFound`.
 */
export async function localPathFor(destination: string, name: string): Promise<string> {
  const fault = pathNameProblem(name);
  if (fault) {
    throw usageError(
      `the name ${JSON.stringify(name)} cannot be a local file: ${fault}`,
      "give a file name as the destination",
      "illegalName",
    );
  }
  if ((await statIfExists(destination))?.isDirectory) {
    return destination === "." ? name : join(destination, name);
  }
  const folder = /[/\\]$/.test(destination) ? destination.replace(/(.)[/\\]+$/, "$1") : dirname(destination);
  if (!/[/\\]$/.test(destination) && await statIfExists(folder)) return destination;
  throw noLocalFolder(folder);
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
  const leftover = await lstatIfExists(path); // of a process that was killed right here
  if (leftover?.isFile && leftover.size === 0) await Deno.remove(path);
  using file = await Deno.open(path, { write: true, createNew: true });
  try {
    return (await file.stat()).mode ?? 0o600;
  } finally {
    await Deno.remove(path);
  }
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
  conflict: DownloadConflict | undefined,
): Promise<void> {
  const { path, local, existing } = target;
  if (conflict === "replace") return await Deno.rename(partial, path);
  if (conflict === "resume" && existing) {
    if (!isSameFile(await statIfExists(path), existing)) {
      throw new GraphError("conflict", `${local} changed during the download`, { code: "localReplaced" });
    }
    return await Deno.rename(partial, path);
  }
  try {
    await Deno.link(partial, path); // unlike a rename, it replaces no file that appeared meanwhile
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

/** The error for a local file that is in the way. */
export function localExistsError(local: string): GraphError {
  return new GraphError("conflict", `${local} already exists`, { code: "localExists" });
}

function noLocalFolder(folder: string): GraphError {
  const message = `no such local folder: ${folder}`;
  return new GraphError("notFound", message, { code: "noLocalFolder", subject: folder });
}
