/**
 * File operations that `Deno` lacks.
 *
 * @module
 */

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

/** Writes all bytes at the current position. */
export async function writeAll(
  file: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
