/**
 * Local content that is to be uploaded: a file, or what came through standard input.
 *
 * @module
 */
import { basename } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";

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
  /** Compares it with how it was when it was opened. `touched`: only the content itself can tell. */
  state(): Promise<"unchanged" | "touched" | "changed">;
}

/**
 * Opens a local file to upload it.
 *
 * @throws {GraphError} `notFound`; `usage` for a folder or device.
 */
export async function openLocalFile(path: string): Promise<LocalContent> {
  const { isDirectory, isFile } = await Deno.stat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new GraphError("notFound", `no such local file: ${path}`, {
      code: "noLocalFile",
      hint: "check the path",
    });
  });
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

  async state(): Promise<"unchanged" | "touched" | "changed"> {
    const { size, mtime, ctime } = await this.#file.stat();
    if (size !== this.size) return "changed";
    if (!this.reopenable) return "unchanged"; // a private temporary file
    if (mtime?.getTime() !== this.modified?.getTime()) return "changed";
    // Its time was set back, or it has another name or mode.
    return ctime?.getTime() === this.changed?.getTime() ? "unchanged" : "touched";
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Reads exactly the bytes from `position` on into `buffer`, or as many as there are. */
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
  throw localChangedError(`${content.path} became shorter while it was uploaded`);
}

/** The error of content that changed while it was uploaded, so that it is unknown what was sent. */
export function localChangedError(message: string): GraphError {
  return new GraphError("conflict", message, {
    code: "localChanged",
    hint: "run the same command again when nothing writes to it",
  });
}
