/**
 * Files that only their owner may read, written under another name and then renamed: a kill or a power cut leaves the old
 * content or the new, never half of it.
 *
 * @module
 */
import { basename, dirname, join } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";
import { isGuid } from "../json.ts";
import { ifExists, lstatIfExists, readAt, rename, writeAll } from "./local_file.ts";

/** Windows has no modes and owners; there the access list of the user profile keeps others out. */
const HAS_MODES = Deno.build.os !== "windows";
const STICKY = 0o1000;

/**
 * Reads a private file.
 *
 * @returns `undefined` when there is none.
 * @throws {GraphError} `refused` when other users of the machine can read it (code `exposedFile`), when it is another
 * user's (`foreignFile`), when others can swap it because they may write to its folder (`exposedFolder`), or when it is a
 * symbolic link (`linkedFile`); `usage` when it is a folder or a device.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  return await ifExists(readExisting(path));
}

async function readExisting(path: string): Promise<string> {
  checkKind(path, await Deno.lstat(path));
  await checkFolder(path);
  using file = await Deno.open(path);
  const info = await file.stat(); // of what is read, even if the name was changed meanwhile
  checkMode(path, info);
  checkOwner(path, info);
  return await readAll(file, info.size);
}

/**
 * Writes a private file whole (mode 0600; its folder, if it must be made, 0700).
 *
 * @throws {GraphError} `refused` where {@linkcode readPrivateFile} would refuse what is there or what is written.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await checkFolder(path);
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      const bytes = new TextEncoder().encode(text);
      await writeAll(file, bytes);
      await file.sync();
      await checkReplaced(path);
    }
    await rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may not exist
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Renames an unreadable file and returns its new path; `undefined` if another process was faster. */
export async function moveAside(path: string, now: number): Promise<string | undefined> {
  const stamp = new Date(now).toISOString().replaceAll(/[:.]/g, "-");
  const aside = `${path}.unreadable-${stamp}`;
  return await ifExists(rename(path, aside).then(() => aside));
}

/** Removes temporary files that a killed process left. The caller holds the lock of the file, so that none is in use. */
export async function removeLeftovers(path: string): Promise<void> {
  const [start, end] = [`${basename(path)}.`, ".tmp"];
  for await (const { name } of Deno.readDir(dirname(path))) {
    const isTemporary = name.startsWith(start) && name.endsWith(end);
    if (!isTemporary || !isGuid(name.slice(start.length, -end.length))) continue;
    await Deno.remove(join(dirname(path), name)).catch(() => {}); // another process may have removed it
  }
}

/**
 * Refuses a folder in which other users may replace a file. In a sticky one (`/tmp`) only its owner can, and a file of
 * another owner is refused.
 */
export async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const { mode } = await Deno.stat(folder);
  if (!HAS_MODES || mode === null || (mode & 0o022) === 0 || (mode & STICKY) !== 0) return;
  throw refused(
    "exposedFolder",
    `other users of this machine may write to the folder ${folder}, and so could swap ${basename(path)}`,
    `fix it with: chmod go-w ${shellQuoted(folder)}`,
  );
}

/**
 * Symlinks are refused: their target is in a folder that was not checked, and replacing the file would replace the symlink
 * and leave the secret behind.
 */
function checkKind(path: string, { isFile, isSymlink }: Deno.FileInfo): void {
  if (isSymlink) {
    const hint = "give the path of the file itself, or remove the link";
    throw refused("linkedFile", `${path} is a symbolic link`, hint);
  }
  if (!isFile) throw usageError(`${path} is not a file`, "name a file, not a folder", "notAFile");
}

function checkMode(path: string, { mode }: Deno.FileInfo): void {
  if (!HAS_MODES || mode === null || (mode & 0o077) === 0) return;
  throw refused(
    "exposedFile",
    `${path} can be read by other users of this machine`,
    `if no one else has read it, fix it with: chmod 600 ${
      shellQuoted(path)
    }; otherwise delete it and sign in again`,
  );
}

function checkOwner(path: string, { uid }: Deno.FileInfo): void {
  if (!HAS_MODES || uid === null || uid === ownUid()) return;
  throw refused(
    "foreignFile",
    `${path} belongs to another user of this machine (uid ${uid})`,
    `run this as that user; if the file is meant to be yours: sudo chown "$(id -u)" ${shellQuoted(path)}`,
  );
}

function refused(code: string, message: string, hint: string): GraphError {
  return new GraphError("refused", message, { code, hint });
}

/** With `sudo`, writing would give another user's file to root and lock its owner out. */
async function checkReplaced(path: string): Promise<void> {
  const info = await lstatIfExists(path);
  if (!info) return;
  checkKind(path, info);
  checkOwner(path, info);
}

/** The user that this process runs as; `null` on Windows. It needs the permission `sys: uid`. */
export function ownUid(): number | null {
  return HAS_MODES ? Deno.uid() : null;
}

/** Reads a file as text, without its byte order mark. */
export async function readAll(file: Deno.FsFile, size: number): Promise<string> {
  const bytes = new Uint8Array(size);
  const count = await readAt(file, bytes, 0);
  return new TextDecoder().decode(bytes.subarray(0, count));
}

/** Otherwise a power cut may undo the rename. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using handle = await Deno.open(folder, { read: true });
    await handle.sync();
  } catch {
    // Windows cannot open folders, and some network file systems cannot sync them; the file itself is synced.
  }
}

/**
 * A text as one word of the platform's shell. On Windows, where it may be cmd or PowerShell, characters that one of them
 * expands even in quotes become `|`, which no file has in its name.
 */
export function shellQuoted(text: string, os: typeof Deno.build.os = Deno.build.os): string {
  if (os === "windows") {
    return /^(?!@)[\w@+:./\\-]+$/.test(text)
      ? text
      : `"${text.replaceAll(/["\u201c-\u201e$`%]/g, "|").replace(/\\+$/, "$&$&")}"`;
  }
  return /^(?!=)[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
