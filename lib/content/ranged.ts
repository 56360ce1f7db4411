/**
 * The download engine: a queue of byte ranges and one worker for each HTTP connection. An ordinary download is one range
 * up to the end of the content and one worker.
 *
 * @module
 */
import { GraphError, isGraphError } from "../errors.ts";
import type { HttpResponse } from "../http/response.ts";
import type { OnProgress } from "../transfer/result.ts";
import { type ByteRange, type ByteRanges, type RangeJob, RangeQueue, splitRanges } from "./ranges.ts";
import { parseContentRange, type RemoteContent } from "./remote_content.ts";

/** Faults in a row without a new byte over any connection before a worker gives up. */
const MAX_FAULTS = 6;
/** Responses with the wrong range before ranges are no longer requested. */
const MAX_WRONG_RANGES = 2;

/** Where content goes. */
export interface DownloadTarget {
  /** What it has already. */
  readonly ranges: ByteRanges;
  /** Length of the whole content, as far as known. */
  readonly totalBytes: number;
  /** A writer for one worker; several may write at the same time. */
  openWriter(): TargetWriter;
  /** Called with the length of the whole content as storage states it. */
  announce(totalBytes: number): void;
  /**
   * Starts over for the version of the content that is current now.
   *
   * @throws {GraphError} when what was written cannot be taken back.
   */
  restart(): Promise<void>;
}

/** Writes consecutive bytes. */
export interface TargetWriter extends AsyncDisposable {
  seek(position: number): void;
  write(bytes: Uint8Array): Promise<void>;
  /** Writes what is still buffered. */
  flush(): Promise<void>;
}

/** An attempt to fetch one version of the content, shared by its workers. */
interface Round {
  readonly content: RemoteContent;
  readonly target: DownloadTarget;
  readonly version: string | undefined;
  readonly size: number;
  readonly queue: RangeQueue;
  readonly onProgress: OnProgress | undefined;
  doneBytes: number;
  wrongRanges: number;
}

/** A response to read; `end` is where its bytes end, if known. */
interface Body {
  response: HttpResponse;
  end: number | undefined;
}

/**
 * Fetches all missing content; after a failure everything that arrived is written.
 *
 * @throws {GraphError} `unavailable`, code `restarts`, for content that keeps changing.
 */
export async function fetchMissing(
  content: RemoteContent,
  target: DownloadTarget,
  connections: number,
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
  connections: number,
  onProgress: OnProgress | undefined,
): Promise<"done" | "restart"> {
  const ranges = planRanges(content, target, connections);
  const workers = ranges[0]?.[1] === Infinity ? 1 : connections;
  const round: Round = {
    content,
    target,
    version: content.version,
    size: content.item.size,
    queue: new RangeQueue(ranges),
    onProgress,
    doneBytes: target.ranges.total,
    wrongRanges: 0,
  };
  let ended: { outcome: "restart" } | { error: unknown } | undefined;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      try {
        if (await work(round) === "restart") ended ??= { outcome: "restart" };
      } catch (error) {
        ended ??= { error };
      }
      if (ended) round.queue.stop();
    }),
  );
  if (ended && "error" in ended) throw ended.error;
  return ended?.outcome ?? "done";
}

/** One range up to the end of the content where one HTTP connection does; otherwise what is missing, split. */
function planRanges(
  { item, rangesUnsupported }: RemoteContent,
  { ranges, totalBytes }: DownloadTarget,
  connections: number,
): ByteRange[] {
  const { isPrefix, prefixEnd } = ranges;
  if (totalBytes > 0 && isPrefix && prefixEnd === totalBytes) return [];
  if (rangesUnsupported || isPrefix && (connections === 1 || totalBytes === 0)) {
    return [[prefixEnd, Infinity]];
  }
  return splitRanges(ranges.missing(item.size), item.size, connections);
}

async function work(round: Round): Promise<"done" | "restart"> {
  const { content, queue } = round;
  await using writer = round.target.openWriter();
  let faults = 0;
  let arrivedBytes = 0;
  for (let job; (job = await queue.next());) {
    const outcome = await attempt(round, job, writer);
    if (outcome === "restart") return outcome;
    if (outcome === undefined || outcome.code === "takenOver") continue;
    if (content.arrivedBytes > arrivedBytes) faults = 0;
    arrivedBytes = content.arrivedBytes;
    if (++faults > MAX_FAULTS) throw outcome;
    await content.pause(faults, outcome, queue.stopped);
    if (content.version !== round.version) return "restart";
  }
  return "done";
}

/** Fetches what it can of a range; returns the fault that interrupted it, if any. */
async function attempt(
  round: Round,
  job: RangeJob,
  writer: TargetWriter,
): Promise<"restart" | GraphError | undefined> {
  const { content, queue } = round;
  const arrivedBefore = content.arrivedBytes;
  let isReading = false;
  writer.seek(job.position);
  try {
    const body = await request(round, job);
    if (body === "restart") return body;
    isReading = body !== "retry";
    if (body !== "retry") await read(round, job, body, writer);
    return undefined;
  } catch (error) {
    if (!isGraphError(error) || error.kind !== "unavailable") throw error;
    // Requests were repeated already: that is final, unless other connections still work.
    const othersWork = content.arrivedBytes > arrivedBefore;
    if (isReading || othersWork || error.code === "takenOver") return error;
    throw error;
  } finally {
    await writer.flush();
    queue.release(job);
  }
}

async function request(
  round: Round,
  { position, end, abort }: RangeJob,
): Promise<Body | "retry" | "restart"> {
  const { content, size } = round;
  const isOpenEnded = end === Infinity;
  const header = isOpenEnded ? `bytes=${position}-` : `bytes=${position}-${end - 1}`;
  const received = await content.request(isOpenEnded && position === 0 ? undefined : header, abort.signal);
  const { response } = received;
  const { status } = response;
  if (status === 200 && isOpenEnded && position === 0) {
    const length = response.headers.get("content-length");
    return { response, end: length === null ? undefined : Number(length) };
  }
  const range = status === 206 ? parseContentRange(response) : undefined;
  const isOtherSize = !isOpenEnded && range?.total !== undefined && range.total !== size;
  if (range?.start === position && !isOtherSize) {
    return { response, end: isOpenEnded ? range.total : range.end };
  }
  const isUnranged = status === 200 || status === 416 || status === 206 && !isOpenEnded;
  if (isUnranged) {
    await response.discard();
    await content.refresh(received.found);
  } else await content.afterRefusal(received);
  if (content.version !== round.version) return "restart";
  // Ranges are ignored, or the stated size is not the true one (PROTOCOL D2, D6).
  const isUnsupported = isUnranged &&
    (status !== 206 || isOtherSize || ++round.wrongRanges > MAX_WRONG_RANGES);
  if (!isUnsupported) return "retry";
  content.rangesUnsupported = true;
  return "restart";
}

async function read(
  round: Round,
  job: RangeJob,
  { response, end }: Body,
  writer: TargetWriter,
): Promise<void> {
  const { content, target, queue } = round;
  const start = job.position;
  const isOpenEnded = job.end === Infinity;
  if (isOpenEnded && end !== undefined) target.announce(end);
  const totalBytes = isOpenEnded ? end ?? round.size : round.size;
  const endsWithRange = response.headers.get("content-length") === String(job.end - start);
  for await (const chunk of response.chunks()) {
    // A body may be longer than requested, and another worker may have taken over meanwhile.
    if (job.position >= job.end) return;
    const bytes = chunk.subarray(0, job.end - job.position);
    queue.advance(job, bytes.length);
    round.doneBytes += bytes.length;
    content.noteArrived(chunk.length);
    await writer.write(bytes);
    round.onProgress?.(round.doneBytes, totalBytes);
    // Beyond this it cannot be the file, whatever follows.
    if (isOpenEnded && job.position > content.maxBytes) job.end = job.position;
    // Reading to the end of the body lets its HTTP connection serve the next range.
    if (job.position >= job.end && !endsWithRange) return;
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
