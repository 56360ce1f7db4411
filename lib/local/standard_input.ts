/**
 * Standard input as content. An upload needs the size first, so the input is read to its end: into memory if it is small,
 * else into a private temporary file.
 *
 * @module
 */
import { writeAll } from "./file_operations.ts";
import { type LocalContent, type LocalFile, OpenFile } from "./local_file.ts";
import { openSpool } from "./spool.ts";

const MAX_IN_MEMORY_BYTES = 4 * 1024 * 1024;

/**
 * Reads standard input.
 *
 * @param name Name of the remote file.
 * @param folder Private folder for the temporary file; created if needed.
 * @param signal Ends the reading.
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
  if (spool) return new OpenFile(spool, info, false);
  return inMemory(info, new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
}

function inMemory(
  info: LocalFile,
  bytes: Uint8Array,
): LocalContent {
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
