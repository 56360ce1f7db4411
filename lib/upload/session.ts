/**
 * Uploads through a resumable upload session (https://learn.microsoft.com/graph/api/driveitem-createuploadsession).
 * The server is the truth: after any doubt the session is asked where it stands, and nothing is sent beyond what it says.
 *
 * @module
 */
import { childUrl } from "../drive/address.ts";
import { CommittedItem, type CommittedUpload, parseItem } from "./committed_item.ts";
import { ContentReader } from "./content_reader.ts";
import { GraphError } from "../errors.ts";
import { TimeoutError } from "../http/deadline.ts";
import { checkFragmentBytes, DEFAULT_FRAGMENT_BYTES, FRAGMENT_UNIT_BYTES } from "./fragments.ts";
import type { HttpResponse } from "../http/response.ts";
import { interruptedError } from "../abort.ts";
import { retryAfterMs } from "../http/retry.ts";
import type { DriveItem } from "../drive/items.ts";
import type { LocalContent } from "../local/local_file.ts";
import { SentCopies } from "./memory.ts";
import { readServiceError, toServiceError } from "../graph/errors.ts";
import { nextExpectedByte, parseSession } from "./session_status.ts";
import type { OnProgress, TransferContext } from "../transfer/result.ts";
import { cancelSession, ResumableUpload } from "./resumable_upload.ts";
import {
  blockedNameError,
  incompleteUploadError,
  isResumable,
  notCommittedError,
  sessionLostError,
  stuckError,
} from "./outcome.ts";
import { expectedItem, type UploadTarget } from "./target.ts";
import { ContentHash } from "../transfer/verify.ts";

/** A second session may help, a third only blocks the name (PROTOCOL U7). */
const MAX_SESSIONS = 2;
/** Rounds in which the server's position does not move before we give up (PROTOCOL U8). */
const MAX_STUCK_ROUNDS = 2;
/** Faults in a row, each after a longer wait, before we give up. */
const MAX_FAULTS = 6;
const NEW_SESSION_PAUSE_MS = 2_000;
/** A session ends so long after its last fragment (PROTOCOL 7.2). */
const SESSION_LIFE_MS = 15 * 60 * 1000;
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
  /** Told of content bytes that go out, repeated ones included. */
  onSent?: (bytes: number) => void;
}

/** What an upload made. */
export interface UploadOutcome {
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
  content: LocalContent,
  target: UploadTarget,
  options: SessionOptions,
): Promise<UploadOutcome> {
  const fragmentBytes = options.fragmentBytes ?? DEFAULT_FRAGMENT_BYTES;
  checkFragmentBytes(fragmentBytes);
  const { signal } = context.graph.http;
  const reader = new ContentReader(content, await ContentHash.create(), fragmentBytes, signal);
  return await ResumableUpload.during(
    context,
    content,
    target,
    (record) => new SessionUpload(context, content, reader, target, options, record).run(),
  );
}

/** One upload; one object lives for one file. */
class SessionUpload {
  readonly #context: TransferContext;
  readonly #content: LocalContent;
  readonly #reader: ContentReader;
  readonly #target: UploadTarget;
  readonly #options: SessionOptions;
  readonly #record: ResumableUpload;
  readonly #what: string;
  /** Time of the last change as it is sent. */
  readonly #modified: string | undefined;
  readonly #committed: CommittedItem;
  readonly #copies = new SentCopies();
  #uploadUrl = "";
  #resumedFrom: number | null = null;
  #position = 0;
  #furthest = 0;
  #sessions = 0;
  #stuckRounds = 0;
  #faults = 0;
  /** How long the service has asked to wait when it last asked. */
  #askedMs = 0;
  #sentBytes = 0;

  constructor(
    context: TransferContext,
    content: LocalContent,
    reader: ContentReader,
    target: UploadTarget,
    options: SessionOptions,
    record: ResumableUpload,
  ) {
    this.#context = context;
    this.#content = content;
    this.#reader = reader;
    this.#target = target;
    this.#options = options;
    this.#record = record;
    this.#what = `upload of ${[target.folderPath, target.name].filter(Boolean).join("/")}`;
    this.#modified = content.modified?.toISOString().replace(/\.\d+Z$/, "Z");
    this.#committed = new CommittedItem(context.graph, content, target, this.#modified);
  }

  async run(): Promise<UploadOutcome> {
    try {
      let done = await this.#takeUp();
      if (!done && !this.#uploadUrl) {
        await this.#committed.noteVersionBefore();
        await this.#createSession();
      }
      while (!done) {
        this.#options.onProgress?.(this.#position, this.#content.size);
        done = await this.#sendFragment();
      }
      this.#options.onProgress?.(this.#content.size, this.#content.size);
      await this.#record.forget();
      const hashes = this.#reader.hash.digest();
      return { ...done, ...hashes, sentBytes: this.#sentBytes, resumedFrom: this.#resumedFrom };
    } catch (error) {
      if (error instanceof GraphError && this.#uploadUrl && this.#content.reopenable) {
        // The session holds all bytes and may be about to commit: the next run finds out.
        if (error.code === "notCommitted") throw error;
        if (isResumable(error)) {
          const willBeOver = this.#askedMs > SESSION_LIFE_MS;
          throw incompleteUploadError(error, this.#furthest, this.#content.size, willBeOver);
        }
      }
      // A session that could not be ended is for the next run to end: without its URL it would block the name.
      if (await this.#cancel()) await this.#record.forget();
      throw error;
    }
  }

  /** Goes on with the upload of an earlier process, where its session stands. */
  async #takeUp(): Promise<CommittedUpload | undefined> {
    const entry = await this.#record.read();
    if (!entry) return undefined;
    if (!this.#context.storage.accepts(entry.uploadUrl)) {
      this.#context.notice(
        `${entry.path}: the session of an earlier run is at a host that is not a storage host of these settings; starting from the first byte`,
      );
      await this.#record.forget();
      return undefined;
    }
    this.#uploadUrl = entry.uploadUrl;
    if (!this.#record.isSame(entry)) {
      if (this.#content.reopenable) {
        this.#context.notice(
          `${this.#content.path} has changed since its upload was interrupted; starting from its first byte`,
        );
      }
    } else if (!this.#record.isSamePlace(entry)) {
      this.#context.notice(
        `the folder of ${entry.path} is another one than when its upload was interrupted; starting from the first byte`,
      );
    } else if (this.#options.resume !== false && this.#record.isWanted(entry, this.#wish)) {
      this.#committed.versionBefore = entry.versionBefore ?? undefined;
      const done = await this.#goOn();
      if (done || this.#sessions > 0) return done;
    }
    await this.#cancel();
    await this.#record.forget();
    return undefined;
  }

  /** Finds where the session stands, or that it has ended with all bytes in place; otherwise it is of no more use. */
  async #goOn(): Promise<CommittedUpload | undefined> {
    const answer = await this.#context.storage.send({
      method: "GET",
      url: this.#uploadUrl,
      retry: "idempotent",
      isProgress: false,
    });
    const session = answer.status === 200 ? parseSession(await answer.text()) : undefined;
    if (answer.status !== 200) await answer.discard();
    const next = session && nextExpectedByte(session.nextExpectedRanges ?? []);
    if (next !== undefined && next < this.#content.size) {
      this.#sessions = 1;
      this.#position = this.#furthest = this.#resumedFrom = next;
      return undefined;
    }
    if (answer.status !== 404 && !session) return undefined;
    await this.#reader.hashUpTo(this.#content.size);
    return await this.#findFinished(1);
  }

  get #wish(): { conflict: string; description: string | undefined } {
    return { conflict: this.#options.conflict, description: this.#options.description };
  }

  #remember(): Promise<void> {
    return this.#record.remember(this.#uploadUrl, this.#wish, this.#committed.versionBefore);
  }

  async #createSession(): Promise<void> {
    this.#sessions++;
    const { conflict, description } = this.#options;
    const { graph, storage } = this.#context;
    // An interruption waits for the answer: a session whose URL nobody knows blocks the name.
    const answer = await graph.request(
      childUrl(this.#target.folder, this.#target.name, "createUploadSession"),
      {
        method: "POST",
        what: this.#what,
        graceMs: INTERRUPTED_CREATE_MS,
        json: {
          item: {
            // First, and always: without it the service replaces, after fileSystemInfo it refuses (PROTOCOL U1, 7.1).
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
      const error = await readServiceError(answer, this.#what);
      if (error.status === 409 && await this.#record.cancelOthers()) return await this.#createSession();
      throw this.#explainConflict(error, this.#committed.versionBefore !== undefined);
    }
    const text = await answer.text();
    const session = parseSession(text);
    // An error under HTTP 200 (PROTOCOL E2), or a session that cannot be reached.
    if (!session?.uploadUrl) throw toServiceError(answer, text, this.#what);
    storage.check(session.uploadUrl);
    this.#uploadUrl = session.uploadUrl;
    await this.#remember();
    const { signal } = graph.http;
    if (signal?.aborted) throw interruptedError(signal);
    this.#position = nextExpectedByte(session.nextExpectedRanges ?? []) ?? 0;
    this.#furthest = this.#position;
    this.#stuckRounds = 0;
  }

  /** Sends the fragment at the session's position; returns the item when that completed it. */
  async #sendFragment(): Promise<CommittedUpload | undefined> {
    const start = this.#position;
    const bytes = await this.#reader.fragment(start);
    const end = start + bytes.length;
    const last = end === this.#content.size;
    if (last) {
      const { sha256 } = this.#reader.hash.digest();
      await this.#content.checkUnchanged(sha256, this.#context.graph.http.signal);
    }
    this.#sentBytes += bytes.length;
    this.#options.onSent?.(bytes.length);
    let answer: HttpResponse;
    try {
      answer = await this.#context.storage.send({
        method: "PUT",
        url: this.#uploadUrl,
        headers: {
          "content-type": "application/octet-stream",
          "content-range": `bytes ${start}-${end - 1}/${this.#content.size}`,
        },
        body: bytes,
        retry: "never",
        // The smallest fragment has all the time that the deadline leaves.
        ...(bytes.length > FRAGMENT_UNIT_BYTES ? {} : { headerTimeoutMs: Infinity }),
      });
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind !== "unavailable") throw error;
      if (error.cause instanceof TimeoutError) this.#reader.shrinkFragments();
      return await this.#afterFault(error, undefined, last);
    } finally {
      this.#copies.add(bytes.length);
    }
    if (answer.status === 200 || answer.status === 201) return await this.#completed(answer, last);
    if (answer.status !== 202) return await this.#afterError(answer, last);
    const ranges = parseSession(await answer.text())?.nextExpectedRanges;
    if (ranges === undefined) return await this.#askPosition(last);
    return await this.#goTo(ranges, last);
  }

  async #completed(answer: HttpResponse, last: boolean): Promise<CommittedUpload | undefined> {
    const expected = expectedItem(this.#target, this.#options.conflict !== "rename");
    const driveItem = parseItem(await answer.text(), expected);
    if (driveItem) return { driveItem, created: answer.status === 201 };
    if (!last) return await this.#askPosition(last);
    // An empty answer, or a page of a proxy that was here before the service: the session tells whether it has all bytes.
    const status = await this.#context.storage.send({
      method: "GET",
      url: this.#uploadUrl,
      retry: "idempotent",
      isProgress: false,
    });
    const ranges = status.status === 200 ? parseSession(await status.text())?.nextExpectedRanges : undefined;
    if (ranges) return await this.#goTo(ranges, last);
    if (status.status !== 200) await status.discard();
    return await this.#finished();
  }

  /** What to do after each status: PROTOCOL 7.4. */
  async #afterError(answer: HttpResponse, last: boolean): Promise<CommittedUpload | undefined> {
    const { status } = answer;
    const error = await readServiceError(answer, this.#what);
    if (status === 408 || status === 429 || status >= 500 && status !== 507) {
      return await this.#afterFault(
        error,
        retryAfterMs(answer.headers, this.#context.storage.http.now()),
        last,
      );
    }
    if (status === 416) return await this.#askPosition(last);
    if (status === 404 || status === 401 || status === 403) {
      // The session may have ended because all is there and its commit pends (PROTOCOL U15).
      const done = status === 404 && last ? await this.#findFinished(LOOK_UPS_AFTER_404) : undefined;
      if (done) return done;
      if (status === 404 && last && this.#options.conflict === "rename") {
        throw notCommittedError(this.#what, this.#options.conflict === "rename");
      }
      return await this.#beginAnew(error);
    }
    throw this.#explainConflict(error, true);
  }

  /** The URL is dead: after its 24 hours, or because the service is still busy with the last version (PROTOCOL U6, U7). */
  async #beginAnew(error: GraphError): Promise<undefined> {
    if (this.#sessions >= MAX_SESSIONS) {
      throw error.status === 404 ? sessionLostError(error, this.#what) : error;
    }
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
  ): Promise<CommittedUpload | undefined> {
    const { http } = this.#context.storage;
    this.#askedMs = askedMs ?? 0;
    const ms = askedMs ?? http.backoffMs(this.#faults + 1);
    if (++this.#faults > MAX_FAULTS || !http.deadline.allows(ms)) throw fault;
    await http.wait(ms, fault.message);
    // The fragment may have been stored although its answer was lost.
    return await this.#askPosition(last);
  }

  /** Asks the session where it stands and goes there. */
  async #askPosition(last: boolean): Promise<CommittedUpload | undefined> {
    const answer = await this.#context.storage.send({
      method: "GET",
      url: this.#uploadUrl,
      retry: "idempotent",
      isProgress: false,
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
  async #goTo(ranges: readonly string[], last: boolean): Promise<CommittedUpload | undefined> {
    const next = nextExpectedByte(ranges);
    if (next === undefined || next === this.#content.size) {
      if (last || next !== undefined) return await this.#finished();
    } else if (next > this.#furthest && next < this.#content.size) {
      this.#furthest = next;
      this.#context.storage.http.deadline.progress();
      this.#stuckRounds = 0;
      this.#faults = 0;
      this.#position = next;
      return undefined;
    } else if (next > this.#content.size) {
      throw new GraphError(
        "failed",
        `${this.#what}: the session wants byte ${next} of a file of ${this.#content.size}`,
        {
          code: "invalidRange",
          hint: "run the same command again",
        },
      );
    }
    if (++this.#stuckRounds > MAX_STUCK_ROUNDS) {
      throw stuckError(this.#what, this.#furthest);
    }
    this.#position = next ?? this.#position;
    return undefined;
  }

  /** The session wants no more bytes: the item must be there, perhaps in a moment. */
  async #finished(): Promise<CommittedUpload> {
    const done = await this.#findFinished(LOOK_UPS);
    if (done) return done;
    throw notCommittedError(this.#what, this.#options.conflict === "rename");
  }

  async #findFinished(lookUps: number): Promise<CommittedUpload | undefined> {
    // A renamed file cannot be found by its name.
    if (this.#options.conflict === "rename" || this.#reader.hash.position < this.#content.size) {
      return undefined;
    }
    return await this.#committed.find(this.#reader.hash, lookUps);
  }

  /** 409 has several meanings. @param mayExist Whether something may have the name. */
  #explainConflict(error: GraphError, mayExist: boolean): GraphError {
    if (error.status !== 409 || (this.#options.conflict === "fail" && mayExist)) return error;
    return blockedNameError(error, this.#what);
  }

  /** @returns Whether no session of ours is left, as far as we know. */
  async #cancel(): Promise<boolean> {
    const url = this.#uploadUrl;
    this.#uploadUrl = "";
    return !url || await cancelSession(this.#context.storage, url);
  }
}
