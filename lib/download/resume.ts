/**
 * What an earlier process left of a download: resumed, discarded, or not touched if it is not ours.
 *
 * @module
 */
import { ByteRanges } from "../content/ranges.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import { GraphError } from "../errors.ts";
import { lstatIfExists } from "../local/local_file.ts";
import { shellQuoted } from "../local/private_file.ts";
import { type DownloadJournalEntry, isSameContent, isSameItem, newEntry } from "./journal.ts";
import { PartialFile, type PartialPlace } from "./partial_file.ts";

/** Reads the journal entry, if any; an unreadable one is moved aside together with its partial file. */
export async function readUnfinished(
  { journal, key, path, notice }: PartialPlace,
): Promise<DownloadJournalEntry | undefined> {
  return await journal.read(key, async (aside) => {
    const what = `the journal entry of an unfinished download is not readable; it is kept as ${aside}`;
    if (!(await lstatIfExists(path))?.isFile) return notice(what);
    const kept = path.replace(/partial$/, `${crypto.randomUUID().slice(0, 8)}.unreadable`);
    await Deno.rename(path, kept);
    notice(`${what}, its partial file as ${kept}; starting from the first byte`);
  });
}

/** Removes the entry of an earlier process, and its partial file if it is ours. */
export async function removeUnfinished(place: PartialPlace, entry: DownloadJournalEntry): Promise<void> {
  const info = await lstatIfExists(place.path);
  if (info?.isFile && info.size <= maxBytes(entry)) await Deno.remove(place.path);
  await place.journal.remove(place.key);
}

/**
 * Opens the partial file of an earlier process, or a new one.
 *
 * @throws {GraphError} `conflict`, code `foreignPartial`, for a file that is not what the entry says.
 */
export async function openPartial(
  place: PartialPlace,
  entry: DownloadJournalEntry | undefined,
  content: RemoteContent,
): Promise<PartialFile> {
  const info = await lstatIfExists(place.path);
  if (!info) return await createPartial(place, content);
  if (!entry) throw foreignPartial(place.path, "it has no journal entry");
  const file = await openInspected(place.path, info, entry);
  try {
    if (Deno.build.os !== "windows") await Deno.chmod(place.path, 0o600);
    if (isSameContent(entry, content.found)) return new PartialFile(place, file, content, entry);
    place.notice(
      isSameItem(entry, content.found)
        ? `${entry.path} has changed since its download was interrupted; starting from the first byte`
        : `discarding the unfinished download of ${entry.path} to the same path`,
    );
    const partial = new PartialFile(place, file, content);
    await partial.restart();
    return partial;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Writes the entry first: a partial file without one belongs to no download. */
async function createPartial(place: PartialPlace, content: RemoteContent): Promise<PartialFile> {
  await place.journal.write(place.key, newEntry(content.found, place.local));
  try {
    const options = { read: true, write: true, createNew: true, mode: 0o600 };
    return new PartialFile(place, await Deno.open(place.path, options), content);
  } catch (error) {
    await place.journal.remove(place.key);
    throw error;
  }
}

/** Opens the very file that was inspected, if it can be what the entry describes: a symlink is not followed. */
async function openInspected(
  path: string,
  info: Deno.FileInfo,
  entry: DownloadJournalEntry,
): Promise<Deno.FsFile> {
  if (info.isSymlink) throw foreignPartial(path, "it is a symbolic link");
  if (!info.isFile) throw foreignPartial(path, "it is not a regular file");
  if ((info.nlink ?? 1) > 1) throw foreignPartial(path, "it has another hard link");
  const recorded = new ByteRanges(entry.done).end;
  if (info.size < recorded || info.size > maxBytes(entry)) {
    const allowed = `its journal entry allows ${recorded} to ${maxBytes(entry)}`;
    throw foreignPartial(path, `it has ${info.size} bytes, ${allowed}`);
  }
  const file = await Deno.open(path, { read: true, write: true });
  const { ino, dev } = await file.stat();
  if (ino === info.ino && dev === info.dev) return file;
  file.close();
  throw foreignPartial(path, "it is being modified");
}

function maxBytes({ size, announcedBytes }: DownloadJournalEntry): number {
  return Math.max(size, announcedBytes ?? 0);
}

function foreignPartial(path: string, why: string): GraphError {
  const message = `${path} is in the way of the download and not its partial file: ${why}`;
  const hint = `if nothing else needs it, remove it: rm ${
    shellQuoted(path)
  }; then run the same command again`;
  return new GraphError("conflict", message, { code: "foreignPartial", hint });
}
