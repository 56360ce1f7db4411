/**
 * Uploads through a resumable upload session (https://learn.microsoft.com/graph/api/driveitem-createuploadsession).
 * The server is the truth: after any doubt the session is asked where it stands, and nothing is sent beyond what it says.
 *
 * @module
 */
import { childUrl } from "./address.ts";
import { commandName } from "./commands.ts";
import { CommittedItem, type Completed, parseItem } from "./committed_item.ts";
import { GraphError } from "./errors.ts";
import { checkFragmentBytes, DEFAULT_FRAGMENT_BYTES } from "./fragments.ts";
import { type HttpAnswer, interrupted, retryAfterMs } from "./http.ts";
import type { DriveItem, UploadTarget } from "./items.ts";
import { serviceError, serviceErrorFrom } from "./service_error.ts";
import { fingerprintOf, targetKey, type UploadEntry, UploadJournal } from "./journal.ts";
import { nextExpected, parseSession } from "./session_answer.ts";
import type { StorageClient } from "./storage.ts";
import { checkUnchanged, type LocalFile, type OnProgress, readAt, type TransferContext } from "./transfer.ts";
import { ContentHash } from "./verify.ts";

/** A second session may help, a third only blocks the name (graph-protocol U7). */
const MOST_SESSIONS = 2;
/** Rounds in which the server's position does not move before we give up (graph-protocol U8). */
const MOST_STUCK_ROUNDS = 2;
/** Faults in a row, each after a longer wait, before we give up. */
const MOST_FAULTS = 6;
const NEW_SESSION_PAUSE_MS = 2_000;
/** A line of less than 64 KiB/s is as good as dead. */
const SLOWEST_BYTES_PER_MS = 64;
const ANSWER_TIME_MS = 60_000;
const CANCEL_TIMEOUT_MS = 5_000;
/** How long an interruption waits for a session that is being created. */
const INTERRUPTED_CREATE_MS = 10_000;
const LOOK_UPS = 4;
/** Mostly the session is really lost then, and a new one mends it. */
const LOOK_UPS_AFTER_404 = 2;

/** What to do when the name is taken. */
export type UploadConflict = "fail" | "replace" | "rename";

/** How to upload. */
export interface SessionOptions {
  conflict: UploadConflict;
  /** Bytes of a fragment. @default 10 MiB */
  fragmentBytes?: number;
  /** Description of the item; personal OneDrive only. */
  description?: string;
  /** Whether an unfinished upload of the same file is taken up again. @default true */
  resume?: boolean;
  onProgress?: OnProgress | undefined;
}

/** What an upload made. */
export interface Uploaded {
  driveItem: DriveItem;
  created: boolean;
  quickXorHash: string;
  sha256: string;
  sentBytes: number;
  /** Where an unfinished upload was taken up again, in bytes. */
  resumedFrom: number | null;
}

/**
 * Uploads a file of at least one byte.
 *
 * @throws {GraphError} of the kind that fits what went wrong; the session is cancelled then.
 */
export async function uploadThroughSession(
  context: TransferContext,
  local: LocalFile,
  target: UploadTarget,
  options: SessionOptions,
): Promise<Uploaded> {
  checkFragmentBytes(options.fragmentBytes ?? DEFAULT_FRAGMENT_BYTES);
  using file = await Deno.open(local.path);
  const { http } = context.graph;
  const journal = new UploadJournal(context.settings.uploadJournal, http.now, context.notice);
  const whole = { ...local, path: await Deno.realPath(local.path) };
  const identity = targetKey(context.settings.apiOrigin, target.folder, target.name);
  const key = await journal.keyOf(identity, whole.path);
  return await journal.exclusively(key, http.signal, async () => {
    const record = { journal, key, target: identity, fingerprint: await fingerprintOf(file, local) };
    return await new SessionUpload(context, file, whole, target, options, await ContentHash.create(), record)
      .run();
  });
}

/** Where an upload keeps what a later process needs. */
interface UploadRecord {
  journal: UploadJournal;
  key: string;
  target: string;
  fingerprint: string;
}

/** One upload; one object lives for one file. */
class SessionUpload {
  readonly #context: TransferContext;
  readonly #file: Deno.FsFile;
  readonly #local: LocalFile;
  readonly #target: UploadTarget;
  readonly #options: SessionOptions;
  readonly #hash: ContentHash;
  readonly #record: UploadRecord;
  readonly #what: string;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  /** Time of the last change as it is sent. */
  readonly #modified: string | undefined;
  readonly #committed: CommittedItem;
  #uploadUrl = "";
  #resumedFrom: number | null = null;
  #position = 0;
  #furthest = 0;
  #sessions = 0;
  #stuckRounds = 0;
  #faults = 0;
  #waitedMs = 0;
  #sentBytes = 0;

  constructor(
    context: TransferContext,
    file: Deno.FsFile,
    local: LocalFile,
    target: UploadTarget,
    options: SessionOptions,
    hash: ContentHash,
    record: UploadRecord,
  ) {
    this.#context = context;
    this.#record = record;
    this.#file = file;
    this.#local = local;
    this.#target = target;
    this.#options = options;
    this.#hash = hash;
    this.#what = `upload of ${[target.folderPath, target.name].filter(Boolean).join("/")}`;
    this.#modified = local.modified?.toISOString().replace(/\.\d+Z$/, "Z");
    this.#committed = new CommittedItem(context.graph, local, target, this.#modified);
    this.#buffer = new Uint8Array(Math.min(options.fragmentBytes ?? DEFAULT_FRAGMENT_BYTES, local.size));
  }

  async run(): Promise<Uploaded> {
    const { journal, key } = this.#record;
    try {
      let done = await this.#takeUp();
      if (!done && !this.#uploadUrl) {
        await this.#committed.noteVersionBefore();
        await this.#createSession();
      }
      while (!done) {
        this.#options.onProgress?.(this.#position, this.#local.size);
        done = await this.#sendFragment();
      }
      this.#options.onProgress?.(this.#local.size, this.#local.size);
      await journal.remove(key);
      return { ...done, ...this.#hash.digest(), sentBytes: this.#sentBytes, resumedFrom: this.#resumedFrom };
    } catch (error) {
      if (error instanceof GraphError && this.#uploadUrl && canGoOn(error)) throw this.#unfinished(error);
      await this.#cancel();
      await journal.remove(key);
      throw error;
    }
  }

  /** Goes on with the upload of an earlier process, where its session stands. */
  async #takeUp(): Promise<Completed | undefined> {
    const { journal, key, fingerprint } = this.#record;
    const entry = await journal.read(key);
    if (!entry) return undefined;
    const { size, modified } = this.#local;
    const same = entry.size === size && entry.modified === (modified?.getTime() ?? null) &&
      entry.fingerprint === fingerprint;
    this.#uploadUrl = entry.uploadUrl;
    this.#context.storage.check(entry.uploadUrl);
    if (same && this.#isWanted(entry) && journal.isFresh(entry)) {
      this.#committed.versionBefore = entry.versionBefore ?? undefined;
      const answer = await this.#context.storage.send({
        method: "GET",
        url: entry.uploadUrl,
        retry: "repeatable",
      });
      const session = answer.status === 200 ? parseSession(await answer.text()) : undefined;
      const next = session && nextExpected(session.nextExpectedRanges ?? []);
      if (next !== undefined && next < size) {
        this.#sessions = 1;
        this.#position = this.#furthest = this.#resumedFrom = next;
        return undefined;
      }
      // It ended: perhaps because all bytes were there when the other process died.
      if (answer.status === 404 || session) {
        await this.#hashUpTo(size);
        const done = await this.#findFinished(1);
        if (done) return done;
      }
      if (answer.status !== 200) await answer.discard();
    } else if (!same) {
      this.#context.notice(
        `${this.#local.path} has changed since its upload was interrupted; starting from its first byte`,
      );
    }
    await this.#cancel();
    await journal.remove(key);
    return undefined;
  }

  /** Whether the session of an earlier process does what this one is asked to do. */
  #isWanted({ conflict }: UploadEntry): boolean {
    return this.#options.resume !== false && conflict === this.#options.conflict;
  }

  /** Before the first byte, so that a kill at any later moment can be mended. */
  async #remember(): Promise<void> {
    const { journal, key, target, fingerprint } = this.#record;
    await journal.write(key, {
      uploadUrl: this.#uploadUrl,
      createdAt: this.#context.graph.http.now(),
      local: this.#local.path,
      size: this.#local.size,
      modified: this.#local.modified?.getTime() ?? null,
      fingerprint,
      target,
      path: [this.#target.folderPath, this.#target.name].filter(Boolean).join("/"),
      conflict: this.#options.conflict,
      versionBefore: this.#committed.versionBefore ?? null,
    });
  }

  #unfinished(error: GraphError): GraphError {
    const share = Math.floor(this.#furthest / this.#local.size * 100);
    const where = `${this.#furthest} of ${this.#local.size} bytes (${share} %) are there`;
    return new GraphError(error.kind, `${error.message}; ${where}`, {
      code: error.code,
      hint: "run the same command again within 15 minutes to go on from there",
      status: error.status,
      requestId: error.requestId,
      date: error.date,
      cause: error,
    });
  }

  async #createSession(): Promise<void> {
    this.#sessions++;
    const { conflict, description } = this.#options;
    const { graph, storage } = this.#context;
    // An interruption waits for the answer: a session whose URL nobody knows blocks the name.
    const patient = graph.withHttp(graph.http.outliving(INTERRUPTED_CREATE_MS));
    const answer = await patient.answer(
      childUrl(this.#target.folder, this.#target.name, "createUploadSession"),
      {
        method: "POST",
        what: this.#what,
        json: {
          item: {
            // First, and always: without it the service replaces, after fileSystemInfo it refuses (graph-protocol U1, 7.1).
            "@microsoft.graph.conflictBehavior": conflict,
            name: this.#target.name,
            ...(description === undefined ? {} : { description }),
            ...(this.#modified === undefined
              ? {}
              : { fileSystemInfo: { lastModifiedDateTime: this.#modified } }),
          },
        },
      },
    );
    if (answer.status > 299) {
      const error = await serviceError(answer, this.#what);
      if (error.status === 409 && await this.#cancelOrphans()) return await this.#createSession();
      throw this.#explainConflict(error);
    }
    const text = await answer.text();
    const session = parseSession(text);
    // An error under HTTP 200 (graph-protocol E2), or a session that cannot be reached.
    if (!session?.uploadUrl) throw serviceErrorFrom(answer, text, this.#what);
    storage.check(session.uploadUrl);
    this.#uploadUrl = session.uploadUrl;
    await this.#remember();
    const { signal } = graph.http;
    if (signal?.aborted) throw interrupted(signal);
    this.#position = nextExpected(session.nextExpectedRanges ?? []) ?? 0;
    this.#furthest = this.#position;
    this.#stuckRounds = 0;
  }

  /** Ends unfinished uploads of ours that block the name (graph-protocol U9); tells whether there were any. */
  async #cancelOrphans(): Promise<boolean> {
    const { journal, target, key } = this.#record;
    let found = false;
    for await (const orphan of journal.entries()) {
      if (orphan.entry.target !== target || orphan.key === key) continue;
      await journal.exclusively(orphan.key, undefined, async () => {
        this.#context.notice(`the unfinished upload of ${orphan.entry.local} to the same place is given up`);
        await cancelSession(this.#context.storage, orphan.entry.uploadUrl);
        await journal.remove(orphan.key);
      });
      found = true;
    }
    return found;
  }

  /** Sends the fragment at the session's position; returns the item when that completed it. */
  async #sendFragment(): Promise<Completed | undefined> {
    const start = this.#position;
    const bytes = await this.#read(start);
    const end = start + bytes.length;
    const last = end === this.#local.size;
    if (last) await checkUnchanged(this.#file, this.#local);
    this.#sentBytes += bytes.length;
    let answer: HttpAnswer;
    try {
      answer = await this.#context.storage.send({
        method: "PUT",
        url: this.#uploadUrl,
        headers: {
          "content-type": "application/octet-stream",
          "content-range": `bytes ${start}-${end - 1}/${this.#local.size}`,
        },
        body: bytes,
        retry: "never",
        headerTimeoutMs: ANSWER_TIME_MS + bytes.length / SLOWEST_BYTES_PER_MS,
      });
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind !== "unavailable") throw error;
      return await this.#afterFault(error, undefined, last);
    }
    if (answer.status === 200 || answer.status === 201) return await this.#completed(answer, last);
    if (answer.status !== 202) return await this.#afterError(answer, last);
    const ranges = parseSession(await answer.text())?.nextExpectedRanges;
    if (ranges === undefined) return await this.#askPosition(last);
    return await this.#goTo(ranges, last);
  }

  async #completed(answer: HttpAnswer, last: boolean): Promise<Completed | undefined> {
    const driveItem = parseItem(await answer.text());
    if (driveItem) return { driveItem, created: answer.status === 201 };
    return last ? await this.#finished() : await this.#askPosition(last);
  }

  /** What to do after each status: graph-protocol 7.4. */
  async #afterError(answer: HttpAnswer, last: boolean): Promise<Completed | undefined> {
    const { status } = answer;
    const error = await serviceError(answer, this.#what);
    if (status === 408 || status === 429 || status >= 500 && status !== 507) {
      return await this.#afterFault(
        error,
        retryAfterMs(answer.headers, this.#context.storage.http.now()),
        last,
      );
    }
    if (status === 416) return await this.#askPosition(last);
    if (status === 404 || status === 401 || status === 403) {
      // The session may have ended because all is there and its commit pends (graph-protocol U15).
      const done = status === 404 && last ? await this.#findFinished(LOOK_UPS_AFTER_404) : undefined;
      if (done) return done;
      if (status === 404 && last && this.#options.conflict === "rename") throw this.#notCommitted();
      return await this.#beginAnew(error);
    }
    throw this.#explainConflict(error);
  }

  /** The URL is dead: after its 24 hours, or because the service is still busy with the last version (U6, U7). */
  async #beginAnew(error: GraphError): Promise<undefined> {
    if (this.#sessions >= MOST_SESSIONS) throw error;
    this.#context.notice(
      `${this.#what}: the session ended (HTTP ${error.status}); starting again with a new one`,
    );
    await this.#cancel();
    await this.#context.graph.http.wait(NEW_SESSION_PAUSE_MS, "new upload session");
    await this.#createSession();
  }

  async #afterFault(
    fault: GraphError,
    askedMs: number | undefined,
    last: boolean,
  ): Promise<Completed | undefined> {
    const { http } = this.#context.storage;
    const ms = askedMs ?? http.backoffMs(this.#faults + 1);
    this.#waitedMs += ms;
    if (++this.#faults > MOST_FAULTS || this.#waitedMs > http.maxWaitMs) throw fault;
    await http.wait(ms, fault.message);
    // The fragment may have been stored although its answer was lost.
    return await this.#askPosition(last);
  }

  /** Asks the session where it stands and goes there. */
  async #askPosition(last: boolean): Promise<Completed | undefined> {
    const answer = await this.#context.storage.send({
      method: "GET",
      url: this.#uploadUrl,
      retry: "repeatable",
    });
    if (answer.status !== 200) return await this.#afterError(answer, last);
    const session = parseSession(await answer.text());
    if (!session) {
      const why = `${this.#what}: the session's answer cannot be understood`;
      return await this.#afterFault(
        new GraphError("unavailable", why, { code: "invalidAnswer" }),
        undefined,
        last,
      );
    }
    if (session.uploadUrl) {
      this.#context.storage.check(session.uploadUrl);
      this.#uploadUrl = session.uploadUrl;
      await this.#remember();
    }
    return await this.#goTo(session.nextExpectedRanges ?? [], last);
  }

  /** Never past what the server says, and not for ever on the spot, nor to and fro. */
  async #goTo(ranges: readonly string[], last: boolean): Promise<Completed | undefined> {
    const next = nextExpected(ranges);
    if (next === undefined || next === this.#local.size) {
      if (last || next !== undefined) return await this.#finished();
    } else if (next > this.#furthest && next < this.#local.size) {
      this.#furthest = next;
      this.#stuckRounds = 0;
      this.#faults = 0;
      this.#waitedMs = 0;
      this.#position = next;
      return undefined;
    } else if (next > this.#local.size) {
      throw new GraphError(
        "failed",
        `${this.#what}: the session wants byte ${next} of a file of ${this.#local.size}`,
        {
          code: "invalidRange",
          hint: "run the same command again",
        },
      );
    }
    if (++this.#stuckRounds > MOST_STUCK_ROUNDS) {
      throw new GraphError(
        "unavailable",
        `${this.#what}: the session does not advance beyond byte ${this.#furthest}`,
        {
          code: "sessionStuck",
          hint: "run the same command again",
        },
      );
    }
    this.#position = next ?? this.#position;
    return undefined;
  }

  /** The session wants no more bytes: the item must be there, perhaps in a moment. */
  async #finished(): Promise<Completed> {
    const done = await this.#findFinished(LOOK_UPS);
    if (done) return done;
    throw this.#notCommitted();
  }

  #notCommitted(): GraphError {
    this.#uploadUrl = ""; // it holds all bytes and may still be about to commit
    const renamed = this.#options.conflict === "rename" ? " under this name; it may have got another" : "";
    return new GraphError(
      "unavailable",
      `${this.#what}: the service took all bytes, but shows no such file${renamed}`,
      {
        code: "notCommitted",
        hint: `look with ${commandName("ls")} in a minute; if it is not there, run the same command again`,
      },
    );
  }

  async #findFinished(lookUps: number): Promise<Completed | undefined> {
    // A renamed file cannot be found by its name.
    if (this.#options.conflict === "rename" || this.#hash.position < this.#local.size) return undefined;
    return await this.#committed.find(this.#hash, lookUps);
  }

  async #read(start: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.#hashUpTo(start);
    const bytes = await this.#readExactly(start, Math.min(this.#buffer.length, this.#local.size - start));
    this.#hash.add(bytes, start);
    return bytes;
  }

  /** A session that goes on from a later byte: what was sent before is hashed all the same. */
  async #hashUpTo(end: number): Promise<void> {
    while (this.#hash.position < end) {
      const at = this.#hash.position;
      this.#hash.add(await this.#readExactly(at, Math.min(this.#buffer.length, end - at)), at);
    }
  }

  async #readExactly(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = this.#buffer.subarray(0, length);
    if (await readAt(this.#file, bytes, start) < length) {
      throw new GraphError("conflict", `${this.#local.path} became shorter while it was uploaded`, {
        code: "localChanged",
        hint: "run the same command again when nothing writes to it",
      });
    }
    return bytes;
  }

  /** 409 has several meanings. */
  #explainConflict(error: GraphError): GraphError {
    if (error.status !== 409 || this.#options.conflict === "fail") {
      return error;
    }
    return new GraphError(
      "conflict",
      `${this.#what}: the name is blocked: an upload of it is not finished, or it is a OneNote notebook`,
      {
        code: error.code,
        hint:
          "an unfinished upload ends by itself, 15 minutes after its last fragment; then run the same command again",
        status: error.status,
        requestId: error.requestId,
        date: error.date,
        cause: error,
      },
    );
  }

  async #cancel(): Promise<void> {
    const url = this.#uploadUrl;
    this.#uploadUrl = "";
    if (url) await cancelSession(this.#context.storage, url);
  }
}

/** Whether the same session can be gone on with later. */
function canGoOn({ kind, code }: GraphError): boolean {
  return kind === "interrupted" || (kind === "unavailable" && code !== "sessionStuck");
}

/** Gives a session up, so that it does not block the name; its own failure changes nothing (graph-protocol U10). */
export async function cancelSession(storage: StorageClient, uploadUrl: string): Promise<void> {
  try {
    const answer = await storage.detached(CANCEL_TIMEOUT_MS).send({
      method: "DELETE",
      url: uploadUrl,
      retry: "never",
    });
    await answer.discard();
  } catch {
    // the session ends by itself
  }
}
