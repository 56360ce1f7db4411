#!/usr/bin/env -S deno run -q --no-prompt --cached-only --frozen -P=transfer "-R=.,${HOME}/.config/graph-scripts,${HOME}/.local/state/graph-scripts" "-W=.,${HOME}/.local/state/graph-scripts"
/**
 * Downloads files and folders from OneDrive, SharePoint and Teams.
 *
 * Permissions on Microsoft Graph: `Files.Read` for your own OneDrive, otherwise `Files.Read.All` and `Sites.Read.All`.
 *
 * @module
 */
import type { OptionDefinitions } from "../lib/cli/args.ts";
import { downloadJobs, listedLocations } from "../lib/cli/download_command.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { checkFilter, TRANSFER_FIELDS, TRANSFER_OPTIONS, transferAll } from "../lib/cli/transfer_command.ts";
import { MAX_CONNECTIONS } from "../lib/download/download.ts";
import { statIfExists } from "../lib/local/local_file.ts";
import { usageError } from "../lib/errors.ts";

const OPTIONS = {
  recursive: { type: "switch", short: "r", help: "include folders; skip what is up to date" },
  include: TRANSFER_OPTIONS.include,
  exclude: TRANSFER_OPTIONS.exclude,
  from: { type: "text", placeholder: "-", help: "download the items of ls --json on standard input" },
  conflict: {
    type: "choice",
    choices: ["fail", "replace", "skip", "resume"],
    default: "fail",
    help: "if it exists",
  },
  "if-changed": { type: "switch", help: "skip files that are here with the same content" },
  "dry-run": TRANSFER_OPTIONS["dry-run"],
  connections: {
    type: "number",
    min: 1,
    max: MAX_CONNECTIONS,
    defaultHelp: "up to 8",
    help: "connections per file",
  },
  jobs: TRANSFER_OPTIONS.jobs,
} as const satisfies OptionDefinitions;

export const get: Command<typeof OPTIONS> = {
  name: "get",
  summary: "Download files and folders from OneDrive, SharePoint and Teams.",
  forms: ["LOCATION [DEST]", "LOCATION… FOLDER", "-r LOCATION [FOLDER]", "--from - [FOLDER]"],
  arguments: { min: 0, max: Infinity, names: "LOCATION" },
  options: OPTIONS,
  fields: TRANSFER_FIELDS,
  examples: ["General/Report.docx", "-r General backup", "me:Notes.txt - | less"],
  run,
};

async function run(run: Run<typeof OPTIONS>): Promise<void> {
  const { recursive, include, exclude, from, conflict, "dry-run": dryRun, jobs } = run.options;
  checkFilter(run.options);
  if (from !== undefined && from !== "-") throw usageError(`--from reads standard input only: ${from}`);
  const isList = from !== undefined;
  if (isList && run.args.length > 1) throw usageError(`--from takes no LOCATION: ${run.args[0]}`);
  if (!isList && run.args.length === 0) throw usageError("missing argument: LOCATION");
  const sources = run.args.slice(0, isList ? 0 : Math.max(1, run.args.length - 1));
  const destination = run.args[sources.length];
  const locations = await run.locations(sources);
  const intoFolder = isList || locations.length > 1 || locations[0]!.pattern !== undefined;
  const toStandardOutput = destination === "-";
  if (toStandardOutput && (recursive || intoFolder)) {
    throw usageError("standard output takes one file", "give a folder as DEST", "standardOutput");
  }
  if (intoFolder && destination !== undefined && !(await statIfExists(destination))?.isDirectory) {
    throw usageError(
      `${destination} is not a folder`,
      "several files need an existing folder as the last argument",
      "notAFolder",
    );
  }
  // Several files use several connections already.
  const connections = run.options.connections ?? (recursive || intoFolder ? 1 : undefined);
  const options = {
    conflict,
    // The same command resumes an interrupted one: files that are here are not downloaded again.
    ifChanged: run.options["if-changed"] || recursive,
    dryRun,
    ...(connections === undefined ? {} : { connections }),
    include,
    exclude,
  };
  const connection = await run.connect("read");
  const transfers = downloadJobs(connection, {
    locations: isList ? listedLocations(run.host.stdin, run.signal) : locations,
    isList,
    destination,
    intoFolder,
    recursive,
    options,
    stdout: run.host.stdout,
  });
  await transferAll(run, connection, transfers, { jobs, dryRun, toStandardOutput });
}

if (import.meta.main) Deno.exit(await runCommand(get, Deno.args));
