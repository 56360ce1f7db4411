/**
 * The record of one upload through a session, from before its first byte until it is done: what a later process needs to
 * go on, or to give it up.
 *
 * @module
 */
import { join } from "../std.ts";
import { GraphError, usageError } from "../errors.ts";
import { computeFingerprint, targetKey, UploadJournal, type UploadJournalEntry } from "./journal.ts";
import type { LocalContent } from "../local/local_file.ts";
import { readServiceError } from "../graph/errors.ts";
import { nextExpectedByte, parseSession } from "./session_status.ts";
import type { StorageClient } from "../graph/storage.ts";
import type { TransferContext } from "../transfer/result.ts";
import type { UploadTarget } from "./target.ts";
import { mayBeRewritten } from "../transfer/verify.ts";

const CANCEL_TIMEOUT_MS = 4_000;

/** What an upload is asked to do; a session that was made for something else is not gone on with. */
export interface UploadIntent {
  conflict: string;
  description: string | undefined;
}

interface RecordFacts {
  key: string;
  target: string;
  local: string;
  fingerprint: string;
  account: string | null;
}

/** The record of the upload that is going on. */
export class ResumableUpload {
  readonly #journal: UploadJournal;
  readonly #context: TransferContext;
  readonly #content: LocalContent;
  readonly #target: UploadTarget;
  readonly #facts: RecordFacts;

  private constructor(
    journal: UploadJournal,
    context: TransferContext,
    content: LocalContent,
    target: UploadTarget,
    facts: RecordFacts,
  ) {
    this.#journal = journal;
    this.#context = context;
    this.#content = content;
    this.#target = target;
    this.#facts = facts;
  }

  /**
   * Runs an upload with its record, while no other process works on the same one.
   *
   * @throws {GraphError} `unavailable`, code `locked`, when another process does.
   */
  static async during<T>(
    context: TransferContext,
    content: LocalContent,
    target: UploadTarget,
    body: (record: ResumableUpload) => Promise<T>,
  ): Promise<T> {
    const journal = journalOf(context);
    const local = content.reopenable ? await Deno.realPath(content.path) : content.path;
    const place = targetKey(context.settings.apiOrigin, target.folder, target.name);
    const account = await context.account();
    const key = await journal.keyOf(place, local, account);
    return await journal.exclusively(key, context.graph.http.signal, async () => {
      // What cannot be read again is never gone on with: its fingerprint fits nothing.
      const strictly = mayBeRewritten(target.name, target.driveType);
      const fingerprint = content.reopenable
        ? await computeFingerprint(content, strictly)
        : crypto.randomUUID();
      const facts = { key, target: place, local, fingerprint, account: account ?? null };
      return await body(new ResumableUpload(journal, context, content, target, facts));
    });
  }

  /** What an earlier process has left. */
  read(): Promise<UploadJournalEntry | undefined> {
    return this.#journal.read(this.#facts.key);
  }

  /** Whether the local content is still that of the entry. */
  isSame({ size, modified, fingerprint }: UploadJournalEntry): boolean {
    return size === this.#content.size && modified === (this.#content.modified?.getTime() ?? null) &&
      fingerprint === this.#facts.fingerprint;
  }

  /** Whether the session of an entry leads into the folder that is meant now: its name may have gone to another one. */
  isSamePlace({ folderId }: UploadJournalEntry): boolean {
    return (folderId ?? this.#target.folderId) === this.#target.folderId;
  }

  /** Whether the session of an entry does what is wanted now, and may still be alive. */
  isWanted(entry: UploadJournalEntry, { conflict, description }: UploadIntent): boolean {
    return entry.conflict === conflict && entry.description === (description ?? null) &&
      this.#journal.isFresh(entry);
  }

  /** Before the first byte, so that a kill at any later moment can be mended. */
  async remember(
    uploadUrl: string,
    { conflict, description }: UploadIntent,
    versionBefore: string | undefined,
  ): Promise<void> {
    const { key, target, local, fingerprint, account } = this.#facts;
    await this.#journal.write(key, {
      uploadUrl,
      createdAt: this.#context.graph.http.now(),
      local,
      size: this.#content.size,
      modified: this.#content.modified?.getTime() ?? null,
      fingerprint,
      target,
      folderId: this.#target.folderId,
      path: [this.#target.folderPath, this.#target.name].filter(Boolean).join("/"),
      conflict,
      description: description ?? null,
      versionBefore: versionBefore ?? null,
      account,
    });
  }

  forget(): Promise<void> {
    return this.#journal.remove(this.#facts.key);
  }

  /** Ends other unfinished uploads of ours that block the name (PROTOCOL U9); tells whether there were any. */
  async cancelOthers(): Promise<boolean> {
    let found = false;
    for await (const { key, entry } of this.#journal.entries()) {
      if (entry.target !== this.#facts.target || key === this.#facts.key) continue;
      this.#context.notice(`the unfinished upload of ${entry.local} to the same place is given up`);
      await giveUp(this.#journal, this.#context.storage, key, entry, false);
      found = true;
    }
    return found;
  }
}

/** An unfinished upload, as `put-large --list --json` prints it. */
export interface UnfinishedUploadInfo {
  /** Names it for `--abandon`. */
  id: string;
  /** Remote path, from the root of its drive. */
  path: string;
  /** Whole path of the local file. */
  local: string;
  size: number;
  /** Bytes that the service has; `null` when the session has ended; missing when it could not be asked. */
  doneBytes?: number | null;
  account: string | null;
  /** When the session was made, in UTC. */
  created: string;
}

/**
 * Lists the unfinished uploads of this machine's user, and asks each session where it stands; no sign-in is needed. One
 * that cannot be asked, such as one of another cloud, is listed all the same.
 */
export async function* unfinishedUploads(
  context: Pick<TransferContext, "settings" | "storage" | "graph" | "notice">,
): AsyncGenerator<UnfinishedUploadInfo> {
  for await (const { key, entry } of journalOf(context).entries()) {
    const { path, local, size, account, createdAt } = entry;
    const position = await askedPosition(context, entry);
    const created = new Date(createdAt).toISOString().replace(/\.\d+Z$/, "Z");
    yield { id: key.slice(0, 8), path, local, size, ...position, account: account ?? null, created };
  }
}

/**
 * Gives an unfinished upload up: cancels its session, so that the name is free at once, and deletes its record.
 *
 * @param which Its id, its local path, or its remote path.
 * @returns What was given up.
 * @throws {GraphError} `notFound`; `usage` when several fit; `unavailable` when a process is working on it, or when the
 *   service cannot be reached: the record is kept then.
 */
export async function abandonUpload(
  context: Pick<TransferContext, "settings" | "storage" | "graph" | "notice">,
  which: string,
): Promise<UploadJournalEntry> {
  const journal = journalOf(context);
  const whole = await Deno.realPath(which).catch(() => undefined); // it may be no local path, or be gone
  const fits: { key: string; entry: UploadJournalEntry }[] = [];
  for await (const found of journal.entries()) {
    const { local, path } = found.entry;
    if (found.key.startsWith(which.toLowerCase()) && which.length >= 8) fits.push(found);
    else if ([local, path].includes(which) || local === whole) fits.push(found);
  }
  const [first, second] = fits;
  if (!first) {
    throw new GraphError("notFound", `no unfinished upload is called ${which}`, {
      code: "noSuchUpload",
      hint: "see put-large --list",
    });
  }
  if (second) {
    throw usageError(
      `several unfinished uploads fit ${which}: ${fits.map(({ key }) => key.slice(0, 8)).join(", ")}`,
      "name one by its id",
      "ambiguousUpload",
    );
  }
  if (!context.storage.accepts(first.entry.uploadUrl)) {
    context.notice(
      `the session of ${first.entry.path} is at a host that is not a storage host of these settings; it ends by itself`,
    );
  }
  if (await giveUp(journal, context.storage, first.key, first.entry, true)) return first.entry;
  throw new GraphError("unavailable", `the upload of ${first.entry.path} could not be cancelled`, {
    code: "notCancelled",
    hint: "the service cannot be reached; run the same command again later",
  });
}

async function giveUp(
  journal: UploadJournal,
  storage: StorageClient,
  key: string,
  entry: UploadJournalEntry,
  onlyIfCancelled: boolean,
): Promise<boolean> {
  return await journal.exclusively(key, undefined, async () => {
    // An old session is over; one of another cloud or gateway nobody will ever ask from here.
    const cancelled = !storage.accepts(entry.uploadUrl) || !journal.isFresh(entry) ||
      await cancelSession(storage, entry.uploadUrl);
    if (cancelled || !onlyIfCancelled) await journal.remove(key);
    return cancelled;
  });
}

async function askedPosition(
  { storage, notice }: Pick<TransferContext, "storage" | "notice">,
  entry: UploadJournalEntry,
): Promise<Pick<UnfinishedUploadInfo, "doneBytes">> {
  try {
    return { doneBytes: await positionOf(storage, entry) };
  } catch (error) {
    if (!(error instanceof GraphError) || error.kind === "interrupted") throw error;
    notice(`the session of ${entry.path} cannot be asked: ${error.message}`);
    return {};
  }
}

async function positionOf(
  storage: StorageClient,
  { uploadUrl, size }: UploadJournalEntry,
): Promise<number | null> {
  const answer = await storage.send({ method: "GET", url: uploadUrl, retry: "idempotent" });
  if (answer.status === 429 || answer.status >= 500) throw await readServiceError(answer, "session");
  if (answer.status !== 200) {
    await answer.discard();
    return null;
  }
  const ranges = parseSession(await answer.text())?.nextExpectedRanges;
  return ranges ? nextExpectedByte(ranges) ?? size : null;
}

/**
 * Gives a session up, so that it does not block the name; one that has ended is as good (PROTOCOL U10).
 *
 * @returns Whether the service has answered; otherwise the session ends by itself.
 */
export async function cancelSession(storage: StorageClient, uploadUrl: string): Promise<boolean> {
  try {
    const answer = await storage.detached(CANCEL_TIMEOUT_MS).send({
      method: "DELETE",
      url: uploadUrl,
      retry: "never",
    });
    await answer.discard();
    return answer.status < 500;
  } catch {
    return false; // the caller decides whether that matters
  }
}

function journalOf(context: Pick<TransferContext, "settings" | "graph" | "notice">): UploadJournal {
  return new UploadJournal(join(context.settings.state, "uploads"), context.graph.http.now, context.notice);
}
