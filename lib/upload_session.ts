/**
 * Uploads through a resumable upload session (https://learn.microsoft.com/graph/api/driveitem-createuploadsession).
 * The server is the truth: after any doubt the session is asked where it stands, and nothing is sent beyond what it says.
 *
 * @module
 */
import { childUrl } from "./address.ts";
import { commandName } from "./commands.ts";
import { GraphError, usageError } from "./errors.ts";
import { type HttpAnswer, retryAfterMs } from "./http.ts";
import { type DriveItem, itemOf, type UploadTarget } from "./items.ts";
import { isErrorBody, serviceError } from "./service_error.ts";
import { type LocalFile, type OnProgress, readAt, type TransferContext } from "./transfer.ts";
import { ContentHash, mayBeRewritten } from "./verify.ts";

/** Fragments are multiples of this, 320 KiB. */
export const FRAGMENT_UNIT_BYTES = 327_680;
/** The service takes fragments of less than 60 MiB. */
export const LARGEST_FRAGMENT_BYTES = 60 * 1024 * 1024 - FRAGMENT_UNIT_BYTES;
/** 10 MiB. */
export const DEFAULT_FRAGMENT_BYTES = 32 * FRAGMENT_UNIT_BYTES;

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

/** What to do when the name is taken. */
export type UploadConflict = "fail" | "replace" | "rename";

/** How to upload. */
export interface SessionOptions {
  conflict: UploadConflict;
  /** Bytes of a fragment. @default 10 MiB */
  fragmentBytes?: number;
  /** Description of the item; personal OneDrive only. */
  description?: string;
  onProgress?: OnProgress | undefined;
}

/** What an upload made. */
export interface Uploaded {
  driveItem: DriveItem;
  created: boolean;
  quickXorHash: string;
  sha256: string;
  sentBytes: number;
}

/** A session as the service describes it. */
interface SessionAnswer {
  uploadUrl?: string;
  nextExpectedRanges?: string[];
  expirationDateTime?: string;
}

/**
 * Checks the size of fragments.
 *
 * @throws {GraphError} `usage`.
 */
export function checkFragmentBytes(bytes: number): void {
  if (bytes > 0 && bytes % FRAGMENT_UNIT_BYTES === 0 && bytes <= LARGEST_FRAGMENT_BYTES) return;
  const below = Math.min(
    LARGEST_FRAGMENT_BYTES,
    Math.max(1, Math.floor(bytes / FRAGMENT_UNIT_BYTES)) * FRAGMENT_UNIT_BYTES,
  );
  const why = bytes > LARGEST_FRAGMENT_BYTES
    ? `more than ${LARGEST_FRAGMENT_BYTES / 1024} KiB (just below 60 MiB)`
    : "not a multiple of 320 KiB";
  throw usageError(
    `a fragment of ${bytes} bytes is ${why}`,
    `use for example ${below / 1024}KiB or 10MiB`,
    "fragmentSize",
  );
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
  const upload = new SessionUpload(context, file, local, target, options, await ContentHash.create());
  return await upload.run();
}

/** The next byte that the session wants: the smallest start of its ranges; `undefined` when it wants none. */
export function nextExpected(ranges: readonly string[]): number | undefined {
  const starts = ranges.map((range) => Number(/^\s*(\d+)\s*-/.exec(range)?.[1] ?? NaN)).filter(
    Number.isSafeInteger,
  );
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

/** One upload; one object lives for one file. */
class SessionUpload {
  readonly #context: TransferContext;
  readonly #file: Deno.FsFile;
  readonly #local: LocalFile;
  readonly #target: UploadTarget;
  readonly #options: SessionOptions;
  readonly #hash: ContentHash;
  readonly #what: string;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #uploadUrl = "";
  #position = 0;
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
  ) {
    this.#context = context;
    this.#file = file;
    this.#local = local;
    this.#target = target;
    this.#options = options;
    this.#hash = hash;
    this.#what = `upload of ${[target.folderPath, target.name].filter(Boolean).join("/")}`;
    this.#buffer = new Uint8Array(Math.min(options.fragmentBytes ?? DEFAULT_FRAGMENT_BYTES, local.size));
  }

  async run(): Promise<Uploaded> {
    try {
      await this.#createSession();
      for (;;) {
        this.#options.onProgress?.(this.#position, this.#local.size);
        const done = await this.#sendFragment();
        if (done) {
          this.#options.onProgress?.(this.#local.size, this.#local.size);
          return { ...done, ...this.#hash.digest(), sentBytes: this.#sentBytes };
        }
      }
    } catch (error) {
      await this.#cancel();
      throw error;
    }
  }

  async #createSession(): Promise<void> {
    if (++this.#sessions > MOST_SESSIONS) {
      throw new GraphError("failed", `${this.#what}: the service lost two upload sessions`, {
        code: "sessionLost",
        hint: "run the same command again in some minutes; Office files that were just saved need a while",
      });
    }
    const { conflict, description } = this.#options;
    const modified = this.#local.modified?.toISOString().replace(/\.\d+Z$/, "Z");
    const session = await this.#context.graph.call<SessionAnswer>(
      childUrl(this.#target.folder, this.#target.name, "createUploadSession"),
      {
        method: "POST",
        what: this.#what,
        json: {
          item: {
            // First, and always: without it the service replaces, and after fileSystemInfo it is refused (graph-protocol U1, 7.1).
            "@microsoft.graph.conflictBehavior": conflict,
            name: this.#target.name,
            ...(description === undefined ? {} : { description }),
            ...(modified === undefined ? {} : { fileSystemInfo: { lastModifiedDateTime: modified } }),
          },
        },
      },
    ).catch((error) => {
      throw this.#explainConflict(error);
    });
    if (!session.uploadUrl) {
      throw new GraphError("failed", `${this.#what}: the service answered without an upload URL`, {
        code: "invalidAnswer",
        hint: "run the same command again",
      });
    }
    this.#context.storage.check(session.uploadUrl);
    this.#uploadUrl = session.uploadUrl;
    this.#position = nextExpected(session.nextExpectedRanges ?? ["0-"]) ?? 0;
    this.#stuckRounds = 0;
  }

  /** Sends the fragment at the session's position; returns the item when that completed it. */
  async #sendFragment(): Promise<{ driveItem: DriveItem; created: boolean } | undefined> {
    const start = this.#position;
    const bytes = await this.#read(start);
    const end = start + bytes.length;
    const last = end === this.#local.size;
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
    switch (answer.status) {
      case 200:
      case 201:
        return await this.#completed(answer, last);
      case 202: {
        const { nextExpectedRanges } = JSON.parse(await answer.text()) as SessionAnswer;
        const next = nextExpected(nextExpectedRanges ?? [`${end}-`]);
        if (next === undefined) return await this.#finished(last);
        this.#moveTo(next, start);
        return undefined;
      }
      default:
        return await this.#afterError(answer, last);
    }
  }

  async #completed(
    answer: HttpAnswer,
    last: boolean,
  ): Promise<{ driveItem: DriveItem; created: boolean } | undefined> {
    const text = await answer.text();
    let driveItem: DriveItem | undefined;
    try {
      driveItem = JSON.parse(text);
    } catch {
      // an empty or cut answer: the item itself tells
    }
    if (driveItem?.id && !isErrorBody(driveItem)) return { driveItem, created: answer.status === 201 };
    return await this.#finished(last);
  }

  /** What to do after each status: graph-protocol 7.4. */
  async #afterError(
    answer: HttpAnswer,
    last: boolean,
  ): Promise<{ driveItem: DriveItem; created: boolean } | undefined> {
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
      // The URL is dead: after its 24 hours, or because the service is still busy with the last version (U6, U7).
      if (status === 404 && last) {
        const done = await this.#findFinished();
        if (done) return done;
      }
      if (this.#sessions >= MOST_SESSIONS) throw error;
      this.#context.notice(
        `${this.#what}: the session ended (HTTP ${status}); starting again with a new one`,
      );
      await this.#cancel();
      await this.#context.graph.http.wait(NEW_SESSION_PAUSE_MS, "new upload session");
      await this.#createSession();
      return undefined;
    }
    throw this.#explainConflict(error);
  }

  async #afterFault(
    fault: GraphError,
    askedMs: number | undefined,
    last: boolean,
  ): Promise<{ driveItem: DriveItem; created: boolean } | undefined> {
    const { http } = this.#context.storage;
    const ms = askedMs ?? http.backoffMs(this.#faults + 1);
    this.#waitedMs += ms;
    if (++this.#faults > MOST_FAULTS || this.#waitedMs > http.maxWaitMs) throw fault;
    await http.wait(ms, fault.message);
    // The fragment may have been stored although its answer was lost.
    return await this.#askPosition(last);
  }

  /** Asks the session where it stands and goes there. */
  async #askPosition(last: boolean): Promise<{ driveItem: DriveItem; created: boolean } | undefined> {
    const answer = await this.#context.storage.send({
      method: "GET",
      url: this.#uploadUrl,
      retry: "repeatable",
    });
    if (answer.status === 200) {
      const status = JSON.parse(await answer.text()) as SessionAnswer;
      if (status.uploadUrl) {
        this.#context.storage.check(status.uploadUrl);
        this.#uploadUrl = status.uploadUrl;
      }
      const next = nextExpected(status.nextExpectedRanges ?? []);
      if (next === undefined) return await this.#finished(last);
      this.#moveTo(next, this.#position);
      return undefined;
    }
    return await this.#afterError(answer, last);
  }

  /** Never past what the server says, and not for ever on the spot. */
  #moveTo(next: number, from: number): void {
    if (next > this.#local.size) {
      throw new GraphError(
        "failed",
        `${this.#what}: the session wants byte ${next} of a file of ${this.#local.size}`,
        {
          code: "invalidRange",
          hint: "run the same command again",
        },
      );
    }
    if (next > from) {
      this.#stuckRounds = 0;
      this.#faults = 0;
    } else if (++this.#stuckRounds > MOST_STUCK_ROUNDS) {
      throw new GraphError("unavailable", `${this.#what}: the session does not advance beyond byte ${next}`, {
        code: "sessionStuck",
        hint: "run the same command again",
      });
    }
    this.#position = next;
  }

  /** The session wants no more bytes: the item must be there, perhaps in a moment. */
  async #finished(last: boolean): Promise<{ driveItem: DriveItem; created: boolean }> {
    const { http } = this.#context.graph;
    for (let tries = 1; last && tries <= 4; tries++) {
      const done = await this.#findFinished();
      if (done) return done;
      await http.wait(http.backoffMs(tries), "the service completes the file");
    }
    throw new GraphError("unavailable", `${this.#what}: the service took all bytes, but shows no such file`, {
      code: "notCommitted",
      hint: `look with ${commandName("ls")} in a minute; if it is not there, run the same command again`,
    });
  }

  /** The finished item, if the commit took effect although its answer says otherwise (graph-protocol U15). */
  async #findFinished(): Promise<{ driveItem: DriveItem; created: boolean } | undefined> {
    // A renamed file cannot be found by its name.
    if (this.#options.conflict === "rename" || this.#hash.position < this.#local.size) return undefined;
    const answer = await this.#context.graph.answer(childUrl(this.#target.folder, this.#target.name), {
      what: this.#what,
    });
    if (answer.status !== 200) {
      await answer.discard();
      return undefined;
    }
    const driveItem = JSON.parse(await answer.text()) as DriveItem;
    const { size, hash, modified } = itemOf(driveItem, this.#target.folder.driveId, "");
    const ours = this.#local.modified?.toISOString().replace(/\.\d+Z$/, "Z");
    const isOurs = mayBeRewritten(this.#target.name, this.#target.driveType)
      ? modified === ours // we sent this time with the session, and a rewritten file keeps it
      : size === this.#local.size && hash === this.#hash.quickXorHash();
    return isOurs ? { driveItem, created: false } : undefined;
  }

  async #read(start: number): Promise<Uint8Array<ArrayBuffer>> {
    // A session that went on from a later byte: what was sent before is hashed all the same.
    while (this.#hash.position < start) {
      const at = this.#hash.position;
      this.#hash.add(await this.#readExactly(at, Math.min(this.#buffer.length, start - at)), at);
    }
    const bytes = await this.#readExactly(start, Math.min(this.#buffer.length, this.#local.size - start));
    this.#hash.add(bytes, start);
    return bytes;
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
  #explainConflict(error: unknown): unknown {
    if (!(error instanceof GraphError) || error.status !== 409 || this.#options.conflict === "fail") {
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

  /** Gives the session up, so that it does not block the name; its own failure changes nothing (graph-protocol U10). */
  async #cancel(): Promise<void> {
    if (!this.#uploadUrl) return;
    const url = this.#uploadUrl;
    this.#uploadUrl = "";
    try {
      const answer = await this.#context.storage.detached(CANCEL_TIMEOUT_MS).send({
        method: "DELETE",
        url,
        retry: "never",
      });
      await answer.discard();
    } catch {
      // the session ends by itself
    }
  }
}
