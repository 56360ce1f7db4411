/**
 * Standard input as content: an upload must know its size beforehand, so the input is taken in whole, a small one into
 * memory, a larger one into a private temporary file.
 *
 * @module
 */
import { type LocalContent, OpenFile } from "./local_file.ts";
import { openSpool, writeAll } from "./spool.ts";

/** Standard input up to this size stays in memory, in bytes: 4 MiB. */
const MAX_IN_MEMORY_BYTES = 4 * 1024 * 1024;

/**
 * Takes in standard input.
 *
 * @param name Name that it is to have.
 * @param folder Private folder for the temporary file; it is made when it is needed.
 * @param signal Ends the reading, which may otherwise wait for ever.
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
  const facts = { path: "-", name, size, modified: null };
  if (spool) return new OpenFile(spool, facts, false);
  return inMemory(facts, new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
}

function inMemory(
  facts: Pick<LocalContent, "path" | "name" | "size" | "modified">,
  bytes: Uint8Array,
): LocalContent {
  return {
    ...facts,
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
