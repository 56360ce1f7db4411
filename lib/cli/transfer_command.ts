/**
 * What `get`, `put` and `put-large` have in common: parallel transfers with progress, and one result each.
 *
 * @module
 */
import { statIfExists } from "../local/local_file.ts";
import { isGraphError, usageError } from "../errors.ts";
import type { Connection } from "../connect.ts";
import type { FilterOptions } from "../drive/pattern.ts";
import { formatSize } from "../format.ts";
import { basename } from "../std.ts";
import { JobCount, MAX_JOBS } from "../transfer/job_count.ts";
import { readAhead, runPool, type TransferJob } from "../transfer/jobs.ts";
import type { TransferResult } from "../transfer/result.ts";
import { TransferProgress } from "./progress.ts";
import type { Run } from "./run.ts";

/** How many files are listed ahead, so that totals are known early. */
const READ_AHEAD = 10_000;

export const TRANSFER_OPTIONS = {
  include: {
    type: "texts",
    placeholder: "GLOB",
    help: "with -r: only files that match; repeatable",
  },
  exclude: { type: "texts", placeholder: "GLOB", help: "with -r: no files that match, as old/**" },
  "dry-run": { type: "switch", help: "show what would be done" },
  jobs: {
    type: "number",
    min: 1,
    max: MAX_JOBS,
    defaultHelp: "8, adaptive",
    help: "files in parallel",
  },
} as const;

/** Fields of results in JSON. */
export const TRANSFER_FIELDS = [
  ...["path", "local", "bytes", "result", "verdict", "id", "driveId", "eTag", "webUrl", "quickXorHash"],
  ...["seconds", "sentBytes", "resumedFrom", "dryRun"],
];

/**
 * Runs all transfers; a failure is printed, and the others continue.
 *
 * @param options `toStandardOutput`: the content goes there, so that results are not printed as text, and a terminal shows
 *   no progress.
 */
export async function transferAll(
  run: Run,
  { graph }: Connection,
  transfers: AsyncIterable<TransferJob> | Iterable<TransferJob>,
  options: { jobs?: number | undefined; dryRun: boolean; toStandardOutput?: boolean },
): Promise<void> {
  const { jobs, dryRun, toStandardOutput = false } = options;
  const progress = new TransferProgress();
  const line = toStandardOutput && run.host.stdout.isTerminal() ? undefined : run.output.progress();
  const draw = () => line?.update(() => progress.state());
  const listed = readAhead(transfers, READ_AHEAD, (job) => job && progress.add(job));
  const transfer = async (job: TransferJob) => {
    try {
      const result = await job.run((done, total) => {
        progress.update(job, done, total);
        draw();
      });
      if (!result) return; // a folder
      progress.end(job, result);
      if (toStandardOutput) run.output.resultToStderr(result);
      else run.output.result(result, describe(result));
      if (progress.isWorthSummary) draw();
    } catch (error) {
      const failure = withJobName(error, job);
      if (!isGraphError(failure) || failure.kind !== "interrupted") progress.fail(job);
      throw failure;
    }
  };
  try {
    await runPool(listed, new JobCount(graph.http, jobs), (job) => run.attempt(() => transfer(job)));
  } finally {
    line?.clear();
    if (progress.isWorthSummary && !dryRun) run.output.summary(progress.summary());
  }
}

/** The error with the name of its transfer, where it lacks it; a missing sign-in and Ctrl+C concern all transfers. */
function withJobName(error: unknown, { name }: TransferJob): unknown {
  const concernsAll = !isGraphError(error) || error.kind === "signInNeeded" ||
    error.kind === "interrupted" && error.cause === undefined;
  if (concernsAll || error.message.includes(basename(name))) return error;
  return error.withMessage(`${name}: ${error.message}`);
}

const WOULD: Partial<Record<TransferResult["result"], string>> = {
  created: "create",
  replaced: "replace",
  renamed: "upload under another name",
  downloaded: "download",
};

export function describe({ result, path, local, bytes, verdict, dryRun }: TransferResult): string {
  const size = formatSize(bytes);
  if (dryRun && WOULD[result]) return `would ${WOULD[result]} ${path} (${size})`;
  if (result === "skipped") return `skipped ${path}: ${local} already exists`;
  const to = result === "downloaded" ? ` to ${local}` : "";
  return `${result} ${path}${to} (${size}, ${verdict})`;
}

/** @throws {GraphError} `usage` for a filter without `-r`: files that are named are transferred. */
export function checkFilter({ recursive, include, exclude }: { recursive: boolean } & FilterOptions): void {
  if (recursive || ![include, exclude].some((patterns) => patterns?.length)) return;
  throw usageError("--include and --exclude select from folders", "add -r");
}

/**
 * Checks the destination of an upload: `put *.md` with two matches must not take the second file for it.
 *
 * @throws {GraphError} `usage`.
 */
export async function checkUploadDestination(target: string): Promise<void> {
  if (target === "-") throw usageError("LOCATION is missing: uploads do not write to standard output");
  if (target === "" || /[:/\\]/.test(target) || !(await statIfExists(target))?.isFile) return;
  throw usageError(
    `${target} is also a local file: is it one more file to upload, or the name to upload to?`,
    `to upload it too, add FOLDER/ at the end; for the name, write /${target}`,
    "ambiguousDestination",
  );
}
