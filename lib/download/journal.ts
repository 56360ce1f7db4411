/**
 * Unfinished downloads: which version of which item a partial file holds, and which of its bytes are on disk for certain.
 * Download URLs are secrets that soon expire; they are never recorded.
 *
 * @module
 */
import type { ByteRange } from "../content/ranges.ts";
import { contentVersion, itemKey } from "../drive/drive_item.ts";
import type { ResolvedItem } from "../drive/items.ts";
import { Journal } from "../local/journal.ts";

/** One unfinished download. */
export interface DownloadJournalEntry {
  driveId: string;
  itemId: string;
  /** Of the content: `cTag`, or `eTag` where the service gives none. */
  version: string;
  size: number;
  /** Remote path, for messages. */
  path: string;
  /** Absolute path that the file is to have. */
  local: string;
  /** Length that storage stated, if it is more than `size` (PROTOCOL D6). */
  announcedBytes: number | null;
  /** The local file that is assumed to be a prefix of the content, and that the partial file starts with. */
  guessedFrom: string | null;
  /** Bytes that the partial file holds. */
  done: ByteRange[];
}

/** The folder of unfinished downloads. */
export type DownloadJournal = Journal<DownloadJournalEntry>;

/** Opens the journal; its keys are those of local paths, so that only one download goes to each at a time. */
export function openDownloadJournal(
  folder: string,
  now: () => number,
  notice: (text: string) => void,
): DownloadJournal {
  return new Journal({ folder, what: "an unfinished download", parse, now, notice });
}

/** The entry of a download with no bytes recorded yet. */
export function newEntry({ item, driveItem }: ResolvedItem, local: string): DownloadJournalEntry {
  const { driveId, id: itemId, size, path } = item;
  const version = contentVersion(driveItem) ?? "";
  return {
    driveId,
    itemId,
    version,
    size,
    path,
    local,
    announcedBytes: null,
    guessedFrom: null,
    done: [],
  };
}

/** Whether an unfinished download is of this item, in any version. */
export function isSameItem({ driveId, itemId }: DownloadJournalEntry, { item }: ResolvedItem): boolean {
  return itemKey({ driveId, id: itemId }) === itemKey(item);
}

/** Whether an unfinished download is of this version of this item. */
export function isSameContent(entry: DownloadJournalEntry, found: ResolvedItem): boolean {
  return isSameItem(entry, found) && entry.size === found.item.size &&
    entry.version !== "" && entry.version === contentVersion(found.driveItem);
}

function parse(value: Record<string, unknown>): DownloadJournalEntry | undefined {
  const texts = ["driveId", "itemId", "version", "path", "local"].every((name) =>
    typeof value[name] === "string"
  );
  const { size, announcedBytes, guessedFrom, done } = value;
  const isEntry = texts && isCount(size) &&
    (announcedBytes === null || isCount(announcedBytes)) &&
    ((guessedFrom ?? null) === null || typeof guessedFrom === "string") && Array.isArray(done) &&
    done.every(isRange);
  return isEntry ? value as unknown as DownloadJournalEntry : undefined;
}

function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [start, end] = value;
  return isCount(start) && isCount(end) && start < end;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
