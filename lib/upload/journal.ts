/**
 * Unfinished uploads, kept so that a later process can go on: written before the first byte, private because an upload
 * URL is a secret, replaced whole, gone when the upload is done.
 *
 * @module
 */
import type { ItemAddress } from "../drive/address.ts";
import type { LocalContent } from "../local/local_file.ts";
import { Journal, journalKey, sha256 } from "../local/journal.ts";

/** An upload URL dies 24 hours after its creation, whatever the session says (PROTOCOL U6). */
const MAX_LIFE_MS = 23.5 * 60 * 60 * 1000;
const EDGE_BYTES = 64 * 1024;

/** One unfinished upload. */
export interface UploadJournalEntry {
  uploadUrl: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Whole path of the local file. */
  local: string;
  size: number;
  /** Time of its last change, in milliseconds since 1970; `null` where the file system does not tell. */
  modified: number | null;
  /** Of the first and last 64 KiB. */
  fingerprint: string;
  /** Identifies the target. */
  target: string;
  /** Id of the folder that the session is for, whatever its name is by now; `null` when nobody knows. */
  folderId: string | null;
  /** Remote path, for people. */
  path: string;
  /** What the session does when the name is taken: it was settled when the session was made. */
  conflict: string;
  /** Description that was sent with it; `null` for none. */
  description: string | null;
  /** Version of the item that the upload replaces; `null` when there was none. */
  versionBefore: string | null;
  /** Who uploads; `null` when nobody knows. */
  account: string | null;
}

/** The folder of unfinished uploads. */
export class UploadJournal extends Journal<UploadJournalEntry> {
  readonly #now: () => number;

  constructor(folder: string, now: () => number, notice: (text: string) => void) {
    super(folder, { what: "an unfinished upload", parse }, now, notice);
    this.#now = now;
  }

  /** Name of the entry of a local file, its target, and the account that uploads it. */
  keyOf(target: string, localPath: string, account: string | undefined): Promise<string> {
    return journalKey([target, localPath, account ?? ""].join("\n"));
  }

  /** Whether the URL of an entry may still be alive. */
  isFresh({ createdAt }: UploadJournalEntry): boolean {
    return this.#now() - createdAt < MAX_LIFE_MS && createdAt <= this.#now();
  }
}

/** A target by what the service knows it by; case does not count in names. */
export function targetKey(apiOrigin: string, folder: ItemAddress, name: string): string {
  const place = "itemId" in folder ? `id ${folder.itemId}` : `path ${folder.path.join("/").toLowerCase()}`;
  return [apiOrigin, folder.driveId, place, name.toLowerCase()].join("\n");
}

/**
 * Tells a file from another of the same size and time: SHA-256 of its first and last 64 KiB.
 *
 * @param strictly Also of the time when anything about it changed, where no hash would tell in the end that it is another.
 */
export async function computeFingerprint(content: LocalContent, strictly: boolean): Promise<string> {
  const length = Math.min(EDGE_BYTES, content.size);
  const edges = new Uint8Array(2 * length);
  await content.read(edges.subarray(0, length), 0);
  await content.read(edges.subarray(length), content.size - length);
  const changed = strictly ? String(content.changed?.getTime() ?? "") : "";
  return await sha256(new Uint8Array([...new TextEncoder().encode(changed), ...edges]));
}

function parse(entry: Record<string, unknown>): UploadJournalEntry | undefined {
  const texts = ["uploadUrl", "local", "fingerprint", "target", "path", "conflict"].every((name) =>
    typeof entry[name] === "string"
  );
  const others = ["folderId", "description", "versionBefore", "account"].every((name) =>
    typeof (entry[name] ?? "") === "string"
  );
  const { size, createdAt, modified } = entry;
  const numbers = Number.isSafeInteger(size) && typeof createdAt === "number" &&
    !isNaN(new Date(createdAt).getTime()) && typeof (modified ?? 0) === "number";
  return texts && others && numbers ? entry as unknown as UploadJournalEntry : undefined;
}
