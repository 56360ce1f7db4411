/**
 * Files that only their owner may read: written whole under another name, then renamed, so that nobody ever sees half a
 * file, and a kill at any moment leaves the old content or the new.
 *
 * @module
 */
import { dirname } from "@std/path";
import { GraphError } from "./errors.ts";
import { sleep } from "./http.ts";

const LOCK_TRY_MS = 50;

/**
 * Reads a private file.
 *
 * @returns `undefined` when there is none.
 * @throws {GraphError} `refused`, code `exposedFile`, when other users of the machine can read it.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const { mode, isFile } = await Deno.stat(path);
    if (!isFile) {
      throw new GraphError("failed", `${path} is not a file`, {
        code: "notAFile",
        hint: "name a file, not a folder",
      });
    }
    // Windows has no mode: there the folder of the user profile has an access list that keeps others out.
    if (Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0) {
      throw new GraphError("refused", `${path} can be read by other users of this machine`, {
        code: "exposedFile",
        hint: `if nobody else has read it, mend it with: chmod 600 ${
          shellQuoted(path)
        }; otherwise delete it and sign in again`,
      });
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes a private file whole (mode 0600; its folder, if it must be made, 0700). */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may never have come to be
    throw error;
  }
}

/** Renames a file that cannot be understood out of the way and returns its new path; nothing is ever deleted. */
export async function setAside(path: string, now: number): Promise<string | undefined> {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  const aside = `${path}.unreadable-${stamp}`;
  try {
    await Deno.rename(path, aside);
    return aside;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // another process did it
    throw error;
  }
}

/**
 * Runs `body` while no other process runs one for the same path. The lock is the operating system's on an open file: it
 * ends with its process, however that ends.
 *
 * @param timeoutMs Longest wait for another process.
 */
export async function withLock<T>(
  path: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  body: () => Promise<T>,
): Promise<T> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  using file = await Deno.open(`${path}.lock`, { write: true, create: true, mode: 0o600 });
  const deadline = Date.now() + timeoutMs;
  while (!await file.tryLock(true)) {
    if (Date.now() > deadline) {
      throw new GraphError("unavailable", `another process holds ${path}.lock`, {
        code: "locked",
        hint: "wait for it to end, then run the same command again",
      });
    }
    await sleep(LOCK_TRY_MS, signal);
  }
  try {
    return await body();
  } finally {
    await file.unlock();
  }
}

/** A path as one word of a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
