#!/usr/bin/env -S deno run -q --no-prompt --cached-only --frozen -P=transfer -R "-W=${HOME}/.local/state/graph-scripts"
/**
 * Uploads files and folders to OneDrive, SharePoint and Teams: small files in one request, large ones in an upload session.
 *
 * Permissions on Microsoft Graph: `Files.ReadWrite` for your own OneDrive, otherwise `Files.ReadWrite.All` and
 * `Sites.Read.All`.
 *
 * @module
 */
import type { OptionDefinitions } from "../lib/cli/args.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import {
  checkFilter,
  checkUploadDestination,
  TRANSFER_FIELDS,
  TRANSFER_OPTIONS,
  transferAll,
} from "../lib/cli/transfer_command.ts";
import { readUploadInputs, uploadJobs } from "../lib/cli/upload_command.ts";
import { usageError } from "../lib/errors.ts";

const OPTIONS = {
  recursive: { type: "switch", short: "r", help: "include folders; skip what is up to date" },
  conflict: {
    type: "choice",
    choices: ["fail", "replace", "rename"],
    default: "replace",
    help: "if it exists",
  },
  "if-changed": { type: "switch", help: "skip files that are there with the same content" },
  parents: { type: "switch", help: "make missing folders of LOCATION" },
  include: TRANSFER_OPTIONS.include,
  exclude: TRANSFER_OPTIONS.exclude,
  times: { type: "switch", help: "keep the modification time of small files too" },
  "dry-run": TRANSFER_OPTIONS["dry-run"],
  jobs: TRANSFER_OPTIONS.jobs,
} as const satisfies OptionDefinitions;

export const put: Command<typeof OPTIONS> = {
  name: "put",
  summary: "Upload files and folders to OneDrive, SharePoint and Teams.",
  forms: ["FILE LOCATION", "FILE… FOLDER/", "-r FOLDER LOCATION", "- LOCATION"],
  arguments: { min: 2, max: Infinity, names: "FILE and LOCATION" },
  options: OPTIONS,
  fields: TRANSFER_FIELDS,
  examples: ["Report.docx General/", "-r photos me:Pictures/photos", "- me:Notes.txt < notes"],
  run,
};

async function run(run: Run<typeof OPTIONS>): Promise<void> {
  const { recursive, parents, include, exclude, conflict, times, "dry-run": dryRun, jobs } = run.options;
  checkFilter(run.options);
  // The same command resumes an interrupted one: files that are there are not sent again.
  const ifChanged = run.options["if-changed"] || recursive;
  const target = run.args.at(-1)!;
  const paths = run.args.slice(0, -1);
  await checkUploadDestination(target);
  const [location] = await run.locations([target]);
  if (parents && paths.length > 1 && location!.path.length > 0 && !location!.folder) {
    throw usageError(
      `${target}: a folder to make for several files needs a slash at its end`,
      `write ${target}/`,
      "notAFolder",
    );
  }
  const request = {
    paths,
    // Several files go into an existing folder only.
    location: paths.length > 1 ? { ...location!, folder: true } : location!,
    recursive,
    parents,
    filter: { include, exclude },
    options: { conflict, ifChanged, times, dryRun },
  };
  const inputs = await readUploadInputs(request, run.signal);
  const connection = await run.connect("write");
  const transfers = uploadJobs(connection, inputs, request, () => run.host.stdin);
  await transferAll(run, connection, transfers, { jobs, dryRun });
}

if (import.meta.main) Deno.exit(await runCommand(put, Deno.args));
