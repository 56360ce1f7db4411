/**
 * Local files: operations that `Deno` lacks, content to upload, and private temporary files.
 *
 * @module
 */
import { basename, join } from "../std.ts";
import { sleep } from "../abort.ts";
import { GraphError, usageError } from "../errors.ts";

const RENAME_ATTEMPTS = 20;
const RENAME_PAUSE_MS = 50;

/** The result of a file operation; `undefined` if its file or folder does not exist. */
export async function ifExists<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Information about a file, symlinks followed; `undefined` if there is none. */
export function statIfExists(path: string): Promise<Deno.FileInfo | undefined> {
  return ifExists(Deno.stat(path));
}

/** Information about a file or symlink; `undefined` if there is none. */
export function lstatIfExists(path: string): Promise<Deno.FileInfo | undefined> {
  return ifExists(Deno.lstat(path));
}

/** Renames a file, over another one if there is one. On Windows, a virus scanner may hold either for a moment. */
export async function rename(from: string, to: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.rename(from, to);
    } catch (error) {
      const isHeld = Deno.build.os === "windows" && /\(os error (5|32)\)/.test((error as Error).message);
      if (!isHeld || attempt === RENAME_ATTEMPTS) throw error;
      await sleep(RENAME_PAUSE_MS);
    }
  }
}

/** Fills `buffer` from `position` on, as far as the file reaches; returns the number of bytes. */
export async function readAt(file: Deno.FsFile, buffer: Uint8Array, position: number): Promise<number> {
  await file.seek(position, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < buffer.length) {
    const count = await file.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}

export async function writeAll(
  file: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** What is known of a local file. */
interface LocalFile {
  /** As typed; `-` for standard input. */
  path: string;
  name: string;
  size: number;
  /** Last change of its content; `null` if unknown. */
  modified: Date | null;
  /** Last change of its content or metadata, where known; in contrast to `modified`, no program can set it back. */
  changed?: Date | null;
}

/** Open content that can be read at any position, repeatedly. */
export interface LocalContent extends LocalFile, Disposable {
  /** Whether a later process can read the same content again. */
  reopenable: boolean;
  /** Fills `buffer` from `position` on, as far as the content reaches; returns the number of bytes. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Whether it has changed since it was opened; `touched`: only the content itself can tell. */
  state(): Promise<"unchanged" | "touched" | "changed">;
}

/**
 * Opens a local file to upload it.
 *
 * @throws {GraphError} `notFound`; `usage` for a folder or device.
 */
export async function openLocalFile(path: string): Promise<LocalContent> {
  const info = await statIfExists(path);
  if (!info) {
    throw new GraphError("notFound", `no such local file: ${path}`, {
      code: "noLocalFile",
      hint: "check the path",
    });
  }
  const { isDirectory, isFile } = info;
  if (isDirectory) throw usageError(`${path} is a folder`, undefined, "folderToUpload");
  if (!isFile) throw usageError(`${path} is neither a file nor a folder`, "name a regular file", "notAFile");
  const file = await Deno.open(path);
  const { size, mtime, ctime } = await file.stat();
  return openContent(file, { path, name: basename(path), size, modified: mtime, changed: ctime }, true);
}

/** An open file as content; disposing of it closes the file. */
function openContent(file: Deno.FsFile, info: LocalFile, reopenable: boolean): LocalContent {
  return {
    ...info,
    reopenable,
    read: (buffer, position) => readAt(file, buffer, position),
    async state() {
      const { size, mtime, ctime } = await file.stat();
      if (size !== info.size) return "changed";
      if (!reopenable) return "unchanged"; // a private temporary file
      if (mtime?.getTime() !== info.modified?.getTime()) return "changed";
      // Its time was set back, or its name or mode changed.
      return ctime?.getTime() === info.changed?.getTime() ? "unchanged" : "touched";
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/**
 * Fills a private temporary file, whose name is deleted at once, so that nothing is left however the process ends.
 *
 * @param folder Created if needed.
 */
export async function createSpool<T>(
  folder: string,
  name: string,
  fill: (file: Deno.FsFile) => Promise<T>,
): Promise<{ content: LocalContent; filled: T }> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${crypto.randomUUID()}.tmp`);
  const file = await Deno.open(path, { read: true, write: true, createNew: true, mode: 0o600 });
  try {
    await Deno.remove(path);
    const filled = await fill(file);
    const info = { path: "-", name, size: (await file.stat()).size, modified: null };
    return { content: openContent(file, info, false), filled };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Fills the whole buffer from `position` on.
 *
 * @throws {GraphError} `conflict`, code `localChanged`, if there are fewer bytes.
 */
export async function readExactly(
  content: LocalContent,
  buffer: Uint8Array<ArrayBuffer>,
  position: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (await content.read(buffer, position) === buffer.length) return buffer;
  throw localChangedError(`${content.path} became shorter during the upload`);
}

/** The error for content that changed during its upload, so that it is unknown what was sent. */
export function localChangedError(message: string): GraphError {
  return new GraphError("conflict", message, {
    code: "localChanged",
    hint: "run the same command again once nothing writes to it",
  });
}
