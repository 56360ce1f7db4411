/**
 * Several transfers at a time: as many as are wanted, taken from a list that may still grow while they run.
 *
 * @module
 */
import type { OnProgress, TransferResult } from "./transfer.ts";

/** One transfer to do. */
export interface TransferJob {
  /** For messages: what a person would call it. */
  name: string;
  /** Size in bytes, if it is known beforehand. */
  bytes?: number | undefined;
  /** @returns `undefined` where nothing is to be told, as of an empty folder. */
  run(onProgress: OnProgress): Promise<TransferResult | undefined>;
}

/** A job that has failed before it could start. */
export function failedJob(name: string, error: Error): TransferJob {
  return { name, run: () => Promise.reject(error) };
}

/**
 * Works on all things, at most `atOnce` at a time, in the order in which they come.
 *
 * @throws what `work` or the list throws; nothing further is begun then, and what is going on is awaited.
 */
export async function eachAtOnce<T>(
  things: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const thing of things) {
      const one: Promise<void> = work(thing)
        .catch((error) => void failures.push(error))
        .finally(() => running.delete(one));
      running.add(one);
      if (running.size >= atOnce) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
