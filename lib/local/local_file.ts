/**
 * Local content that is to be uploaded: a file, or what came through standard input.
 *
 * @module
 */
import { basename } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";
import { readAt, statIfExists } from "./file_operations.ts";
import { ContentHash } from "../transfer/verify.ts";

/** Facts of a local file. */
export interface LocalFile {
  /** As it was given; `-` for standard input. */
  path: string;
  name: string;
  size: number;
  /** Last change of its content; `null` where nobody knows. */
  modified: Date | null;
  /** Last change of anything about it, which no program can set back, in contrast to the other; where it is known. */
  changed?: Date | null;
}

/** Opened content that can be read at any place and again. */
export interface LocalContent extends LocalFile, Disposable {
  /** Whether a later process can read the same content again. */
  reopenable: boolean;
  /** Reads exactly the bytes from `position` on into `buffer`, or as many as there are. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * Checks that it is as it was when it was opened: of content that changed meanwhile nobody knows what was sent.
   *
   * @param sha256 Of all that was read of it.
   * @throws {GraphError} `conflict`.
   */
  checkUnchanged(sha256: string, signal: AbortSignal | undefined): Promise<void>;
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
  if (isDirectory) {
    throw usageError(`${path} is a folder`, "use put -r for a folder with all that is in it", "localFolder");
  }
  if (!isFile) throw usageError(`${path} is neither a file nor a folder`, "name a regular file", "notAFile");
  const file = await Deno.open(path);
  const { size, mtime, ctime } = await file.stat();
  const facts = { path, name: basename(path), size, modified: mtime, changed: ctime };
  return new OpenFile(file, facts, true);
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

  constructor(file: Deno.FsFile, { path, name, size, modified, changed }: LocalFile, lasting: boolean) {
    this.#file = file;
    this.path = path;
    this.name = name;
    this.size = size;
    this.modified = modified;
    this.changed = changed ?? null;
    this.reopenable = lasting;
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return readAt(this.#file, buffer, position);
  }

  async checkUnchanged(sha256: string, signal: AbortSignal | undefined): Promise<void> {
    const { size, mtime, ctime } = await this.#file.stat();
    const isTouched = ctime?.getTime() !== this.changed?.getTime();
    if (size === this.size && (!this.reopenable || mtime?.getTime() === this.modified?.getTime())) {
      if (!this.reopenable || !isTouched) return;
      // Its time was set back, or it has another name or mode: the content tells.
      if ((await ContentHash.of(this, signal)).sha256 === sha256) return;
    }
    throw localChanged(`${this.path} changed while it was uploaded`);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Fills the whole buffer with the bytes from `position` on.
 *
 * @throws {GraphError} `conflict` when there are fewer.
 */
export async function readExactly(
  content: LocalContent,
  buffer: Uint8Array<ArrayBuffer>,
  position: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (await content.read(buffer, position) === buffer.length) return buffer;
  throw localChanged(`${content.path} became shorter while it was uploaded`);
}

function localChanged(message: string): GraphError {
  return new GraphError("conflict", message, {
    code: "localChanged",
    hint: "run the same command again when nothing writes to it",
  });
}
