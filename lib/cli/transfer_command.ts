/**
 * What `get`, `put` and `put-large` have in common: transfers, several at a time, with progress and one result each.
 *
 * @module
 */
import { basename } from "../std.ts";
import type { Option, Run } from "./run.ts";
import { replaceControlCharacters } from "./output.ts";
import { TransferProgress } from "./transfer_progress.ts";
import { type GraphError, isGraphError, usageError } from "../errors.ts";
import { readAhead, runPool, type TransferJob } from "../transfer/jobs.ts";
import { formatSize } from "../format.ts";
import type { TransferResult } from "../transfer/result.ts";

/** The most transfers at a time; more would only make the service slow down. */
const MAX_JOBS = 16;
/** So many files are listed before it is their turn, so that totals are known early. */
const READ_AHEAD = 10_000;

/** The option for how many transfers go on at a time. */
export function jobsOption(preset: number): Option {
  return { name: "jobs", value: "N", help: `so many files at a time, 1 to ${MAX_JOBS} (default ${preset})` };
}

/** What a command does with its transfers. */
export interface TransferAllOptions {
  /** Concurrency unless `--jobs` is given. */
  jobs: number;
  print?: (result: TransferResult) => void;
  /** Content goes to standard output, where progress would be in its way on a terminal. */
  toStandardOutput?: boolean;
}

/** Does all transfers; a failure of one is reported, and the others are done all the same. */
export async function transferAll(
  run: Run,
  jobs: AsyncIterable<TransferJob> | Iterable<TransferJob>,
  options: TransferAllOptions,
): Promise<void> {
  const { print = (result) => run.output.result(result, describe(result)) } = options;
  const concurrency = run.number("jobs", 1, MAX_JOBS) ?? options.jobs;
  const progress = new TransferProgress();
  const inTheWay = options.toStandardOutput && run.host.stdout.isTerminal();
  const line = inTheWay ? undefined : run.output.progress();
  const draw = () =>
    line?.update(() => {
      const state = progress.state();
      return { ...state, label: replaceControlCharacters(state.label) };
    });
  const listed = readAhead(jobs, READ_AHEAD, (job) => job ? progress.add(job) : progress.complete());
  const interrupted: GraphError[] = [];
  try {
    await runPool(listed, concurrency, (job) =>
      run.attempt(async () => {
        try {
          const result = await job.run((done, total) => {
            progress.update(job, done, total);
            draw();
          });
          progress.end(job, result);
          if (result) print(result);
          if (progress.isWorthSummary) draw();
        } catch (error) {
          const isInterrupted = isGraphError(error) && error.kind === "interrupted";
          if (!isInterrupted) progress.fail(job);
          const failure = named(error, job);
          // An interruption that has more to say than that: how much of this one is there.
          if (isInterrupted && error !== run.signal.reason) {
            interrupted.push(failure as GraphError);
          }
          throw failure;
        }
      }));
  } catch (error) {
    const last = interrupted.pop();
    for (const other of interrupted) run.output.error(other);
    throw last ?? error;
  } finally {
    line?.clear();
    if (progress.isWorthSummary && !run.has("dry-run")) {
      run.atEnd(() => run.output.summary(progress.summary()));
    }
  }
}

/** An error that says of which transfer it is: those of the network do not know. A missing sign-in concerns them all. */
function named(error: unknown, { name }: TransferJob): unknown {
  const isPlain = !isGraphError(error) || error.kind === "signInNeeded" ||
    error.kind === "interrupted" && error.cause === undefined;
  if (isPlain || error.message.includes(basename(name))) return error;
  return error.withMessage(`${name}: ${error.message}`);
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

/**
 * Checks the destination of an upload: `put *.md` with two matches must not take the second file for it.
 *
 * @throws {GraphError} `usage`.
 */
export async function checkDestination(
  program: string,
  inputs: readonly string[],
  target: string,
): Promise<void> {
  if (target === "-") {
    throw usageError(
      `LOCATION is missing: ${program} does not write to standard output`,
      `see ${program} --help`,
    );
  }
  if (!await isBareLocalFile(target)) return;
  throw usageError(
    `${target} is also a local file: is it one more file to upload, or the name to upload to?`,
    `write put ${[...inputs, target].join(" ")} FOLDER/ to upload it too, or /${target} for the name`,
    "ambiguousDestination",
  );
}

/** Whether an argument is a plain name, without folders or a scheme, of a local file. */
export async function isBareLocalFile(text: string): Promise<boolean> {
  if (text === "" || text === "-" || /[:/\\]/.test(text)) return false;
  try {
    return (await Deno.stat(text)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
