/**
 * What an earlier process left of a download: its record and its partial file, which a later one goes on with, starts
 * over, or leaves alone when it is not ours.
 *
 * @module
 */
import { type DownloadJournalEntry, isSameContent, isSameItem } from "./journal.ts";
import { GraphError } from "../errors.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { lstatIfExists } from "./local_target.ts";
import { newEntry, PartialFile, type PartialPlace } from "./partial_file.ts";
import { shellQuoted } from "../local/private_file.ts";
import { ByteRanges } from "./ranges.ts";

const NOTHING_YET = { announcedBytes: null, guessedFrom: null };

/** The record of an earlier process, if there is one; an unreadable one goes aside together with its partial file. */
export async function readUnfinished(
  { journal, key, path }: PartialPlace,
  notice: (text: string) => void,
): Promise<DownloadJournalEntry | undefined> {
  return await journal.read(key, async (aside) => {
    const what = "the record of an unfinished download could not be understood; it is kept as";
    if (!(await lstatIfExists(path))?.isFile) return notice(`${what} ${aside}`);
    const kept = path.replace(/partial$/, `${crypto.randomUUID().slice(0, 8)}.unreadable`);
    await Deno.rename(path, kept);
    notice(`${what} ${aside}, what had arrived as ${kept}; starting from the first byte`);
  });
}

/** Opens the partial file: that of an earlier process, or a new one. */
export async function openPartial(
  place: PartialPlace,
  entry: DownloadJournalEntry | undefined,
  found: ResolvedItem,
  notice: (text: string) => void,
): Promise<PartialFile> {
  const facts = await lstatIfExists(place.path);
  if (!facts) return await createPartial(place, found);
  const fault = entry ? faultOf(facts, entry) : "no record tells what it holds";
  if (!entry || fault) throw inTheWay(place.path, fault ?? "");
  const file = await openOwn(place.path, facts);
  try {
    if (Deno.build.os !== "windows") await Deno.chmod(place.path, 0o600);
    if (isSameContent(entry, found)) {
      const partial = await PartialFile.over(place, file, found, new ByteRanges(entry.done));
      partial.announce(entry.announcedBytes ?? 0);
      partial.guessedFrom = entry.guessedFrom ?? null; // earlier records do not tell
      return partial;
    }
    notice(
      isSameItem(entry, found)
        ? `${entry.path} has changed since its download was interrupted; starting from its first byte`
        : `the unfinished download of ${entry.path} to the same place is given up`,
    );
    const partial = await PartialFile.over(place, file, found, new ByteRanges());
    await partial.restart(found);
    return partial;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Deletes what an earlier process left, as far as it is ours. */
export async function removeUnfinished(place: PartialPlace, entry: DownloadJournalEntry): Promise<void> {
  const facts = await lstatIfExists(place.path);
  if (facts?.isFile && facts.size <= mostBytes(entry)) await Deno.remove(place.path);
  await place.journal.remove(place.key);
}

/** The record comes first: a partial file that no record knows is nobody's. */
async function createPartial(place: PartialPlace, found: ResolvedItem): Promise<PartialFile> {
  const ranges = new ByteRanges();
  await place.journal.write(place.key, newEntry(place, found, ranges, NOTHING_YET));
  let file: Deno.FsFile | undefined;
  try {
    file = await Deno.open(place.path, { read: true, write: true, createNew: true, mode: 0o600 });
    return await PartialFile.over(place, file, found, ranges);
  } catch (error) {
    file?.close();
    if (file) await Deno.remove(place.path);
    await place.journal.remove(place.key);
    throw error;
  }
}

/** Why a file cannot be what the record is of; `undefined` when it can. */
function faultOf(facts: Deno.FileInfo, entry: DownloadJournalEntry): string | undefined {
  if (!facts.isFile) return facts.isSymlink ? "it is a link" : "it is not a regular file";
  if ((facts.nlink ?? 1) > 1) return "it has another name as well";
  const recorded = new ByteRanges(entry.done).end;
  if (facts.size >= recorded && facts.size <= mostBytes(entry)) return undefined;
  return `it has ${facts.size} bytes, its record fits ${recorded} to ${mostBytes(entry)}`;
}

function mostBytes({ size, announcedBytes }: DownloadJournalEntry): number {
  return Math.max(size, announcedBytes ?? 0);
}

/** Opens the very file that was looked at: a link that has taken its place is not followed. */
async function openOwn(path: string, facts: Deno.FileInfo): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { read: true, write: true });
  const { ino, dev } = await file.stat();
  if (ino === facts.ino && dev === facts.dev) return file;
  file.close();
  throw inTheWay(path, "it changes while we look");
}

function inTheWay(path: string, why: string): GraphError {
  return new GraphError("conflict", `${path} stands where the download would grow, and is not ours: ${why}`, {
    code: "foreignPartial",
    hint: `if nothing else needs it, remove it: rm ${shellQuoted(path)}; then run the same command again`,
  });
}
