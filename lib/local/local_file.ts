/**
 * Local content to upload: a file, or what was read from standard input.
 *
 * @module
 */
import { basename } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";
import { readAt, statIfExists } from "./file_operations.ts";

/** What is known of a local file. */
export interface LocalFile {
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
  return new OpenFile(file, { path, name: basename(path), size, modified: mtime, changed: ctime }, true);
}

/** An open file as content. */
export class OpenFile implements LocalContent {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly modified: Date | null;
  readonly changed: Date | null;
  readonly reopenable: boolean;
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile, { path, name, size, modified, changed }: LocalFile, reopenable: boolean) {
    this.#file = file;
    this.path = path;
    this.name = name;
    this.size = size;
    this.modified = modified;
    this.changed = changed ?? null;
    this.reopenable = reopenable;
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return readAt(this.#file, buffer, position);
  }

  async state(): Promise<"unchanged" | "touched" | "changed"> {
    const { size, mtime, ctime } = await this.#file.stat();
    if (size !== this.size) return "changed";
    if (!this.reopenable) return "unchanged"; // a private temporary file
    if (mtime?.getTime() !== this.modified?.getTime()) return "changed";
    // Its time was set back, or its name or mode changed.
    return ctime?.getTime() === this.changed?.getTime() ? "unchanged" : "touched";
  }

  [Symbol.dispose](): void {
    this.#file.close();
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
