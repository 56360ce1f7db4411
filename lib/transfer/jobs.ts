/**
 * Several transfers at a time: as many as are wanted, taken from a list that may still grow while they run.
 *
 * @module
 */
import type { OnProgress, TransferResult } from "./result.ts";

/** One transfer to do. */
export interface TransferJob {
  /** For messages: what a person would call it. */
  name: string;
  /** Size in bytes, if it is known beforehand. */
  bytes?: number | undefined;
  /** It makes a folder, and transfers nothing. */
  isFolder?: boolean;
  /** @returns `undefined` where nothing is to be told, as of an empty folder. */
  run(onProgress: OnProgress): Promise<TransferResult | undefined>;
}

/** A job that has failed before it could start. */
export function failedJob(name: string, error: Error): TransferJob {
  return { name, bytes: 0, run: () => Promise.reject(error) };
}

/**
 * Reads a list before it is asked for: a slow one is read while its first things are worked on.
 *
 * @param limit How many things wait at most.
 * @param onRead Called with each thing when it is read, and once at the end.
 */
export async function* readAhead<T>(
  things: AsyncIterable<T> | Iterable<T>,
  limit: number,
  onRead: (thing: T | undefined) => void,
): AsyncGenerator<T> {
  const waiting: T[] = [];
  let [ended, stopped] = [false, false];
  let changed = Promise.withResolvers<void>();
  const notify = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const reading = (async () => {
    try {
      for await (const thing of things) {
        waiting.push(thing);
        onRead(thing);
        notify();
        while (waiting.length >= limit && !stopped) await changed.promise;
        if (stopped) return;
      }
      onRead(undefined);
    } finally {
      ended = true;
      notify();
    }
  })();
  reading.catch(() => {}); // thrown below, after what was read before
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        notify();
        yield next;
      } else if (ended) return await reading;
      else await changed.promise;
    }
  } finally {
    stopped = true;
    notify();
    await reading.catch(() => {});
  }
}

/**
 * Works on all things, at most `atOnce` at a time, in the order in which they come.
 *
 * @throws what `work` or the list throws; nothing further is begun then, and what is going on is awaited.
 */
export async function runPool<T>(
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
