/**
 * Files that only their owner may read: written whole under another name, then renamed, so that nobody ever sees half a
 * file, and a kill or a power cut at any moment leaves the old content or the new.
 *
 * @module
 */
import { basename, dirname, join } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";

/** Windows has no modes and owners: there the folder of the user profile has an access list that keeps others out. */
const HAS_MODES = Deno.build.os !== "windows";
const STICKY = 0o1000;
const UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/**
 * Reads a private file.
 *
 * @returns `undefined` when there is none.
 * @throws {GraphError} `refused` when other users of the machine can read it (code `exposedFile`), when it is another
 * user's (`foreignFile`), when others can swap it because they may write to its folder (`exposedFolder`), or when it is a
 * symbolic link (`linkedFile`); `usage` when it is a folder or a device.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    checkKind(path, await Deno.lstat(path));
    await checkFolder(path);
    using file = await Deno.open(path);
    const facts = await file.stat(); // of what is read, whatever the name means by now
    checkMode(path, facts);
    checkOwner(path, facts);
    return await readAll(file, facts.size);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
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
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
      await checkReplaced(path);
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may never have come to be
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Renames a file that cannot be understood out of the way and returns its new path; nothing is ever deleted. */
export async function moveAside(path: string, now: number): Promise<string | undefined> {
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

/** Removes what a killed process left of its writing. Only for who holds the lock of the file: nobody else writes then. */
export async function removeLeftovers(path: string): Promise<void> {
  const [start, rest] = [`${basename(path)}.`, new RegExp(`^${UUID}\\.tmp$`)];
  for await (const { name } of Deno.readDir(dirname(path))) {
    if (!name.startsWith(start) || !rest.test(name.slice(start.length))) continue;
    await Deno.remove(join(dirname(path), name)).catch(() => {}); // an empty one may be in use, and gone by itself
  }
}

/**
 * Refuses a folder in which others may put a file of theirs in place of ours. A sticky one (`/tmp`) is not such: there a
 * file is moved by its owner only, and a foreign one is refused by its owner.
 *
 * @param path Of the file.
 * @throws {GraphError} `refused`, code `exposedFolder`.
 */
export async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const { mode } = await Deno.stat(folder);
  if (!HAS_MODES || mode === null || (mode & 0o022) === 0 || (mode & STICKY) !== 0) return;
  throw new GraphError(
    "refused",
    `other users of this machine may write to the folder ${folder}, and so could swap ${basename(path)}`,
    { code: "exposedFolder", hint: `mend it with: chmod go-w ${shellQuoted(folder)}` },
  );
}

/**
 * A link is refused rather than followed: what it leads to lies in a folder that nobody has checked, and replacing the file
 * would replace the link and leave the secret behind.
 */
function checkKind(path: string, { isFile, isSymlink }: Deno.FileInfo): void {
  if (isSymlink) {
    throw new GraphError("refused", `${path} is a symbolic link`, {
      code: "linkedFile",
      hint: "give the path of the file itself, or remove the link",
    });
  }
  if (!isFile) throw usageError(`${path} is not a file`, "name a file, not a folder", "notAFile");
}

function checkMode(path: string, { mode }: Deno.FileInfo): void {
  if (!HAS_MODES || mode === null || (mode & 0o077) === 0) return;
  throw new GraphError("refused", `${path} can be read by other users of this machine`, {
    code: "exposedFile",
    hint: `if nobody else has read it, mend it with: chmod 600 ${
      shellQuoted(path)
    }; otherwise delete it and sign in again`,
  });
}

function checkOwner(path: string, { uid }: Deno.FileInfo): void {
  if (!HAS_MODES || uid === null || uid === ownUid()) return;
  throw new GraphError("refused", `${path} belongs to another user of this machine (uid ${uid})`, {
    code: "foreignFile",
    hint: `run this as that user; if the file is meant to be yours: sudo chown "$(id -u)" ${
      shellQuoted(path)
    }`,
  });
}

/** With `sudo` a renewal would make somebody else's file root's, and lock its owner out. */
async function checkReplaced(path: string): Promise<void> {
  try {
    const there = await Deno.lstat(path);
    checkKind(path, there);
    checkOwner(path, there);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // nothing is replaced
  }
}

/** The user that this process runs as; `null` on Windows. It needs the permission `sys: uid`. */
export function ownUid(): number | null {
  return HAS_MODES ? Deno.uid() : null;
}

/** Reads a file as text, without the byte order mark that it may begin with. */
export async function readAll(file: Deno.FsFile, size: number): Promise<string> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return new TextDecoder().decode(bytes.subarray(0, at));
}

/** Without it a power cut may undo the renaming. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using handle = await Deno.open(folder, { read: true });
    await handle.sync();
  } catch {
    // Windows opens no folders and some network file systems do not sync them; the file itself is synced
  }
}

/** A path as one word of a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
