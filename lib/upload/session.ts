/**
 * Uploads through a resumable upload session (https://learn.microsoft.com/graph/api/driveitem-createuploadsession).
 * The server decides: when in doubt, ask the session for its next expected range.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";
import { childUrl } from "../drive/address.ts";
import { contentVersion, type DriveItem } from "../drive/drive_item.ts";
import { toItem } from "../drive/items.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { formatUtc } from "../format.ts";
import { readServiceError, toServiceError } from "../graph/errors.ts";
import type { StorageClient } from "../graph/storage.ts";
import { TimeoutError } from "../http/deadline.ts";
import type { HttpResponse } from "../http/response.ts";
import { retryAfterMs } from "../http/retry.ts";
import type { LocalContent } from "../local/local_file.ts";
import { incompleteError, type OnProgress, type TransferContext } from "../transfer/result.ts";
import { checkUnchanged, mayBeRewritten } from "../transfer/verify.ts";
import { ContentReader } from "./content_reader.ts";
import { FragmentSize } from "./fragment_size.ts";
import { cancelSession, type UploadEntry, type UploadIntent, withUploadEntry } from "./journal.ts";
import {
  checkFragmentBytes,
  FRAGMENT_UNIT_BYTES,
  nextExpectedByte,
  nextStep,
  parseSession,
  type SessionStep,
} from "./protocol.ts";
import { expectedItem, findItem, pathOf, type UploadTarget } from "./target.ts";

/** A second session may help, a third only blocks the name (PROTOCOL U7). */
const MAX_SESSIONS = 2;
/** Rounds in which the next expected byte does not move (PROTOCOL U8). */
const MAX_STUCK_ROUNDS = 2;
/** Failures in a row, each after a longer wait. */
const MAX_FAILURES = 6;
const NEW_SESSION_PAUSE_MS = 2_000;
/** How long an interruption waits for a session that is being created. */
const INTERRUPTED_CREATE_MS = 10_000;
const LOOK_UPS = 3;
/** After so many sent bytes the copies that fetch makes of bodies are collected. */
const COLLECT_AT_BYTES = 8 * 1024 * 1024;
const PRESSURE_BYTES = 64 * 1024 * 1024;

/** What to do when the name is taken. */
export type UploadConflict = "fail" | "replace" | "rename";

/** How to upload. */
interface SessionOptions extends UploadIntent {
  conflict: UploadConflict;
  /** Bytes of a fragment. @default from 10 MiB on, adapted to the line */
  fragmentBytes?: number | undefined;
  onProgress?: OnProgress | undefined;
}

interface CommittedUpload {
  driveItem: DriveItem;
  created: boolean;
}

export interface UploadOutcome extends CommittedUpload {
  quickXorHash: string;
  sentBytes: number;
  /** Byte at which an unfinished upload was resumed. */
  resumedFrom: number | null;
}

type Upload = ReturnType<typeof startUpload>;

function startUpload(
  context: TransferContext,
  content: LocalContent,
  target: UploadTarget,
  options: SessionOptions,
  entry: UploadEntry,
) {
  const size = new FragmentSize(options.fragmentBytes);
  return {
    context,
    content,
    target,
    options,
    entry,
    reader: new ContentReader(content, size, context.graph.http.signal),
    /** For messages. */
    what: `upload of ${pathOf(target)}`,
    /** Time of the last change, as it is sent. */
    modified: content.modified ? formatUtc(content.modified.getTime()) : undefined,
    /** Version of the item that had the name before; `undefined`: there was none. */
    versionBefore: undefined as string | undefined,
    uploadUrl: "",
    /** Sessions used so far. */
    sessions: 0,
    position: 0,
    /** The highest next expected byte that the session has named. */
    furthest: 0,
    stuckRounds: 0,
    failures: 0,
    /** The fragment with the last byte was sent. */
    isComplete: false,
    sentBytes: 0,
    uncollectedBytes: 0,
    resumedFrom: null as number | null,
  };
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
 * @throws {GraphError} of the kind that fits the failure. The session is canceled unless a later run can resume it.
 */
export async function uploadThroughSession<T>(
  context: TransferContext,
  content: LocalContent,
  target: UploadTarget,
  options: SessionOptions,
  finish: (uploaded: UploadOutcome) => Promise<T>,
): Promise<T> {
  if (options.fragmentBytes !== undefined) checkFragmentBytes(options.fragmentBytes);
  return await withUploadEntry(context, content, target, async (entry) => {
    const upload = startUpload(context, content, target, options, entry);
    let committed: CommittedUpload;
    try {
      committed = await resume(upload) ?? await send(upload);
      options.onProgress?.(content.size, content.size);
    } catch (error) {
      throw await afterFailure(upload, error);
    } finally {
      await upload.reader.settle();
    }
    const { driveItem, created } = committed;
    const { sentBytes, resumedFrom, reader } = upload;
    const quickXorHash = reader.hash.digest();
    const result = await finish({ driveItem, created, quickXorHash, sentBytes, resumedFrom });
    await entry.remove();
    return result;
  });
}

/** Takes up the upload of an earlier process; returns its item if that was committed after all. */
async function resume(upload: Upload): Promise<CommittedUpload | undefined> {
  const earlier = await upload.entry.read(upload.options);
  if (!earlier) return undefined;
  const { entry, resumable } = earlier;
  upload.uploadUrl = entry.uploadUrl;
  if (resumable) {
    upload.versionBefore = entry.versionBefore ?? undefined;
    const { step, status } = await query(upload);
    const next = step.kind === "advance" ? step.nextByte : undefined;
    if (next !== undefined && next < upload.content.size) {
      upload.sessions = 1;
      upload.position = upload.furthest = upload.resumedFrom = next;
      return undefined;
    }
    // It has ended, or has all bytes: perhaps the item is there.
    if (step.kind === "advance" || status === 404) {
      await upload.reader.hashUpTo(upload.content.size);
      const committed = await findCommitted(upload, 1);
      if (committed) return committed;
    }
  }
  await cancel(upload);
  await upload.entry.remove();
  return undefined;
}

/** Sends fragments until the item is committed. */
async function send(upload: Upload): Promise<CommittedUpload> {
  if (!upload.uploadUrl) {
    upload.reader.readAhead(0, upload.reader.size.bytes);
    const { existing } = upload.target;
    const current = existing === "unknown" ? await findItem(upload.context.graph, upload.target) : existing;
    upload.versionBefore = current && contentVersion(current);
    await createSession(upload);
  }
  let turn: Turn = { step: { kind: "send" } };
  for (;;) {
    const { step, failure } = turn;
    switch (step.kind) {
      case "send":
        upload.options.onProgress?.(upload.position, upload.content.size);
        turn = await sendFragment(upload);
        break;
      case "query":
        turn = await query(upload);
        break;
      case "advance":
        turn = { step: advance(upload, step.nextByte) };
        break;
      case "retry":
        await wait(upload, turn);
        turn = { step: { kind: "query" } }; // the fragment may have been stored although its response was lost
        break;
      case "lookUp": {
        const committed = await findCommitted(upload, LOOK_UPS);
        if (committed) return committed;
        const isRenamed = upload.options.conflict === "rename"; // it cannot be found by its name
        if (!failure || isRenamed) {
          const renamed = isRenamed ? " under this name; it may have got another" : "";
          const message = `${upload.what}: the service has all bytes, but shows no such file${renamed}`;
          throw new GraphError("unavailable", message, { code: "notCommitted" });
        }
        turn = { ...turn, step: { kind: "restart" } };
        break;
      }
      case "restart":
        await restart(upload, failure!);
        turn = { step: { kind: "send" } };
        break;
      case "committed":
        return step;
      case "fail":
        throw failure!;
    }
  }
}

async function sendFragment(upload: Upload): Promise<Turn> {
  const { size } = upload.content;
  const start = upload.position;
  const bytes = await upload.reader.fragment(start);
  const end = start + bytes.length;
  upload.isComplete = end === size;
  if (upload.isComplete) {
    await checkUnchanged(upload.content, upload.reader.hash.digest(), upload.context.graph.http.signal);
  }
  upload.sentBytes += bytes.length;
  const started = performance.now();
  const response = exchange(upload, "fragment", {
    method: "PUT",
    url: upload.uploadUrl,
    headers: {
      "content-type": "application/octet-stream",
      "content-range": `bytes ${start}-${end - 1}/${size}`,
    },
    body: bytes,
    retry: "never",
    // The smallest fragment has all the time that the deadline leaves.
    ...(bytes.length > FRAGMENT_UNIT_BYTES ? {} : { headerTimeoutMs: Infinity }),
  });
  upload.reader.readAhead(end, upload.reader.size.bytesAhead);
  const turn = await response;
  upload.uncollectedBytes += bytes.length;
  if (upload.uncollectedBytes >= COLLECT_AT_BYTES) {
    upload.uncollectedBytes = 0;
    new ArrayBuffer(PRESSURE_BYTES); // never touched, so it takes no memory, but makes V8 collect the copies now
  }
  if (turn.step.kind === "advance") {
    upload.reader.size.acknowledged(bytes.length, performance.now() - started);
  }
  if (turn.failure?.cause instanceof TimeoutError) upload.reader.size.shrink();
  return turn;
}

/** Asks the session for its next expected range. */
function query(upload: Upload): Promise<Turn> {
  return exchange(upload, "query", {
    method: "GET",
    url: upload.uploadUrl,
    retry: "idempotent",
    isProgress: false,
  });
}

/** Sends a request to the session, and finds the next step from its response. */
async function exchange(
  upload: Upload,
  to: "fragment" | "query",
  request: Parameters<StorageClient["send"]>[0],
): Promise<Turn> {
  const { storage } = upload.context;
  let response: HttpResponse;
  let text = "";
  let failure: GraphError | undefined;
  try {
    response = await storage.send(request);
    if (response.status > 299) failure = await readServiceError(response, upload.what);
    else text = await response.text();
  } catch (error) {
    const isLost = isGraphError(error) && error.kind === "unavailable";
    if (!isLost || to === "query") throw error;
    return { step: { kind: "retry" }, failure: error };
  }
  const { status, headers } = response;
  const expected = expectedItem(upload.target, upload.options.conflict !== "rename");
  const step = nextStep({ to, status, text, isComplete: upload.isComplete }, expected);
  return { step, failure, status, retryAfterMs: retryAfterMs(headers, storage.http.now()) };
}

/** Moves to the next expected byte; fails if it stops advancing. */
function advance(upload: Upload, nextByte: number | undefined): Turn["step"] {
  const { size } = upload.content;
  if (nextByte === size || (nextByte === undefined && upload.isComplete)) return { kind: "lookUp" };
  const next = nextByte !== undefined && nextByte < size ? nextByte : upload.position;
  if (next > upload.furthest) {
    upload.context.storage.http.deadline.progress();
    upload.furthest = next;
    upload.stuckRounds = 0;
    upload.failures = 0;
  } else if (++upload.stuckRounds > MAX_STUCK_ROUNDS) {
    throw new GraphError("unavailable", `${upload.what}: stuck at byte ${upload.furthest}`, {
      code: "sessionStuck",
      hint: "run the same command again",
    });
  }
  upload.position = next;
  return { kind: "send" };
}

/** Waits before the next request, as long as the service asks, else longer after each failure. */
async function wait(upload: Upload, { failure, retryAfterMs }: Turn): Promise<void> {
  const { http } = upload.context.storage;
  const error = failure ??
    new GraphError("unavailable", `${upload.what}: the session's response cannot be understood`, {
      code: "invalidAnswer",
    });
  if (++upload.failures > MAX_FAILURES) throw error;
  if (!await http.backOff(upload.failures, error.message, undefined, retryAfterMs)) throw error;
}

/** Creates a new session: the URL expired, or the service still processes the last version (PROTOCOL U6, U7). */
async function restart(upload: Upload, failure: GraphError): Promise<void> {
  if (upload.sessions >= MAX_SESSIONS) {
    if (failure.status !== 404) throw failure;
    throw failure.withMessage(`${upload.what}: the service lost two upload sessions in a row`, {
      kind: "unavailable",
      code: "sessionLost",
      hint:
        "the file may be open, or the service still processes its last version; try again in some minutes",
    });
  }
  upload.context.notice(
    `${upload.what}: the upload session ended (HTTP ${failure.status}); starting over with a new one`,
  );
  await cancel(upload);
  await upload.context.graph.http.wait(NEW_SESSION_PAUSE_MS, "new upload session");
  await createSession(upload);
}

async function createSession(upload: Upload): Promise<void> {
  const { graph } = upload.context;
  const { conflict, description } = upload.options;
  upload.sessions++;
  const response = await graph.request(
    childUrl(upload.target.folder, upload.target.name, "createUploadSession"),
    {
      method: "POST",
      what: upload.what,
      // An interruption waits for the response: a session whose URL is lost blocks the name.
      graceMs: INTERRUPTED_CREATE_MS,
      json: {
        item: {
          // First, and always: without it the service replaces, after fileSystemInfo it refuses (PROTOCOL U1, 7.1).
          "@microsoft.graph.conflictBehavior": conflict,
          name: upload.target.name,
          description,
          fileSystemInfo: upload.modified && { lastModifiedDateTime: upload.modified },
        },
      },
    },
  );
  if (response.status > 299) throw await readServiceError(response, upload.what);
  const text = await response.text();
  const session = parseSession(text);
  // An error under HTTP 200 (PROTOCOL E2), or a session without a URL.
  if (!session?.uploadUrl) throw toServiceError(response, text, upload.what);
  upload.context.storage.check(session.uploadUrl);
  upload.uploadUrl = session.uploadUrl;
  await upload.entry.write(session.uploadUrl, upload.options, upload.versionBefore);
  throwIfAborted(graph.http.signal);
  upload.position = upload.furthest = nextExpectedByte(session.nextExpectedRanges ?? []) ?? 0;
  upload.stuckRounds = 0;
}

/**
 * Looks for the item that the session has made: a commit may have taken effect although its response was lost or says
 * otherwise (PROTOCOL U15). Not if the item got another name, or not all bytes were sent.
 */
async function findCommitted(upload: Upload, attempts: number): Promise<CommittedUpload | undefined> {
  const { context: { graph }, target, content, reader: { hash }, versionBefore } = upload;
  if (upload.options.conflict === "rename" || hash.length < content.size) return undefined;
  for (let attempt = 1;; attempt++) {
    const driveItem = await findItem(graph, target);
    if (driveItem && isCommitted(upload, driveItem)) {
      return { driveItem, created: versionBefore === undefined };
    }
    if (attempt === attempts) return undefined;
    if (!await graph.http.backOff(attempt, "the service completes the file")) return undefined;
  }
}

function isCommitted(upload: Upload, driveItem: DriveItem): boolean {
  const { target, content, reader, versionBefore } = upload;
  if (contentVersion(driveItem) === versionBefore) return false;
  const { size, hash, modified } = toItem(driveItem, target.folder.driveId, "");
  const isSameTime = modified === upload.modified;
  // A rewritten file has another size and hash, and keeps its time.
  if (mayBeRewritten(target.name, target.driveType)) return isSameTime;
  return size === content.size && (hash === null ? isSameTime : hash === reader.hash.digest());
}

/** Keeps the session for a later run where that can resume it, otherwise cancels it. */
async function afterFailure(upload: Upload, error: unknown): Promise<unknown> {
  if (isGraphError(error) && upload.uploadUrl && upload.content.reopenable) {
    const { kind, code } = error;
    // The session has all bytes and may be about to commit: the next run finds out.
    if (code === "notCommitted") return error;
    const isOver = code === "sessionStuck" || code === "sessionLost";
    if (kind === "interrupted" || (kind === "unavailable" && !isOver)) {
      const done = { doneBytes: upload.furthest, size: upload.content.size, are: "uploaded" } as const;
      // A throttled service has said how long to wait.
      const hint = "run the same command again within 15 minutes to resume";
      return incompleteError(error, done, error.status === 429 ? error.hint : hint);
    }
  }
  // The entry of a session that could not be canceled is kept for the next run, which needs its URL.
  if (await cancel(upload)) await upload.entry.remove();
  return error;
}

/** Cancels the session; returns whether none of ours is left, as far as we know. */
async function cancel(upload: Upload): Promise<boolean> {
  const { uploadUrl } = upload;
  upload.uploadUrl = "";
  return !uploadUrl || await cancelSession(upload.context.storage, uploadUrl);
}
