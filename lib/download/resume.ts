/**
 * What an earlier process left of a download: resumed, discarded, or not touched if it is not ours.
 *
 * @module
 */
import { type DownloadJournalEntry, isSameContent, isSameItem } from "./journal.ts";
import { GraphError } from "../errors.ts";
import { lstatIfExists } from "../local/file_operations.ts";
import { newEntry, PartialFile, type PartialPlace } from "./partial_file.ts";
import { shellQuoted } from "../local/private_file.ts";
import { ByteRanges } from "../content/ranges.ts";
import type { RemoteContent } from "../content/remote_content.ts";

/** Reads the journal entry, if any; an unreadable one is moved aside together with its partial file. */
export async function readUnfinished(
  { journal, key, path }: PartialPlace,
  notice: (text: string) => void,
): Promise<DownloadJournalEntry | undefined> {
  return await journal.read(key, async (aside) => {
    const what = `the journal entry of an unfinished download is not readable; it is kept as ${aside}`;
    if (!(await lstatIfExists(path))?.isFile) return notice(what);
    const kept = path.replace(/partial$/, `${crypto.randomUUID().slice(0, 8)}.unreadable`);
    await Deno.rename(path, kept);
    notice(`${what}, its partial file as ${kept}; starting from the first byte`);
  });
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
  notice: (text: string) => void,
): Promise<PartialFile> {
  const info = await lstatIfExists(place.path);
  if (!info) return await createPartial(place, content);
  const problem = entry ? findProblem(info, entry) : "it has no journal entry";
  if (!entry || problem) throw foreignPartial(place.path, problem ?? "");
  const file = await openUnchanged(place.path, info);
  try {
    if (Deno.build.os !== "windows") await Deno.chmod(place.path, 0o600);
    if (isSameContent(entry, content.found)) {
      const partial = new PartialFile(place, file, content, new ByteRanges(entry.done));
      partial.announce(entry.announcedBytes ?? 0);
      partial.assumedPrefixOf = entry.guessedFrom ?? null; // entries of earlier versions lack it
      return partial;
    }
    notice(
      isSameItem(entry, content.found)
        ? `${entry.path} has changed since its download was interrupted; starting from the first byte`
        : `discarding the unfinished download of ${entry.path} to the same path`,
    );
    const partial = new PartialFile(place, file, content, new ByteRanges());
    await partial.restart();
    return partial;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Removes the entry of an earlier process, and its partial file if it is ours. */
export async function removeUnfinished(place: PartialPlace, entry: DownloadJournalEntry): Promise<void> {
  const info = await lstatIfExists(place.path);
  if (info?.isFile && info.size <= maxBytes(entry)) await Deno.remove(place.path);
  await place.journal.remove(place.key);
}

/** Writes the entry first: a partial file without one belongs to no download. */
async function createPartial(place: PartialPlace, content: RemoteContent): Promise<PartialFile> {
  const ranges = new ByteRanges();
  const entry = newEntry(place, content.found, ranges, { announcedBytes: null, guessedFrom: null });
  await place.journal.write(place.key, entry);
  try {
    const options = { read: true, write: true, createNew: true, mode: 0o600 };
    return new PartialFile(place, await Deno.open(place.path, options), content, ranges);
  } catch (error) {
    await place.journal.remove(place.key);
    throw error;
  }
}

/** Why a file cannot be what the entry describes; `undefined` if it can. */
function findProblem(info: Deno.FileInfo, entry: DownloadJournalEntry): string | undefined {
  if (!info.isFile) return info.isSymlink ? "it is a symbolic link" : "it is not a regular file";
  if ((info.nlink ?? 1) > 1) return "it has another hard link";
  const recorded = new ByteRanges(entry.done).end;
  if (info.size >= recorded && info.size <= maxBytes(entry)) return undefined;
  return `it has ${info.size} bytes, its journal entry allows ${recorded} to ${maxBytes(entry)}`;
}

function maxBytes({ size, announcedBytes }: DownloadJournalEntry): number {
  return Math.max(size, announcedBytes ?? 0);
}

/** Opens the very file that was inspected: a symlink that has replaced it is not followed. */
async function openUnchanged(path: string, info: Deno.FileInfo): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { read: true, write: true });
  const { ino, dev } = await file.stat();
  if (ino === info.ino && dev === info.dev) return file;
  file.close();
  throw foreignPartial(path, "it is being modified");
}

function foreignPartial(path: string, why: string): GraphError {
  return new GraphError(
    "conflict",
    `${path} is in the way of the download and not its partial file: ${why}`,
    {
      code: "foreignPartial",
      hint: `if nothing else needs it, remove it: rm ${shellQuoted(path)}; then run the same command again`,
    },
  );
}
