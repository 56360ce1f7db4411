/**
 * Standard input as content: an upload must know its size beforehand, so the input is taken in whole, a small one into
 * memory, a larger one into a private temporary file.
 *
 * @module
 */
import { join } from "../std.ts";
import { type LocalContent, OpenFile } from "./local_file.ts";

/** Standard input up to this size stays in memory, in bytes: 4 MiB. */
export const LARGEST_IN_MEMORY_BYTES = 4 * 1024 * 1024;

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
      if (!spool && size > LARGEST_IN_MEMORY_BYTES) {
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
    lasting: false,
    read(buffer, position) {
      const part = bytes.subarray(position, position + buffer.length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
    checkUnchanged: () => Promise.resolve(),
    [Symbol.dispose]: () => {},
  };
}

/** A file that loses its name at once: whatever ends the process, nothing of it is left. */
async function openSpool(folder: string): Promise<Deno.FsFile> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${crypto.randomUUID()}.tmp`);
  const file = await Deno.open(path, { read: true, write: true, createNew: true, mode: 0o600 });
  try {
    await Deno.remove(path);
  } catch (error) {
    // Windows keeps the name of an open file; there it goes with the next one.
    if (Deno.build.os !== "windows") {
      file.close();
      throw error;
    }
    await removeOthers(folder, path);
  }
  return file;
}

async function removeOthers(folder: string, own: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (path !== own) await Deno.remove(path).catch(() => {}); // another process has it open
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
