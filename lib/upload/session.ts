/**
 * Uploads through a resumable upload session (https://learn.microsoft.com/graph/api/driveitem-createuploadsession).
 * The server is the truth: after any doubt the session is asked for its next expected range.
 *
 * @module
 */
import { childUrl } from "../drive/address.ts";
import { contentVersion } from "../drive/drive_item.ts";
import type { DriveItem } from "../drive/items.ts";
import { GraphError } from "../errors.ts";
import { readServiceError, toServiceError } from "../graph/errors.ts";
import type { StorageClient } from "../graph/storage.ts";
import { interruptedError } from "../abort.ts";
import type { HttpResponse } from "../http/response.ts";
import { retryAfterMs } from "../http/retry.ts";
import { TimeoutError } from "../http/deadline.ts";
import type { LocalContent } from "../local/local_file.ts";
import type { OnProgress, TransferContext } from "../transfer/result.ts";
import { checkUnchanged } from "../transfer/verify.ts";
import { ContentReader } from "./content_reader.ts";
import { cancelSession, UploadJournal, type UploadRecord } from "./journal.ts";
import {
  checkFragmentBytes,
  DEFAULT_FRAGMENT_BYTES,
  FRAGMENT_UNIT_BYTES,
  nextExpectedByte,
  nextStep,
  parseSession,
  type SessionStep,
} from "./protocol.ts";
import {
  blockedNameError,
  type CommittedUpload,
  findCommitted,
  findItem,
  incompleteUploadError,
  isResumable,
  notCommittedError,
  sessionLostError,
  stuckError,
} from "./recovery.ts";
import { expectedItem, type UploadTarget } from "./target.ts";

/** A second session may help, a third only blocks the name (PROTOCOL U7). */
const MAX_SESSIONS = 2;
/** Rounds in which the next expected byte does not move (PROTOCOL U8). */
const MAX_STUCK_ROUNDS = 2;
/** Failures in a row, each after a longer wait. */
const MAX_FAILURES = 6;
const NEW_SESSION_PAUSE_MS = 2_000;
/** How long an interruption waits for a session that is being created. */
const INTERRUPTED_CREATE_MS = 10_000;
const LOOK_UPS = 4;
/** After a 404 the session is mostly lost, and a new one helps. */
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
  /** Whether to resume an unfinished upload of the same file. @default true */
  resume?: boolean;
  onProgress?: OnProgress | undefined;
  /** Called with the content bytes of each fragment that is sent, repeated ones included. */
  onSent?: (bytes: number) => void;
}

/** What an upload made. */
export interface UploadOutcome {
  driveItem: DriveItem;
  created: boolean;
  quickXorHash: string;
  sentBytes: number;
  /** Byte at which an unfinished upload was resumed. */
  resumedFrom: number | null;
}

/** Where an upload is. */
interface UploadState {
  uploadUrl: string;
  /** Sessions used so far. */
  sessions: number;
  /** The next byte to send. */
  position: number;
  /** The highest next expected byte that the session has named. */
  furthest: number;
  stuckRounds: number;
  failures: number;
  /** The fragment with the last byte was sent. */
  isComplete: boolean;
  /** The last fragment was answered with success, but without an item. */
  isSaidCommitted: boolean;
  /** The service's last Retry-After. */
  retryAfterMs: number;
}

/** A step, and what led to it. */
interface Turn {
  step: SessionStep | { kind: "send" };
  /** The error of the response, or of its absence. */
  failure?: GraphError | undefined;
  status?: number;
  /** How long the service asks to wait. */
  retryAfterMs?: number | undefined;
}

/**
 * Uploads a file of at least one byte.
 *
 * @param finish Verifies what was committed. If it throws, the journal entry stays: the upload is not finished.
 * @throws {GraphError} of the kind that fits the failure. The session is cancelled unless a later run can resume it.
 */
export async function uploadThroughSession<T>(
  context: TransferContext,
  content: LocalContent,
  target: UploadTarget,
  options: SessionOptions,
  finish: (uploaded: UploadOutcome) => Promise<T>,
): Promise<T> {
  checkFragmentBytes(options.fragmentBytes ?? DEFAULT_FRAGMENT_BYTES);
  return await new UploadJournal(context).during(
    content,
    target,
    await context.account(),
    async (record) => {
      const result = await finish(await new SessionUpload(context, content, target, options, record).run());
      await record.remove();
      return result;
    },
  );
}

/** One upload of one file. */
class SessionUpload {
  readonly #context: TransferContext;
  readonly #content: LocalContent;
  readonly #target: UploadTarget;
  readonly #options: SessionOptions;
  readonly #record: UploadRecord;
  readonly #reader: ContentReader;
  /** For messages. */
  readonly #what: string;
  /** Time of the last change, as it is sent. */
  readonly #modified: string | undefined;
  readonly #state: UploadState = {
    uploadUrl: "",
    sessions: 0,
    position: 0,
    furthest: 0,
    stuckRounds: 0,
    failures: 0,
    isComplete: false,
    isSaidCommitted: false,
    retryAfterMs: 0,
  };
  /** Version of the item that had the name before; `undefined`: there was none. */
  #versionBefore: string | undefined;
  #sentBytes = 0;
  #resumedFrom: number | null = null;

  constructor(
    context: TransferContext,
    content: LocalContent,
    target: UploadTarget,
    options: SessionOptions,
    record: UploadRecord,
  ) {
    this.#context = context;
    this.#content = content;
    this.#target = target;
    this.#options = options;
    this.#record = record;
    this.#reader = new ContentReader(
      content,
      options.fragmentBytes ?? DEFAULT_FRAGMENT_BYTES,
      context.graph.http.signal,
    );
    this.#what = `upload of ${[target.folderPath, target.name].filter(Boolean).join("/")}`;
    this.#modified = content.modified?.toISOString().replace(/\.\d+Z$/, "Z");
  }

  async run(): Promise<UploadOutcome> {
    try {
      const { driveItem, created } = await this.#resume() ?? await this.#send();
      this.#options.onProgress?.(this.#content.size, this.#content.size);
      const quickXorHash = this.#reader.hash.digest();
      return { driveItem, created, quickXorHash, sentBytes: this.#sentBytes, resumedFrom: this.#resumedFrom };
    } catch (error) {
      throw await this.#afterFailure(error);
    }
  }

  /** Takes up the upload of an earlier process; returns its item if that was committed after all. */
  async #resume(): Promise<CommittedUpload | undefined> {
    const earlier = await this.#record.read(this.#options);
    if (!earlier) return undefined;
    const { entry, resumable } = earlier;
    const state = this.#state;
    state.uploadUrl = entry.uploadUrl;
    if (resumable) {
      this.#versionBefore = entry.versionBefore ?? undefined;
      const { step, status } = await this.#query();
      const next = step.kind === "advance" ? step.nextByte : undefined;
      if (next !== undefined && next < this.#content.size) {
        state.sessions = 1;
        state.position = state.furthest = this.#resumedFrom = next;
        return undefined;
      }
      // It has ended, or has all bytes: perhaps the item is there.
      if (step.kind === "advance" || status === 404) {
        await this.#reader.hashUpTo(this.#content.size);
        const committed = await this.#findCommitted(1);
        if (committed) return committed;
      }
    }
    await this.#cancel();
    await this.#record.remove();
    return undefined;
  }

  /** Sends fragments until the item is committed. */
  async #send(): Promise<CommittedUpload> {
    if (!this.#state.uploadUrl) {
      const { existing } = this.#target;
      const current = existing === "unknown" ? await findItem(this.#context.graph, this.#target) : existing;
      this.#versionBefore = current && contentVersion(current);
      await this.#createSession();
    }
    let turn: Turn = { step: { kind: "send" } };
    for (;;) {
      const { step, failure } = turn;
      switch (step.kind) {
        case "send":
          this.#options.onProgress?.(this.#state.position, this.#content.size);
          turn = await this.#sendFragment();
          break;
        case "query":
          turn = await this.#query();
          break;
        case "advance":
          turn = { step: this.#advance(step.nextByte) };
          break;
        case "retry":
          await this.#wait(turn);
          turn = { step: { kind: "query" } }; // the fragment may have been stored although its response was lost
          break;
        case "lookUp":
        case "lookUpOrRestart": {
          const isFinal = step.kind === "lookUp";
          const committed = await this.#findCommitted(isFinal ? LOOK_UPS : LOOK_UPS_AFTER_404);
          if (committed) return committed;
          const isRenamed = this.#options.conflict === "rename"; // it cannot be found by its name
          if (isFinal || isRenamed) throw notCommittedError(this.#what, isRenamed);
          turn = { ...turn, step: { kind: "restart" } };
          break;
        }
        case "restart":
          await this.#restart(failure!);
          turn = { step: { kind: "send" } };
          break;
        case "committed":
          return step;
        case "fail":
          throw this.#explainConflict(failure!, true);
      }
    }
  }

  async #sendFragment(): Promise<Turn> {
    const state = this.#state;
    const { size } = this.#content;
    const start = state.position;
    const bytes = await this.#reader.fragment(start);
    const end = start + bytes.length;
    state.isComplete = end === size;
    state.isSaidCommitted = false;
    if (state.isComplete) {
      await checkUnchanged(this.#content, this.#reader.hash.digest(), this.#context.graph.http.signal);
    }
    this.#sentBytes += bytes.length;
    this.#options.onSent?.(bytes.length);
    const turn = await this.#exchange("fragment", {
      method: "PUT",
      url: state.uploadUrl,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `bytes ${start}-${end - 1}/${size}`,
      },
      body: bytes,
      retry: "never",
      // The smallest fragment has all the time that the deadline leaves.
      ...(bytes.length > FRAGMENT_UNIT_BYTES ? {} : { headerTimeoutMs: Infinity }),
    });
    if (turn.failure?.cause instanceof TimeoutError) this.#reader.shrinkFragments();
    return turn;
  }

  /** Asks the session for its next expected range. */
  #query(): Promise<Turn> {
    return this.#exchange("query", {
      method: "GET",
      url: this.#state.uploadUrl,
      retry: "idempotent",
      isProgress: false,
    });
  }

  /** Sends a request to the session, and finds the next step from its response. */
  async #exchange(to: "fragment" | "query", request: Parameters<StorageClient["send"]>[0]): Promise<Turn> {
    const { storage } = this.#context;
    const state = this.#state;
    let response: HttpResponse;
    let text = "";
    let failure: GraphError | undefined;
    try {
      response = await storage.send(request);
      if (response.status > 299) failure = await readServiceError(response, this.#what);
      else text = await response.text();
    } catch (error) {
      const isLost = error instanceof GraphError && error.kind === "unavailable";
      if (!isLost || to === "query") throw error;
      return { step: { kind: "retry" }, failure: error };
    }
    const { status, headers } = response;
    const expected = expectedItem(this.#target, this.#options.conflict !== "rename");
    const step = nextStep({ to, status, text }, { ...state, expected });
    if (to === "fragment" && state.isComplete && status < 202 && step.kind === "query") {
      state.isSaidCommitted = true;
    }
    if (to === "query" && status === 200) await this.#takeNewUrl(text);
    return { step, failure, status, retryAfterMs: retryAfterMs(headers, storage.http.now()) };
  }

  /** A status response may carry another upload URL (PROTOCOL 7.3e). */
  async #takeNewUrl(text: string): Promise<void> {
    const url = parseSession(text)?.uploadUrl;
    if (url === undefined) return;
    this.#context.storage.check(url);
    this.#state.uploadUrl = url;
    await this.#record.write(url, this.#options, this.#versionBefore);
  }

  /** Moves to the next expected byte; fails if it stops advancing. */
  #advance(nextByte: number | undefined): Turn["step"] {
    const state = this.#state;
    const { size } = this.#content;
    if (nextByte === size || (nextByte === undefined && state.isComplete)) return { kind: "lookUp" };
    if (nextByte !== undefined && nextByte > size) {
      throw new GraphError("failed", `${this.#what}: the session expects byte ${nextByte} of ${size}`, {
        code: "invalidRange",
        hint: "run the same command again",
      });
    }
    if (nextByte !== undefined && nextByte > state.furthest) {
      this.#context.storage.http.deadline.progress();
      state.furthest = nextByte;
      state.stuckRounds = 0;
      state.failures = 0;
    } else if (++state.stuckRounds > MAX_STUCK_ROUNDS) {
      throw stuckError(this.#what, state.furthest);
    }
    state.position = nextByte ?? state.position;
    return { kind: "send" };
  }

  /** Waits before the next request, as long as the service asks, else longer after each failure. */
  async #wait({ failure, retryAfterMs }: Turn): Promise<void> {
    const { http } = this.#context.storage;
    const state = this.#state;
    const error = failure ??
      new GraphError("unavailable", `${this.#what}: the session's response cannot be understood`, {
        code: "invalidAnswer",
      });
    state.retryAfterMs = retryAfterMs ?? 0;
    const ms = retryAfterMs ?? http.backoffMs(state.failures + 1);
    if (++state.failures > MAX_FAILURES || !http.deadline.allows(ms)) throw error;
    await http.wait(ms, error.message);
  }

  /** Creates a new session: the URL expired, or the service still processes the last version (PROTOCOL U6, U7). */
  async #restart(failure: GraphError): Promise<void> {
    if (this.#state.sessions >= MAX_SESSIONS) {
      throw failure.status === 404 ? sessionLostError(failure, this.#what) : failure;
    }
    this.#context.notice(
      `${this.#what}: the upload session ended (HTTP ${failure.status}); starting over with a new one`,
    );
    await this.#cancel();
    await this.#context.graph.http.wait(NEW_SESSION_PAUSE_MS, "new upload session");
    await this.#createSession();
  }

  async #createSession(): Promise<void> {
    const { graph, storage } = this.#context;
    const { conflict, description } = this.#options;
    const state = this.#state;
    state.sessions++;
    const response = await graph.request(
      childUrl(this.#target.folder, this.#target.name, "createUploadSession"),
      {
        method: "POST",
        what: this.#what,
        // An interruption waits for the response: a session whose URL is lost blocks the name.
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
    if (response.status > 299) {
      const error = await readServiceError(response, this.#what);
      if (error.status === 409 && await this.#record.cancelOthers()) return await this.#createSession();
      throw this.#explainConflict(error, this.#versionBefore !== undefined);
    }
    const text = await response.text();
    const session = parseSession(text);
    // An error under HTTP 200 (PROTOCOL E2), or a session without a URL.
    if (!session?.uploadUrl) throw toServiceError(response, text, this.#what);
    storage.check(session.uploadUrl);
    state.uploadUrl = session.uploadUrl;
    await this.#record.write(session.uploadUrl, this.#options, this.#versionBefore);
    const { signal } = graph.http;
    if (signal?.aborted) throw interruptedError(signal);
    state.position = state.furthest = nextExpectedByte(session.nextExpectedRanges ?? []) ?? 0;
    state.stuckRounds = 0;
  }

  async #findCommitted(attempts: number): Promise<CommittedUpload | undefined> {
    const { hash } = this.#reader;
    if (this.#options.conflict === "rename" || hash.length < this.#content.size) return undefined;
    const uploaded = {
      local: this.#content,
      quickXorHash: hash.digest(),
      modified: this.#modified,
      versionBefore: this.#versionBefore,
    };
    return await findCommitted(this.#context.graph, this.#target, uploaded, attempts);
  }

  /** A 409 has several meanings. `mayExist`: an item may have the name. */
  #explainConflict(error: GraphError, mayExist: boolean): GraphError {
    if (error.status !== 409 || (this.#options.conflict === "fail" && mayExist)) return error;
    return blockedNameError(error, this.#what);
  }

  /** Keeps the session for a later run where that can resume it, otherwise cancels it. */
  async #afterFailure(error: unknown): Promise<unknown> {
    const { uploadUrl, furthest, retryAfterMs } = this.#state;
    if (error instanceof GraphError && uploadUrl && this.#content.reopenable) {
      // The session has all bytes and may be about to commit: the next run finds out.
      if (error.code === "notCommitted") return error;
      if (isResumable(error)) {
        return incompleteUploadError(error, furthest, this.#content.size, retryAfterMs);
      }
    }
    // The entry of a session that could not be cancelled is kept for the next run, which needs its URL.
    if (await this.#cancel()) await this.#record.remove();
    return error;
  }

  /** Cancels the session; returns whether none of ours is left, as far as we know. */
  async #cancel(): Promise<boolean> {
    const { uploadUrl } = this.#state;
    this.#state.uploadUrl = "";
    return !uploadUrl || await cancelSession(this.#context.storage, uploadUrl);
  }
}
