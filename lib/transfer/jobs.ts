/**
 * Runs transfers concurrently, from a list that may still grow.
 *
 * @module
 */
import type { GraphError } from "../errors.ts";
import { toGraphError } from "../local/local_error.ts";
import { JobCount } from "./job_count.ts";
import type { OnProgress, TransferContext, TransferResult } from "./result.ts";

/** A transfer to run. */
export interface TransferJob {
  /** For messages. */
  name: string;
  /** Size in bytes, if known in advance. */
  bytes?: number | undefined;
  /** Creates a folder and transfers nothing. */
  isFolder?: boolean;
  /** @returns `undefined` when there is nothing to report, such as for an empty folder. */
  run(onProgress: OnProgress): Promise<TransferResult | undefined>;
}

/** A job that failed before it could start. */
export function failedJob(name: string, error: unknown): TransferJob {
  return { name, bytes: 0, run: () => Promise.reject(error) };
}

/**
 * Reads ahead of the consumer, so that a slow list is read while its first items are processed.
 *
 * @param limit Maximum number of items read ahead.
 * @param onRead Called with each item as it is read, and with `undefined` at the end.
 */
export async function* readAhead<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  onRead: (item: T | undefined) => void,
): AsyncGenerator<T> {
  let failure: unknown;
  const list = (async function* () {
    try {
      for await (const item of items) {
        onRead(item);
        yield item;
      }
      onRead(undefined);
    } catch (error) {
      failure = error; // a stream that fails would drop the items read before
    }
  })();
  yield* ReadableStream.from(list).pipeThrough(new TransformStream({}, {}, { highWaterMark: limit }));
  if (failure) throw failure;
}

/**
 * Runs `work` for every item in order, at most as many at a time as `count` says.
 *
 * @throws The first error of `work` or of the list, after running work has ended; no more is started.
 */
export async function runPool<T>(
  items: AsyncIterable<T> | Iterable<T>,
  count: JobCount,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const item of items) {
      const one: Promise<void> = work(item)
        .catch((error) => void failures.push(error))
        .finally(() => {
          running.delete(one);
          count.ended();
        });
      running.add(one);
      while (running.size >= count.limit) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}

/** Whether a failure would be that of all other transfers too. */
export function concernsAll({ kind, code }: GraphError): boolean {
  return kind === "interrupted" || kind === "signInNeeded" || code === "stalled";
}

/**
 * Runs all transfers, also after a failure.
 *
 * @throws {GraphError} the first failure, at the end; the others are notices.
 */
export async function runAll(
  { notice, graph }: Pick<TransferContext, "notice" | "graph">,
  jobs: AsyncIterable<TransferJob>,
  concurrency: number | undefined,
): Promise<TransferResult[]> {
  const results: TransferResult[] = [];
  const failures: GraphError[] = [];
  await runPool(jobs, new JobCount(graph.http, concurrency), async (job) => {
    try {
      const result = await job.run(() => {});
      if (result) results.push(result);
    } catch (error) {
      const failure = toGraphError(error);
      if (concernsAll(failure)) throw failure;
      if (failures.push(failure) > 1) notice(failure.message);
    }
  });
  if (failures[0]) throw failures[0];
  return results;
}
