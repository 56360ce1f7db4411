#!/usr/bin/env -S deno run -q --no-prompt --cached-only --frozen -P=transfer "-R=.,${HOME}/.config/graph-scripts,${HOME}/.local/state/graph-scripts" "-W=.,${HOME}/.local/state/graph-scripts"
/**
 * Downloads files and folders from OneDrive, SharePoint and Teams.
 *
 * Permissions on Microsoft Graph: `Files.Read` for your own OneDrive, otherwise `Files.Read.All` and `Sites.Read.All`.
 *
 * @module
 */
import type { OptionDefinitions } from "../lib/cli/args.ts";
import { downloadJobs } from "../lib/cli/download_command.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { TRANSFER_OPTIONS, transferAll } from "../lib/cli/transfer_command.ts";
import { MAX_CONNECTIONS } from "../lib/download/download.ts";
import { statIfExists } from "../lib/local/local_file.ts";
import { usageError } from "../lib/errors.ts";

const OPTIONS = {
  recursive: { type: "switch", short: "r", help: "include folders; skip what is up to date" },
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
    defaultHelp: "1; 4 from 64 MiB",
    help: "connections per file",
  },
  jobs: { ...TRANSFER_OPTIONS.jobs, default: 8 },
} as const satisfies OptionDefinitions;

export const get: Command<typeof OPTIONS> = {
  name: "get",
  summary: "Download files and folders from OneDrive, SharePoint and Teams.",
  forms: ["LOCATION [DEST]", "LOCATION… FOLDER", "-r LOCATION [FOLDER]", "LOCATION -"],
  arguments: { min: 1, max: Infinity, names: "LOCATION" },
  options: OPTIONS,
  examples: ["General/Report.docx", "-r General backup", "me:Notes.txt - | less"],
  run,
};

async function run(run: Run<typeof OPTIONS>): Promise<void> {
  const { recursive, conflict, "dry-run": dryRun, jobs } = run.options;
  const sources = run.args.length > 1 ? run.args.slice(0, -1) : run.args;
  const destination = run.args.length > 1 ? run.args.at(-1) : undefined;
  const toStandardOutput = destination === "-";
  if (toStandardOutput && (recursive || sources.length > 1)) {
    throw usageError("standard output takes one file", "give a folder as DEST", "standardOutput");
  }
  if (sources.length > 1 && !(await statIfExists(destination!))?.isDirectory) {
    throw usageError(
      `${destination} is not a folder`,
      "several files need an existing folder as the last argument",
      "notAFolder",
    );
  }
  const locations = await run.locations(sources);
  // Several files use several connections already.
  const connections = run.options.connections ?? (recursive || sources.length > 1 ? 1 : undefined);
  const options = {
    conflict,
    // The same command resumes an interrupted one: files that are here are not downloaded again.
    ifChanged: run.options["if-changed"] || recursive,
    dryRun,
    ...(connections === undefined ? {} : { connections }),
  };
  const connection = await run.connect("read");
  const transfers = downloadJobs(connection, {
    locations,
    destination,
    recursive,
    options,
    stdout: run.host.stdout,
  });
  await transferAll(run, transfers, { jobs, dryRun, toStandardOutput });
}

if (import.meta.main) Deno.exit(await runCommand(get, Deno.args));
