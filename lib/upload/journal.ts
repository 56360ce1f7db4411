/**
 * The upload journal: one private file per unfinished upload, written before the first byte and removed when the upload
 * is verified, so that a later process can resume or cancel it. The upload URL in it is a secret.
 *
 * @module
 */
import { join } from "../std.ts";
import type { ItemAddress } from "../drive/address.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { formatUtc } from "../format.ts";
import type { StorageClient } from "../graph/storage.ts";
import { Journal, journalKey, sha256 } from "../local/journal.ts";
import type { LocalContent } from "../local/local_file.ts";
import type { TransferContext } from "../transfer/result.ts";
import { mayBeRewritten } from "../transfer/verify.ts";
import { nextExpectedByte, parseSession } from "./protocol.ts";
import { pathOf, type UploadTarget } from "./target.ts";

const CANCEL_TIMEOUT_MS = 4_000;
/** Of the ids that users see, which are the beginnings of keys. */
const ID_LENGTH = 8;
const EDGE_BYTES = 64 * 1024;

/** One unfinished upload. */
interface UploadJournalEntry {
  uploadUrl: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Absolute path of the local file. */
  local: string;
  size: number;
  /** Its last change, in milliseconds since 1970; `null` where the file system does not say. */
  modified: number | null;
  /** Of the first and last 64 KiB and the time of any change (ctime), which no program can set back. */
  fingerprint: string;
  /** Id of the folder that the session is for, whatever its name is by now; `null` when unknown. */
  folderId: string | null;
  /** Remote path, from the root of its drive; for messages. */
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
export type UploadEntry = ReturnType<typeof createEntry>;

/** The journal of the unfinished uploads of this machine's user. */
function openUploadJournal({ settings, graph, notice }: TransferContext): Journal<UploadJournalEntry> {
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
 * Runs an upload with its journal entry, while no other process works on the same one.
 *
 * @throws {GraphError} `unavailable`, code `locked`, when another process does.
 */
export async function withUploadEntry<T>(
  context: TransferContext,
  content: LocalContent,
  target: UploadTarget,
  body: (entry: UploadEntry) => Promise<T>,
): Promise<T> {
  const { key, ...identity } = await identify(context, content, target);
  return await openUploadJournal(context).exclusively(key, context.graph.http.signal, async () => {
    // Strict where the service cannot confirm the hash.
    const fingerprint = await computeFingerprint(content, mayBeRewritten(target.name, target.driveType));
    return await body(createEntry(context, key, { ...identity, fingerprint }, content.reopenable));
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

function createEntry(context: TransferContext, key: string, identity: UploadIdentity, reopenable: boolean) {
  const journal = openUploadJournal(context);
  const { storage, graph, notice } = context;
  return {
    /** What an earlier run left, and whether its session can be resumed; otherwise it is to be canceled. */
    async read(intent: UploadIntent): Promise<{ entry: UploadJournalEntry; resumable: boolean } | undefined> {
      const entry = await journal.read(key);
      if (!entry) return undefined;
      const { size, modified, fingerprint, folderId } = identity;
      const isSame = entry.size === size && entry.modified === modified &&
        entry.fingerprint === fingerprint &&
        (entry.folderId ?? folderId) === folderId && storage.accepts(entry.uploadUrl);
      if (!isSame && reopenable) {
        notice(`${entry.local} or its target has changed since its upload was interrupted; starting over`);
      }
      const resumable = isSame && reopenable && intent.resume !== false &&
        entry.conflict === intent.conflict && entry.description === (intent.description ?? null);
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
  };
}

/**
 * Cancels a session, so that it does not block the name; one that has ended counts as canceled (PROTOCOL U10).
 *
 * @returns Whether the service has responded; otherwise the session expires later.
 */
export async function cancelSession(storage: StorageClient, uploadUrl: string): Promise<boolean> {
  try {
    const detached = storage.withHttp(storage.http.detached(CANCEL_TIMEOUT_MS));
    const response = await detached.send({ method: "DELETE", url: uploadUrl, retry: "never" });
    await response.discard();
    return response.status < 500 && response.status !== 429;
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
  const isValid =
    ["uploadUrl", "local", "fingerprint", "path", "conflict"].every((name) =>
      typeof entry[name] === "string"
    ) && Number.isSafeInteger(entry.size) && Number.isSafeInteger(entry.createdAt);
  return isValid ? entry as unknown as UploadJournalEntry : undefined;
}

/** An unfinished upload, as `--list --json` prints it. */
export interface UnfinishedUploadInfo extends Pick<UploadJournalEntry, "path" | "local" | "size"> {
  /** Names it when it is canceled. */
  id: string;
  /** Bytes that the service has; `null` when the session has ended, or cannot be reached. */
  doneBytes: number | null;
  account: string | null;
  /** When the session was created, in UTC. */
  created: string;
}

/** Lists the unfinished uploads, with what each session has stored; no sign-in is needed. */
export async function* listUnfinishedUploads(context: TransferContext): AsyncGenerator<UnfinishedUploadInfo> {
  for await (const { key, entry } of openUploadJournal(context).entries()) {
    const { path, local, size, account, createdAt } = entry;
    const doneBytes = await readProgress(context, entry);
    const id = key.slice(0, ID_LENGTH);
    yield { id, path, local, size, doneBytes, account: account ?? null, created: formatUtc(createdAt) };
  }
}

/**
 * Cancels an unfinished upload, so that the name is free at once, and removes its entry.
 *
 * @throws {GraphError} `notFound`; `unavailable` when a process works on it, or when the service cannot be reached: the
 *   entry is kept then.
 */
export async function cancelUnfinishedUpload(
  context: TransferContext,
  id: string,
): Promise<UploadJournalEntry> {
  const journal = openUploadJournal(context);
  const uploads = await Array.fromAsync(journal.entries());
  const found = uploads.find(({ key }) => key.slice(0, ID_LENGTH) === id);
  if (!found) {
    throw new GraphError("notFound", `no unfinished upload has the id ${id}`, { code: "noSuchUpload" });
  }
  const { key, entry } = found;
  return await journal.exclusively(key, undefined, async () => {
    const { storage } = context;
    if (storage.accepts(entry.uploadUrl) && !await cancelSession(storage, entry.uploadUrl)) {
      throw new GraphError("unavailable", `the upload of ${entry.path} could not be canceled`, {
        code: "notCancelled",
        hint: "the service cannot be reached; run the same command again later",
      });
    }
    await journal.remove(key);
    return entry;
  });
}

async function readProgress(
  { storage, notice }: TransferContext,
  { uploadUrl, path, size }: UploadJournalEntry,
): Promise<number | null> {
  try {
    const response = await storage.send({ method: "GET", url: uploadUrl, retry: "idempotent" });
    const ranges = parseSession(await response.text())?.nextExpectedRanges;
    return ranges && response.status === 200 ? nextExpectedByte(ranges) ?? size : null;
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    notice(`the session of ${path} cannot be reached: ${error.message}`);
    return null;
  }
}
