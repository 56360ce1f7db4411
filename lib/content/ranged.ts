/**
 * The download engine: a list of byte ranges and one worker for each HTTP connection. An ordinary download is one range up
 * to the end of the content and one worker. A worker without a range takes half of the longest one of the others.
 *
 * @module
 */
import { anySignal } from "../abort.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { readServiceError } from "../graph/errors.ts";
import type { HttpResponse } from "../http/response.ts";
import type { OnProgress } from "../transfer/result.ts";
import { ConnectionCount } from "./connection_count.ts";
import { type ByteRange, type ByteRanges, MIN_RANGE_BYTES, splitRanges } from "./ranges.ts";
import type { RemoteContent } from "./remote_content.ts";

/** Failures in a row without a new byte over any connection before a worker gives up. */
const MAX_FAILURES = 6;
/** A download URL expires after an hour at most, and a new one can be refused as well (PROTOCOL D3, 5e). */
const REFUSED_STATUSES = [401, 403, 404, 410];
const MAX_REFUSALS = 2;

/** Where content goes. */
export interface DownloadTarget {
  /** What it has already. */
  readonly ranges: ByteRanges;
  /** Several workers may write at the same time. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /**
   * Starts over for the version of the content that is current now.
   *
   * @throws {GraphError} when what was written cannot be taken back.
   */
  restart(): Promise<void>;
}

/** An attempt to fetch one version of the content, shared by its workers. */
interface Round {
  readonly content: RemoteContent;
  readonly target: DownloadTarget;
  readonly version: string | undefined;
  readonly size: number;
  /** Not yet taken by a worker. */
  readonly waiting: ByteRange[];
  /** What the workers fetch. */
  readonly jobs: Set<RangeJob>;
  readonly connections: ConnectionCount;
  /** Starts workers until there are as many as there should be connections. */
  startWorkers(): void;
  /** Aborted with the run, or when a worker ends the round. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress | undefined;
  doneBytes: number;
}

/**
 * The range of a worker: its next byte, and where it ends, which another worker may put forward; `Infinity` for the rest of
 * the content.
 */
interface RangeJob {
  readonly connection: number;
  position: number;
  end: number;
}

/** A response to read; `end` is where its bytes end, if known. */
interface Body {
  response: HttpResponse;
  end: number | undefined;
}

/**
 * Fetches all missing content.
 *
 * @param connections How many to use. @default chosen by measuring
 * @throws {GraphError} `unavailable`, code `restarts`, for content that keeps changing.
 */
export async function fetchMissing(
  content: RemoteContent,
  target: DownloadTarget,
  connections: number | undefined,
  onProgress: OnProgress | undefined,
): Promise<void> {
  while (await fetchVersion(content, target, connections, onProgress) === "restart") {
    content.noteRestart();
    await target.restart();
  }
}

async function fetchVersion(
  content: RemoteContent,
  target: DownloadTarget,
  fixed: number | undefined,
  onProgress: OnProgress | undefined,
): Promise<"done" | "restart"> {
  const { size } = content.item;
  const stop = new AbortController();
  const connections = new ConnectionCount(size, fixed);
  const workers: Promise<void>[] = [];
  let ended: { outcome: "restart" } | { error: unknown } | undefined;
  const run = async () => {
    try {
      if (await work(round, workers.length) === "restart") ended ??= { outcome: "restart" };
    } catch (error) {
      ended ??= { error };
    }
    if (ended) stop.abort();
  };
  const round: Round = {
    content,
    target,
    version: content.version,
    size,
    waiting: planRanges(content, target.ranges, connections.wanted),
    jobs: new Set(),
    connections,
    startWorkers() {
      while (workers.length < connections.wanted) workers.push(run());
    },
    signal: anySignal(stop.signal, content.http.signal)!,
    onProgress,
    doneBytes: target.ranges.total,
  };
  round.startWorkers();
  for (const worker of workers) await worker; // there may be more by then
  if (ended && "error" in ended) throw ended.error;
  return ended?.outcome ?? "done";
}

/** One range up to the end of the content where one HTTP connection does; otherwise what is missing, split. */
function planRanges(
  { item: { size }, rangesUnsupported }: RemoteContent,
  ranges: ByteRanges,
  connections: number,
): ByteRange[] {
  const { isPrefix, prefixEnd } = ranges;
  if (size > 0 && isPrefix && prefixEnd === size) return [];
  if (rangesUnsupported || isPrefix && (connections === 1 || size === 0)) return [[prefixEnd, Infinity]];
  return splitRanges(ranges.missing(size), connections);
}

/** What a worker fetches next: a waiting range, or the second half of what the slowest has left. */
function nextJob({ waiting, jobs, connections }: Round, connection: number): RangeJob | undefined {
  if (connection >= connections.wanted) return undefined;
  const range = waiting.shift();
  if (range) return { connection, position: range[0], end: range[1] };
  const splittable = [...jobs].filter((job) => job.end < Infinity && bytesLeft(job) >= 2 * MIN_RANGE_BYTES);
  const [longest] = splittable.toSorted((one, other) => bytesLeft(other) - bytesLeft(one));
  if (!longest) return undefined;
  const { end } = longest;
  longest.end -= Math.floor(bytesLeft(longest) / 2);
  return { connection, position: longest.end, end };
}

function bytesLeft({ position, end }: RangeJob): number {
  return end - position;
}

/** Whether this connection does not pay, and others can take over what it has left. */
function isSurplus({ jobs, connections: { wanted } }: Round, job: RangeJob): boolean {
  return job.connection >= wanted && bytesLeft(job) >= MIN_RANGE_BYTES &&
    [...jobs].some(({ connection }) => connection < wanted);
}

async function work(round: Round, connection: number): Promise<"done" | "restart"> {
  const { content, waiting, jobs, signal } = round;
  let failures = 0;
  let arrivedBytes = 0;
  for (let job; !signal.aborted && (job = nextJob(round, connection)); jobs.delete(job)) {
    jobs.add(job);
    while (job.position < job.end) {
      if (isSurplus(round, job)) {
        waiting.push([job.position, job.end]);
        break;
      }
      const { found } = content;
      const failure = await attempt(round, job);
      if (failure === "restart") return failure;
      if (failure === undefined) continue; // the response may have had less than was requested
      if (content.arrivedBytes > arrivedBytes) failures = 0;
      arrivedBytes = content.arrivedBytes;
      if (++failures > (failure.kind === "unavailable" ? MAX_FAILURES : MAX_REFUSALS)) throw failure;
      const mayPass = failure.kind === "unavailable";
      if (mayPass && !await content.http.backOff(failures, failure.message, signal)) throw failure;
      await content.refresh(found);
      if (content.version !== round.version) return "restart";
    }
  }
  return "done";
}

/** Fetches what it can of a range; returns the failure that interrupted it, if any. */
async function attempt(round: Round, job: RangeJob): Promise<"restart" | GraphError | undefined> {
  const body = await request(round, job);
  if (body === "restart" || body instanceof GraphError) return body;
  try {
    await read(round, job, body);
  } catch (error) {
    if (isGraphError(error) && error.kind === "unavailable") return error;
    throw error;
  }
  return undefined;
}

async function request(round: Round, { position, end }: RangeJob): Promise<Body | "restart" | GraphError> {
  const { content, size, signal } = round;
  const { found } = content;
  const isOpenEnded = end === Infinity;
  const isWhole = isOpenEnded && position === 0;
  const header = isOpenEnded ? `bytes=${position}-` : `bytes=${position}-${end - 1}`;
  const response = await content.request(isWhole ? undefined : header, signal);
  const { status } = response;
  if (status === 200 && isWhole) {
    const length = response.headers.get("content-length");
    return { response, end: length === null ? undefined : Number(length) };
  }
  const range = status === 206 ? parseContentRange(response) : undefined;
  const isOtherSize = !isOpenEnded && range?.total !== undefined && range.total !== size;
  if (range?.start === position && !isOtherSize) {
    return { response, end: isOpenEnded ? range.total : range.end };
  }
  if (![200, 206, 416].includes(status)) {
    const error = await readServiceError(response, content.what);
    if (REFUSED_STATUSES.includes(status) && !error.has("malwareDetected")) return error;
    throw error;
  }
  await response.discard();
  await content.refresh(found);
  // Ranges are ignored, or the stated size is not the true one (PROTOCOL D2, D6).
  if (content.version === round.version) content.rangesUnsupported = true;
  return "restart";
}

async function read(round: Round, job: RangeJob, { response, end }: Body): Promise<void> {
  const { content, target, connections } = round;
  const start = job.position;
  const isOpenEnded = job.end === Infinity;
  const totalBytes = isOpenEnded ? end ?? round.size : round.size;
  let writing = Promise.resolve();
  try {
    for await (const chunk of response.chunks()) {
      await writing;
      if (job.position >= job.end) return; // the body is longer than requested
      const bytes = chunk.subarray(0, job.end - job.position);
      writing = target.write(bytes, job.position);
      writing.catch(() => {}); // thrown when it is awaited
      job.position += bytes.length;
      round.doneBytes += bytes.length;
      content.arrivedBytes += chunk.length;
      round.onProgress?.(round.doneBytes, totalBytes);
      // Beyond this it cannot be the file, whatever follows.
      if (isOpenEnded && job.position > content.maxBytes) job.end = job.position;
      connections.noteArrival(job.connection, bytes.length);
      round.startWorkers();
      const isTakenOver = job.position >= job.end && job.end < (end ?? job.end);
      if (isTakenOver || isSurplus(round, job)) return;
    }
  } finally {
    await writing;
  }
  const expected = Math.min(end ?? job.position, job.end);
  if (job.position < expected || !isOpenEnded && job.position === start) {
    throw new GraphError("unavailable", `${content.what}: the response ended early`, {
      code: "truncatedBody",
      hint: "run the same command again",
    });
  }
  if (isOpenEnded) job.end = job.position;
}

/** Parses `Content-Range`; `total` is `undefined` if the service does not know it. */
function parseContentRange(
  { headers }: HttpResponse,
): { start: number; end: number; total: number | undefined } | undefined {
  const [, start, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ??
    [];
  if (start === undefined) return undefined;
  return { start: Number(start), end: Number(last) + 1, total: total === "*" ? undefined : Number(total) };
}
