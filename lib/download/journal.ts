/**
 * Unfinished downloads, kept so that a later process can go on: which version of which item the partial file holds, and
 * which of its bytes are surely on the disk. A download URL is a secret that soon expires, and never part of it.
 *
 * @module
 */
import { itemKey } from "../drive/drive_item.ts";
import type { ResolvedItem } from "../drive/items.ts";
import type { ByteRange } from "./ranges.ts";
import { Journal, journalKey } from "../local/journal.ts";

/** One unfinished download. */
export interface DownloadJournalEntry {
  driveId: string;
  itemId: string;
  /** Of the content: `cTag`, or `eTag` where the service gives none. */
  version: string;
  size: number;
  /** QuickXorHash in base64; `null` when the service gives none. */
  hash: string | null;
  /** Remote path, for people. */
  path: string;
  /** Whole path that the file is to have. */
  local: string;
  /** Bytes that storage announced, where they are more than `size` (PROTOCOL D6). */
  announcedBytes: number | null;
  /** The local file whose bytes it begins with, as long as that is only a guess; `null` when all of it was received. */
  guessedFrom: string | null;
  /** Bytes that are in the partial file. */
  done: ByteRange[];
}

/** The folder of unfinished downloads. */
export class DownloadJournal extends Journal<DownloadJournalEntry> {
  constructor(folder: string, now: () => number, notice: (text: string) => void) {
    super(folder, { what: "an unfinished download", parse }, now, notice);
  }

  /** Name of the entry of a local path: two downloads to one place are the same work. */
  keyOf(localPath: string): Promise<string> {
    return journalKey(localPath);
  }
}

/** The version of an item's content; `undefined` when the service does not tell. */
export function contentVersion({ driveItem }: ResolvedItem): string | undefined {
  return driveItem.cTag ?? driveItem.eTag ?? undefined;
}

/** Whether an item is the one that an unfinished download was of, in whatever version. */
export function isSameItem({ driveId, itemId }: DownloadJournalEntry, { item }: ResolvedItem): boolean {
  return itemKey({ driveId, id: itemId }) === itemKey(item);
}

/** Whether an item is what an unfinished download was of. */
export function isSameContent(entry: DownloadJournalEntry, found: ResolvedItem): boolean {
  const { item } = found;
  return isSameItem(entry, found) && entry.size === item.size &&
    entry.version !== "" && entry.version === contentVersion(found);
}

function parse(value: Record<string, unknown>): DownloadJournalEntry | undefined {
  const texts = ["driveId", "itemId", "version", "path", "local"].every((name) =>
    typeof value[name] === "string"
  );
  const { size, hash, announcedBytes, guessedFrom, done } = value;
  const known = texts && isCount(size) && (hash === null || typeof hash === "string") &&
    (announcedBytes === null || isCount(announcedBytes)) &&
    ((guessedFrom ?? null) === null || typeof guessedFrom === "string") && Array.isArray(done) &&
    done.every(isRange);
  return known ? value as unknown as DownloadJournalEntry : undefined;
}

function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [start, end] = value;
  return isCount(start) && isCount(end) && start < end;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
