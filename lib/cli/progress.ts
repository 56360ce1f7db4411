/**
 * Progress of all transfers of a command, drawn as one line where standard error is a terminal, and their summary.
 *
 * @module
 */
import { formatDuration, formatSize } from "../format.ts";
import type { TransferJob } from "../transfer/jobs.ts";
import type { TransferResult } from "../transfer/result.ts";

const REDRAW_MS = 200;

interface ProgressState {
  /** How many files are done; empty for a single one. */
  label: string;
  doneBytes: number;
  /** `undefined` while unknown. */
  totalBytes: number | undefined;
}

export class ProgressLine {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  /** When bytes were counted first, and how many; a resumed transfer starts with some. */
  #first: { at: number; bytes: number } | undefined;
  #drawnAt = -Infinity;
  #drawn = false;

  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Draws the state, at most five times a second. */
  update(state: () => ProgressState): void {
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const current = state();
    this.#first ??= { at: now, bytes: current.doneBytes };
    this.#draw(current, (current.doneBytes - this.#first.bytes) / (now - this.#first.at) * 1000 || 0);
  }

  /** Erases the line; the next update draws it again. */
  clear(): void {
    if (this.#drawn) this.#write("\r\x1b[K");
    this.#drawn = false;
    this.#drawnAt = -Infinity;
  }

  #draw({ label, doneBytes, totalBytes }: ProgressState, bytesPerSecond: number): void {
    const share = totalBytes
      ? `${Math.floor(doneBytes / totalBytes * 100)} % of ${formatSize(totalBytes)}`
      : formatSize(doneBytes);
    const rate = bytesPerSecond > 0 ? `  ${formatSize(bytesPerSecond)}/s` : "";
    const left = totalBytes && bytesPerSecond > 0
      ? `  ${formatDuration((totalBytes - doneBytes) / bytesPerSecond)} left`
      : "";
    // Some terminals wrap after the last column, so it stays free.
    this.#write(`\r\x1b[K${`${label}${share}${rate}${left}`.slice(0, this.#columns() - 1)}`);
    this.#drawn = true;
  }
}

/** The closing summary, as `--json` prints it. */
export interface Summary {
  /** By result: `created`, `unchanged`, … */
  results: Record<string, { files: number; bytes: number }>;
  failed: number;
  /** Files that were found but not finished. */
  left: number;
  seconds: number;
}

export class TransferProgress {
  readonly #started = performance.now();
  readonly #going = new Map<TransferJob, { done: number; total: number | undefined }>();
  readonly #results: Summary["results"] = {};
  #failed = 0;
  #knownFiles = 0;
  /** `undefined` when the size of a file is not known beforehand. */
  #knownBytes: number | undefined = 0;
  #doneFiles = 0;
  #doneBytes = 0;

  /** A transfer was found. */
  add({ bytes, isFolder }: TransferJob): void {
    if (isFolder) return;
    this.#knownFiles++;
    this.#knownBytes = bytes === undefined || this.#knownBytes === undefined
      ? undefined
      : this.#knownBytes + bytes;
  }

  update(job: TransferJob, done: number, total: number | undefined): void {
    this.#going.set(job, { done, total });
  }

  end(job: TransferJob, { result, bytes }: TransferResult): void {
    this.#going.delete(job);
    this.#doneFiles++;
    this.#doneBytes += bytes;
    const count = this.#results[result] ??= { files: 0, bytes: 0 };
    count.files++;
    count.bytes += bytes;
  }

  fail(job: TransferJob): void {
    this.#going.delete(job);
    this.#failed++;
    if (!job.isFolder) this.#doneFiles++;
  }

  /** Whether a summary says more than the result line of a single file. */
  get isWorthSummary(): boolean {
    return this.#knownFiles > 1;
  }

  state(): ProgressState {
    const going = [...this.#going];
    const doneBytes = going.reduce((sum, [, { done }]) => sum + done, this.#doneBytes);
    if (this.#knownFiles === 1) {
      return { label: "", doneBytes, totalBytes: going[0]?.[1].total ?? this.#knownBytes };
    }
    const totalBytes = this.#knownBytes && Math.max(doneBytes, this.#knownBytes);
    return { label: `${this.#doneFiles} of ${this.#knownFiles} files  `, doneBytes, totalBytes };
  }

  summary(): Summary {
    return {
      results: this.#results,
      failed: this.#failed,
      left: this.#knownFiles - this.#doneFiles,
      seconds: (performance.now() - this.#started) / 1000,
    };
  }
}

/** A summary as text: `198 created (1.2 GiB), 2 unchanged (5.0 MiB), 1 failed, in 0:42`. */
export function summaryText({ results, failed, left, seconds }: Summary): string {
  const counts = Object.entries(results).map(([result, { files, bytes }]) =>
    `${files} ${result} (${formatSize(bytes)})`
  );
  if (failed > 0) counts.push(`${failed} failed`);
  if (left > 0) counts.push(`${left} left`);
  return `${counts.length > 0 ? counts.join(", ") : "nothing to do"}, in ${formatDuration(seconds)}`;
}
