/**
 * The upload journal: one private file per unfinished upload, written before the first byte and removed when the upload
 * is verified, so that a later process can resume or cancel it. The upload URL in it is a secret.
 *
 * @module
 */
import { join } from "../std.ts";
import type { ItemAddress } from "../drive/address.ts";
import { GraphError, usageError } from "../errors.ts";
import { readServiceError } from "../graph/errors.ts";
import type { StorageClient } from "../graph/storage.ts";
import { Journal, journalKey, sha256 } from "../local/journal.ts";
import type { LocalContent } from "../local/local_file.ts";
import type { TransferContext } from "../transfer/result.ts";
import { mayBeRewritten } from "../transfer/verify.ts";
import { nextExpectedByte, parseSession } from "./protocol.ts";
import type { UploadTarget } from "./target.ts";

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
  /** Its last change, in milliseconds since 1970; `null` where the file system does not tell. */
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

/** An unfinished upload, as `--list --json` prints it. */
export interface UnfinishedUploadInfo {
  /** Names it when it is cancelled. */
  id: string;
  /** Remote path, from the root of its drive. */
  path: string;
  /** Absolute path of the local file. */
  local: string;
  size: number;
  /** Bytes that the service has; `null`: the session has ended; missing: it could not be asked. */
  doneBytes?: number | null;
  account: string | null;
  /** When the session was created, in UTC. */
  created: string;
}

/** What the journal works with. */
type JournalContext = Pick<TransferContext, "settings" | "storage" | "graph" | "notice">;

/** The unfinished uploads of this machine's user. */
export class UploadJournal {
  readonly #context: JournalContext;
  readonly #journal: Journal<UploadJournalEntry>;

  constructor(context: JournalContext) {
    this.#context = context;
    const folder = join(context.settings.state, "uploads");
    const { notice, graph: { http: { now } } } = context;
    this.#journal = new Journal({ folder, what: "an unfinished upload", parse, now, notice });
  }

  /**
   * Runs an upload with its record, while no other process works on the same one.
   *
   * @throws {GraphError} `unavailable`, code `locked`, when another process does.
   */
  async during<T>(
    content: LocalContent,
    target: UploadTarget,
    account: string | undefined,
    body: (record: UploadRecord) => Promise<T>,
  ): Promise<T> {
    const { key, local, place } = await this.#identify(content, target, account);
    return await this.#journal.exclusively(key, this.#context.graph.http.signal, async () => {
      // Standard input cannot be read again; a random fingerprint prevents resuming.
      const fingerprint = content.reopenable
        ? await computeFingerprint(content, mayBeRewritten(target.name, target.driveType))
        : crypto.randomUUID();
      const identity = {
        local,
        size: content.size,
        modified: content.modified?.getTime() ?? null,
        fingerprint,
        target: place,
        folderId: target.folderId,
        path: [target.folderPath, target.name].filter(Boolean).join("/"),
        account: account ?? null,
      };
      return await body(new UploadRecord(this, this.#context, key, identity, content.reopenable));
    });
  }

  /** Whether an upload of this content is unfinished: not all sent, or not verified. */
  async has(content: LocalContent, target: UploadTarget, account: string | undefined): Promise<boolean> {
    const { key } = await this.#identify(content, target, account);
    return await this.#journal.has(key);
  }

  /** Lists the unfinished uploads, with what each session has stored; no sign-in is needed. */
  async *list(): AsyncGenerator<UnfinishedUploadInfo> {
    for await (const { key, entry } of this.#journal.entries()) {
      const { path, local, size, account, createdAt } = entry;
      const created = new Date(createdAt).toISOString().replace(/\.\d+Z$/, "Z");
      yield {
        id: key.slice(0, 8),
        path,
        local,
        size,
        ...await this.#progressOf(entry),
        account: account ?? null,
        created,
      };
    }
  }

  /**
   * Cancels an unfinished upload, so that the name is free at once, and removes its entry.
   *
   * @param which Its id, its local path, or its remote path.
   * @throws {GraphError} `notFound`; `usage` when several match; `unavailable` when a process works on it, or when the
   *   service cannot be reached: the entry is kept then.
   */
  async cancel(which: string): Promise<UploadJournalEntry> {
    const { key, entry } = await this.#find(which);
    if (!this.#context.storage.accepts(entry.uploadUrl)) {
      this.#context.notice(
        `the session of ${entry.path} is at a host that is not a storage host of these settings; it expires by itself`,
      );
    }
    if (await this.#cancelEntry(key, entry, false)) return entry;
    throw new GraphError("unavailable", `the upload of ${entry.path} could not be cancelled`, {
      code: "notCancelled",
      hint: "the service cannot be reached; run the same command again later",
    });
  }

  /** Cancels other unfinished uploads to the same target; returns whether there were any (PROTOCOL U9). */
  async cancelOthers(target: string, ownKey: string): Promise<boolean> {
    let found = false;
    for await (const { key, entry } of this.#journal.entries()) {
      if (entry.target !== target || key === ownKey) continue;
      this.#context.notice(`cancelling the unfinished upload of ${entry.local} to the same place`);
      await this.#cancelEntry(key, entry, true);
      found = true;
    }
    return found;
  }

  read(key: string): Promise<UploadJournalEntry | undefined> {
    return this.#journal.read(key);
  }

  write(key: string, entry: UploadJournalEntry): Promise<void> {
    return this.#journal.write(key, entry);
  }

  remove(key: string): Promise<void> {
    return this.#journal.remove(key);
  }

  /** Whether the upload URL of an entry may still work. */
  isFresh({ createdAt }: UploadJournalEntry): boolean {
    const ageMs = this.#context.graph.http.now() - createdAt;
    return ageMs >= 0 && ageMs < MAX_LIFE_MS;
  }

  async #identify(content: LocalContent, target: UploadTarget, account: string | undefined) {
    const local = content.reopenable ? await Deno.realPath(content.path) : content.path;
    const place = targetKey(this.#context.settings.apiOrigin, target.folder, target.name);
    return { local, place, key: await journalKey([place, local, account ?? ""].join("\n")) };
  }

  async #find(which: string): Promise<{ key: string; entry: UploadJournalEntry }> {
    const absolute = await Deno.realPath(which).catch(() => undefined); // a remote path, or a file that is gone
    const isMeant = ({ key, entry: { local, path } }: { key: string; entry: UploadJournalEntry }) =>
      (which.length >= 8 && key.startsWith(which.toLowerCase())) ||
      [local, path].includes(which) || local === absolute;
    const [first, ...others] = (await Array.fromAsync(this.#journal.entries())).filter(isMeant);
    if (!first) {
      throw new GraphError("notFound", `no unfinished upload is called ${which}`, { code: "noSuchUpload" });
    }
    if (others.length === 0) return first;
    const ids = [first, ...others].map(({ key }) => key.slice(0, 8)).join(", ");
    throw usageError(
      `several unfinished uploads match ${which}: ${ids}`,
      "name one by its id",
      "ambiguousUpload",
    );
  }

  /** @param always Removes the entry even if its session could not be cancelled. */
  async #cancelEntry(key: string, entry: UploadJournalEntry, always: boolean): Promise<boolean> {
    const { storage } = this.#context;
    return await this.#journal.exclusively(key, undefined, async () => {
      const isOver = !storage.accepts(entry.uploadUrl) || !this.isFresh(entry);
      const isCancelled = isOver || await cancelSession(storage, entry.uploadUrl);
      if (isCancelled || always) await this.#journal.remove(key);
      return isCancelled;
    });
  }

  async #progressOf(entry: UploadJournalEntry): Promise<Pick<UnfinishedUploadInfo, "doneBytes">> {
    const { storage, notice } = this.#context;
    try {
      const response = await storage.send({ method: "GET", url: entry.uploadUrl, retry: "idempotent" });
      if (response.status === 429 || response.status >= 500) {
        throw await readServiceError(response, "upload session");
      }
      if (response.status !== 200) {
        await response.discard();
        return { doneBytes: null };
      }
      const ranges = parseSession(await response.text())?.nextExpectedRanges;
      return { doneBytes: ranges ? nextExpectedByte(ranges) ?? entry.size : null };
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind === "interrupted") throw error;
      notice(`the session of ${entry.path} cannot be asked: ${error.message}`);
      return {};
    }
  }
}

/** What an entry says of the upload itself, as opposed to its session. */
type UploadIdentity = Omit<
  UploadJournalEntry,
  "uploadUrl" | "createdAt" | "conflict" | "description" | "versionBefore"
>;

/** The record of the upload that is running. */
export class UploadRecord {
  readonly #journal: UploadJournal;
  readonly #context: JournalContext;
  readonly #key: string;
  readonly #identity: UploadIdentity;
  readonly #reopenable: boolean;

  constructor(
    journal: UploadJournal,
    context: JournalContext,
    key: string,
    identity: UploadIdentity,
    reopenable: boolean,
  ) {
    this.#journal = journal;
    this.#context = context;
    this.#key = key;
    this.#identity = identity;
    this.#reopenable = reopenable;
  }

  /** What an earlier run left, and whether its session can be resumed; otherwise it is to be cancelled. */
  async read(intent: UploadIntent): Promise<{ entry: UploadJournalEntry; resumable: boolean } | undefined> {
    const entry = await this.#journal.read(this.#key);
    if (!entry) return undefined;
    const { size, modified, fingerprint, folderId } = this.#identity;
    if (!this.#context.storage.accepts(entry.uploadUrl)) {
      this.#context.notice(
        `${entry.path}: the session of an earlier run is at a host that is not a storage host of these settings; starting over`,
      );
      await this.remove();
      return undefined;
    }
    if (entry.size !== size || entry.modified !== modified || entry.fingerprint !== fingerprint) {
      if (this.#reopenable) {
        this.#context.notice(`${entry.local} has changed since its upload was interrupted; starting over`);
      }
      return { entry, resumable: false };
    }
    if ((entry.folderId ?? folderId) !== folderId) {
      this.#context.notice(
        `the folder of ${entry.path} is not the one that it was when the upload was interrupted; starting over`,
      );
      return { entry, resumable: false };
    }
    const resumable = intent.resume !== false && entry.conflict === intent.conflict &&
      entry.description === (intent.description ?? null) && this.#journal.isFresh(entry);
    return { entry, resumable };
  }

  /** Written before the first byte, so that an upload killed at any later moment can be resumed. */
  async write(uploadUrl: string, intent: UploadIntent, versionBefore: string | undefined): Promise<void> {
    await this.#journal.write(this.#key, {
      uploadUrl,
      createdAt: this.#context.graph.http.now(),
      ...this.#identity,
      conflict: intent.conflict,
      description: intent.description ?? null,
      versionBefore: versionBefore ?? null,
    });
  }

  remove(): Promise<void> {
    return this.#journal.remove(this.#key);
  }

  /** Cancels other unfinished uploads that block the name; returns whether there were any. */
  cancelOthers(): Promise<boolean> {
    return this.#journal.cancelOthers(this.#identity.target, this.#key);
  }
}

/**
 * Cancels a session, so that it does not block the name; one that has ended is as good (PROTOCOL U10).
 *
 * @returns Whether the service has answered; otherwise the session expires by itself.
 */
export async function cancelSession(storage: StorageClient, uploadUrl: string): Promise<boolean> {
  try {
    const detached = storage.detached(CANCEL_TIMEOUT_MS);
    const response = await detached.send({ method: "DELETE", url: uploadUrl, retry: "never" });
    await response.discard();
    return response.status < 500;
  } catch {
    return false; // callers may ignore this
  }
}

/** A target by what the service knows it by; names are not case-sensitive. */
export function targetKey(apiOrigin: string, folder: ItemAddress, name: string): string {
  const place = "itemId" in folder ? `id ${folder.itemId}` : `path ${folder.path.join("/").toLowerCase()}`;
  return [apiOrigin, folder.driveId, place, name.toLowerCase()].join("\n");
}

/**
 * Tells a file from another of the same size and time: SHA-256 of its first and last 64 KiB.
 *
 * @param strict Includes the time of any change (ctime), for files whose hash the service cannot confirm.
 */
export async function computeFingerprint(content: LocalContent, strict: boolean): Promise<string> {
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
