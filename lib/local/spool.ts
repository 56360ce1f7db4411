/**
 * Private temporary files without a name.
 *
 * @module
 */
import { join } from "../std.ts";

/** Opens a file and deletes its name at once, so that nothing is left however the process ends. */
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
