/**
 * The upload journal: one private file per unfinished upload, written before the first byte and removed when the upload
 * is verified, so that a later process can resume or cancel it. The upload URL in it is a secret.
 *
 * @module
 */
import { join } from "../std.ts";
import type { ItemAddress } from "../drive/address.ts";
import type { StorageClient } from "../graph/storage.ts";
import { Journal, journalKey, sha256 } from "../local/journal.ts";
import type { LocalContent } from "../local/local_file.ts";
import type { TransferContext } from "../transfer/result.ts";
import { mayBeRewritten } from "../transfer/verify.ts";
import { pathOf, type UploadTarget } from "./target.ts";

/** An upload URL dies 24 hours after its creation, whatever the session says (PROTOCOL U6). */
const MAX_LIFE_MS = 23.5 * 60 * 60 * 1000;
const CANCEL_TIMEOUT_MS = 4_000;
const EDGE_BYTES = 64 * 1024;

/** One unfinished upload. */
export interface UploadJournalEntry {
  uploadUrl: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Absolute path of the local file. */
  local: string;
  size: number;
  /** Its last change, in milliseconds since 1970; `null` where the file system does not say. */
  modified: number | null;
  /** Of the first and last 64 KiB. */
  fingerprint: string;
  /** Identifies the target. */
  target: string;
  /** Id of the folder that the session is for, whatever its name is by now; `null` when unknown. */
  folderId: string | null;
  /** Remote path, for messages. */
  path: string;
  /** What the session does when the name is taken, fixed at its creation. */
  conflict: string;
  /** Description sent with it; `null` for none. */
  description: string | null;
  /** Version of the item that the upload replaces; `null` when there was none. */
  versionBefore: string | null;
  /** User name of the account; `null` when unknown. */
  account: string | null;
}

/** What an upload is to do; a session that was created for something else is not resumed. */
export interface UploadIntent {
  conflict: string;
  description?: string;
  /** @default true */
  resume?: boolean;
}

/** The journal entry of the running upload. */
export type UploadRecord = ReturnType<typeof createRecord>;

/** The journal of the unfinished uploads of this machine's user. */
export function openUploadJournal({ settings, graph, notice }: TransferContext): Journal<UploadJournalEntry> {
  const folder = join(settings.state, "uploads");
  return new Journal({ folder, what: "an unfinished upload", parse, now: graph.http.now, notice });
}

/** Whether an upload of this content is unfinished: not all sent, or not verified. */
export async function isUploadUnfinished(
  context: TransferContext,
  content: LocalContent,
  target: UploadTarget,
): Promise<boolean> {
  const { key } = await identify(context, content, target);
  return await openUploadJournal(context).has(key);
}

/**
 * Runs an upload with its record, while no other process works on the same one.
 *
 * @throws {GraphError} `unavailable`, code `locked`, when another process does.
 */
export async function withUploadRecord<T>(
  context: TransferContext,
  content: LocalContent,
  target: UploadTarget,
  body: (record: UploadRecord) => Promise<T>,
): Promise<T> {
  const { key, ...identity } = await identify(context, content, target);
  return await openUploadJournal(context).exclusively(key, context.graph.http.signal, async () => {
    // Standard input cannot be read again; a random fingerprint prevents resuming.
    // Strict where the service cannot confirm the hash.
    const fingerprint = content.reopenable
      ? await computeFingerprint(content, mayBeRewritten(target.name, target.driveType))
      : crypto.randomUUID();
    return await body(createRecord(context, key, { ...identity, fingerprint }, content.reopenable));
  });
}

async function identify(context: TransferContext, content: LocalContent, target: UploadTarget) {
  const local = content.reopenable ? await Deno.realPath(content.path) : content.path;
  const place = targetKey(context.settings.apiOrigin, target.folder, target.name);
  const account = await context.account() ?? null;
  return {
    key: await journalKey([place, local, account ?? ""].join("\n")),
    local,
    size: content.size,
    modified: content.modified?.getTime() ?? null,
    target: place,
    folderId: target.folderId,
    path: pathOf(target),
    account,
  };
}

/** What an entry says of the upload itself, as opposed to its session. */
type UploadIdentity = Omit<
  UploadJournalEntry,
  "uploadUrl" | "createdAt" | "conflict" | "description" | "versionBefore"
>;

function createRecord(
  context: TransferContext,
  key: string,
  identity: UploadIdentity,
  reopenable: boolean,
) {
  const journal = openUploadJournal(context);
  const { storage, graph, notice } = context;
  return {
    /** What an earlier run left, and whether its session can be resumed; otherwise it is to be cancelled. */
    async read(intent: UploadIntent): Promise<{ entry: UploadJournalEntry; resumable: boolean } | undefined> {
      const entry = await journal.read(key);
      if (!entry) return undefined;
      if (!storage.accepts(entry.uploadUrl)) {
        notice(
          `${entry.path}: the session of an earlier run is at a host that is not a storage host of these settings; starting over`,
        );
        await journal.remove(key);
        return undefined;
      }
      const { size, modified, fingerprint, folderId } = identity;
      if (entry.size !== size || entry.modified !== modified || entry.fingerprint !== fingerprint) {
        if (reopenable) notice(`${entry.local} has changed since its upload was interrupted; starting over`);
        return { entry, resumable: false };
      }
      if ((entry.folderId ?? folderId) !== folderId) {
        notice(
          `the folder of ${entry.path} is not the one that it was when the upload was interrupted; starting over`,
        );
        return { entry, resumable: false };
      }
      const resumable = intent.resume !== false && entry.conflict === intent.conflict &&
        entry.description === (intent.description ?? null) && isFresh(entry, graph.http.now());
      return { entry, resumable };
    },

    /** Written before the first byte, so that an upload killed at any later moment can be resumed. */
    async write(uploadUrl: string, intent: UploadIntent, versionBefore: string | undefined): Promise<void> {
      await journal.write(key, {
        uploadUrl,
        createdAt: graph.http.now(),
        ...identity,
        conflict: intent.conflict,
        description: intent.description ?? null,
        versionBefore: versionBefore ?? null,
      });
    },

    remove: (): Promise<void> => journal.remove(key),

    /** Cancels other unfinished uploads to the same target; returns whether there were any (PROTOCOL U9). */
    async cancelOthers(): Promise<boolean> {
      let found = false;
      for await (const other of journal.entries()) {
        if (other.entry.target !== identity.target || other.key === key) continue;
        notice(`cancelling the unfinished upload of ${other.entry.local} to the same place`);
        await cancelEntry(context, other.key, other.entry, true);
        found = true;
      }
      return found;
    },
  };
}

/** Cancels the session of an entry, and removes the entry. @param always Even if the session could not be cancelled. */
export async function cancelEntry(
  context: TransferContext,
  key: string,
  entry: UploadJournalEntry,
  always: boolean,
): Promise<boolean> {
  const { storage, graph } = context;
  const journal = openUploadJournal(context);
  return await journal.exclusively(key, undefined, async () => {
    const isOver = !storage.accepts(entry.uploadUrl) || !isFresh(entry, graph.http.now());
    const isCancelled = isOver || await cancelSession(storage, entry.uploadUrl);
    if (isCancelled || always) await journal.remove(key);
    return isCancelled;
  });
}

/** Whether the upload URL of an entry may still work. */
function isFresh({ createdAt }: UploadJournalEntry, now: number): boolean {
  return now >= createdAt && now - createdAt < MAX_LIFE_MS;
}

/**
 * Cancels a session, so that it does not block the name; one that has ended is as good (PROTOCOL U10).
 *
 * @returns Whether the service has answered; otherwise the session expires later.
 */
export async function cancelSession(storage: StorageClient, uploadUrl: string): Promise<boolean> {
  try {
    const detached = storage.withHttp(storage.http.detached(CANCEL_TIMEOUT_MS));
    const response = await detached.send({ method: "DELETE", url: uploadUrl, retry: "never" });
    await response.discard();
    return response.status < 500;
  } catch {
    return false; // callers may ignore this
  }
}

/** Identifies a target; names are not case-sensitive. */
function targetKey(apiOrigin: string, folder: ItemAddress, name: string): string {
  const place = "itemId" in folder ? `id ${folder.itemId}` : `path ${folder.path.join("/").toLowerCase()}`;
  return [apiOrigin, folder.driveId, place, name.toLowerCase()].join("\n");
}

/** Distinguishes files of the same size and time. @param strict Includes the time of any change (ctime). */
async function computeFingerprint(content: LocalContent, strict: boolean): Promise<string> {
  const length = Math.min(EDGE_BYTES, content.size);
  const edges = new Uint8Array(2 * length);
  await content.read(edges.subarray(0, length), 0);
  await content.read(edges.subarray(length), content.size - length);
  const changed = strict ? String(content.changed?.getTime() ?? "") : "";
  return await sha256(new Uint8Array([...new TextEncoder().encode(changed), ...edges]));
}

function parse(entry: Record<string, unknown>): UploadJournalEntry | undefined {
  const isText = (name: string) => typeof entry[name] === "string";
  const isTextOrAbsent = (name: string) => typeof (entry[name] ?? "") === "string";
  const { size, createdAt, modified } = entry;
  const isValid = ["uploadUrl", "local", "fingerprint", "target", "path", "conflict"].every(isText) &&
    ["folderId", "description", "versionBefore", "account"].every(isTextOrAbsent) &&
    Number.isSafeInteger(size) && typeof (modified ?? 0) === "number" &&
    typeof createdAt === "number" && !isNaN(new Date(createdAt).getTime());
  return isValid ? entry as unknown as UploadJournalEntry : undefined;
}
