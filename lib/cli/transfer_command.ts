/**
 * What `get`, `put` and `put-large` have in common: transfers, several at a time, with progress and one result each.
 *
 * @module
 */
import { basename } from "../std.ts";
import type { Option, Run } from "./cli.ts";
import { type GraphError, isGraphError } from "../errors.ts";
import { eachAtOnce, type TransferJob } from "../transfer/jobs.ts";
import { formatSize } from "../sizes.ts";
import type { TransferResult } from "../transfer/transfer.ts";

/** The most transfers at a time; more would only make the service slow down. */
const MOST_JOBS = 16;

/** The option for how many transfers go on at a time. */
export function jobsOption(preset: number): Option {
  return { name: "jobs", value: "N", help: `so many files at a time, 1 to ${MOST_JOBS} (default ${preset})` };
}

/** Does all transfers; a failure of one is reported, and the others are done all the same. */
export async function transferAll(
  run: Run,
  jobs: AsyncIterable<TransferJob> | Iterable<TransferJob>,
  preset: number,
  print: (result: TransferResult) => void = (result) => run.output.result(result, describe(result)),
): Promise<void> {
  const atOnce = run.number("jobs", 1, MOST_JOBS) ?? preset;
  const progress = new JobsProgress(run);
  const unfinished: GraphError[] = [];
  try {
    await eachAtOnce(jobs, atOnce, (job) =>
      run.attempt(async () => {
        const update = progress.begin(job);
        try {
          const result = await job.run(update);
          if (result) print(result);
        } catch (error) {
          const failure = named(error, job);
          // An interruption that has more to say than that: how much of this one is there.
          if (isGraphError(error) && error.kind === "interrupted" && error !== run.signal.reason) {
            unfinished.push(failure as GraphError);
          }
          throw failure;
        } finally {
          progress.end(job);
        }
      }));
  } catch (error) {
    const last = unfinished.pop();
    for (const other of unfinished) run.output.error(other);
    throw last ?? error;
  } finally {
    progress.clear();
  }
}

/** An error that says of which transfer it is: those of the network do not know. A missing sign-in concerns them all. */
function named(error: unknown, { name }: TransferJob): unknown {
  const isPlain = !isGraphError(error) || error.kind === "signInNeeded" ||
    error.kind === "interrupted" && error.cause === undefined;
  if (isPlain || error.message.includes(basename(name))) return error;
  return error.retold(`${name}: ${error.message}`);
}

/** One line for all transfers that are going on. */
class JobsProgress {
  readonly #line: ReturnType<Run["output"]["progress"]>;
  readonly #going = new Map<TransferJob, { done: number; total: number | undefined }>();
  #finished = 0;
  #finishedBytes = 0;

  constructor(run: Run) {
    this.#line = run.output.progress(() => this.#label());
  }

  begin(job: TransferJob): (done: number, total: number | undefined) => void {
    this.#going.set(job, { done: 0, total: job.bytes });
    return (done, total) => {
      this.#going.set(job, { done, total });
      this.#update();
    };
  }

  end(job: TransferJob): void {
    this.#finishedBytes += this.#going.get(job)?.done ?? 0;
    this.#finished++;
    this.#going.delete(job);
    if (this.#going.size === 0) this.clear();
  }

  clear(): void {
    this.#line?.clear();
  }

  #update(): void {
    const going = [...this.#going.values()];
    const done = going.reduce((sum, { done }) => sum + done, this.#finishedBytes);
    const total = going.reduce<number | undefined>(
      (sum, { total }) => sum === undefined || total === undefined ? undefined : sum + total,
      this.#finishedBytes,
    );
    this.#line?.update(done, total);
  }

  #label(): string {
    const [first, ...others] = [...this.#going.keys()];
    const name = first?.name ?? "";
    if (others.length === 0 && this.#finished === 0) return name;
    return `${this.#finished} done, ${name}${others.length > 0 ? ` and ${others.length} more` : ""}`;
  }
}

/** A result as text. */
export function describe({ result, path, local, bytes, verdict, dryRun }: TransferResult): string {
  const size = formatSize(bytes);
  if (dryRun) {
    const would = {
      created: "create",
      replaced: "replace",
      renamed: "upload under another name",
      downloaded: "download",
    };
    if (result in would) return `would ${would[result as keyof typeof would]} ${path} (${size})`;
  }
  if (result === "skipped") return `skipped ${path}: ${local} exists already`;
  if (result === "unchanged") return `unchanged ${path} (${size}, ${verdict})`;
  if (result === "downloaded") return `downloaded ${path} to ${local} (${size}, ${verdict})`;
  return `${result} ${path} (${size}, ${verdict})`;
}
