/**
 * Counts the transfers of a command, for the progress line and the closing summary.
 *
 * @module
 */
import { formatDuration, formatSize } from "../format.ts";
import type { TransferJob } from "../transfer/jobs.ts";
import type { TransferResult } from "../transfer/result.ts";
import type { ProgressState } from "./progress.ts";

/** Files and bytes of one kind of result. */
interface Count {
  files: number;
  bytes: number;
}

/** The closing summary, as `--json` prints it. */
export interface Summary {
  /** By result: `created`, `unchanged`, … */
  results: Record<string, Count>;
  failed: number;
  /** Files that were found but not finished. */
  left: number;
  seconds: number;
}

/** The transfers of one command. */
export class TransferProgress {
  readonly #started = performance.now();
  readonly #going = new Map<TransferJob, { done: number; total: number | undefined }>();
  readonly #results = new Map<TransferResult["result"], Count>();
  #failed = 0;
  #knownFiles = 0;
  /** `undefined` when the size of a file is not known beforehand. */
  #knownBytes: number | undefined = 0;
  #allKnown = false;
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

  /** No more transfers will be found. */
  complete(): void {
    this.#allKnown = true;
  }

  update(job: TransferJob, done: number, total: number | undefined): void {
    this.#going.set(job, { done, total });
  }

  /** @param result `undefined` for a failure and a folder. */
  end(job: TransferJob, result: TransferResult | undefined): void {
    if (job.isFolder) return;
    const bytes = result?.bytes ?? job.bytes ?? this.#going.get(job)?.done ?? 0;
    this.#going.delete(job);
    this.#doneFiles++;
    this.#doneBytes += bytes;
    if (!result) return;
    const count = this.#results.get(result.result) ?? { files: 0, bytes: 0 };
    this.#results.set(result.result, { files: count.files + 1, bytes: count.bytes + result.bytes });
  }

  fail(job: TransferJob): void {
    this.#going.delete(job);
    this.#doneFiles++;
    this.#failed++;
  }

  /** Whether a summary says more than the result line of a single file. */
  get isWorthSummary(): boolean {
    return this.#knownFiles > 1;
  }

  state(): ProgressState {
    const going = [...this.#going];
    const doneBytes = going.reduce((sum, [, { done }]) => sum + done, this.#doneBytes);
    const [only] = going;
    if (this.#allKnown && this.#knownFiles === 1) {
      return { label: only?.[0].name ?? "", doneBytes, totalBytes: only?.[1].total ?? this.#knownBytes };
    }
    const files = this.#allKnown
      ? `${this.#doneFiles} of ${this.#knownFiles} files`
      : `${this.#doneFiles} files`;
    const totalBytes = this.#allKnown && this.#knownBytes !== undefined
      ? Math.max(doneBytes, this.#knownBytes)
      : undefined;
    return { label: files, doneBytes, totalBytes };
  }

  summary(): Summary {
    return {
      results: Object.fromEntries(this.#results),
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
