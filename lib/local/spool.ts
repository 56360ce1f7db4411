/**
 * Private temporary files, and standard input as content.
 *
 * @module
 */
import { join } from "../std.ts";
import { type LocalContent, openContent, writeAll } from "./local_file.ts";

const MAX_IN_MEMORY_BYTES = 4 * 1024 * 1024;

/**
 * Reads standard input to its end, since an upload needs the size first: into memory if it is small, else into a private
 * temporary file.
 *
 * @param name Of the remote file.
 * @param folder For the temporary file; created if needed.
 */
export async function readStandardInput(
  name: string,
  folder: string,
  signal?: AbortSignal,
  input: ReadableStream<Uint8Array> = Deno.stdin.readable,
): Promise<LocalContent> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let spool: Deno.FsFile | undefined;
  try {
    const interruptible = input.pipeThrough(new TransformStream(), signal ? { signal } : {});
    for await (const chunk of interruptible) {
      size += chunk.length;
      if (!spool && size > MAX_IN_MEMORY_BYTES) {
        spool = await openSpool(folder);
        for (const early of chunks) await writeAll(spool, early);
        chunks.length = 0;
      }
      if (spool) await writeAll(spool, chunk);
      else chunks.push(chunk);
    }
  } catch (error) {
    spool?.close();
    throw error;
  }
  const info = { path: "-", name, size, modified: null };
  if (spool) return openContent(spool, info, false);
  const bytes = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  return {
    ...info,
    reopenable: false,
    read(buffer, position) {
      const part = bytes.subarray(position, position + buffer.length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
    state: () => Promise.resolve("unchanged"),
    [Symbol.dispose]: () => {},
  };
}

/** Opens a temporary file and deletes its name at once, so that nothing is left however the process ends. */
export async function openSpool(folder: string): Promise<Deno.FsFile> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${crypto.randomUUID()}.tmp`);
  const file = await Deno.open(path, { read: true, write: true, createNew: true, mode: 0o600 });
  try {
    await Deno.remove(path);
  } catch (error) {
    // Windows does not delete open files; there the next call does.
    if (Deno.build.os !== "windows") {
      file.close();
      throw error;
    }
    for await (const { name } of Deno.readDir(folder)) {
      const other = join(folder, name);
      if (other !== path) await Deno.remove(other).catch(() => {}); // another process has it open
    }
  }
  return file;
}
