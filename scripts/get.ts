#!/usr/bin/env -S deno run -q -P=get
/**
 * Downloads files and folders of OneDrive, SharePoint and Teams.
 *
 * Permissions on Microsoft Graph: `Files.Read` for the own OneDrive, otherwise `Files.Read.All` and `Sites.Read.All`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { MAX_CONNECTIONS } from "../lib/download/download.ts";
import { downloadJobs } from "../lib/cli/download_command.ts";
import { usageError } from "../lib/errors.ts";
import { describe, isBareLocalFile, jobsOption, transferAll } from "../lib/cli/transfer_command.ts";

const JOBS = 8;

/** The definition of `get`. */
export const get: Command = {
  name: "get",
  summary: "Downloads files and folders of OneDrive, SharePoint and Teams.",
  forms: ["LOCATION [DEST]", "LOCATION… FOLDER", "-r LOCATION [FOLDER]", "LOCATION -"],
  arguments: { min: 1, max: Infinity, names: "LOCATION" },
  options: [
    { name: "recursive", short: "r", help: "include folders and contents; fetches only what differs" },
    { name: "conflict", value: "HOW", help: "if the file is here: fail (default), replace, skip, resume" },
    { name: "if-changed", help: "fetch nothing for a file that is here with the same content" },
    { name: "dry-run", help: "change nothing, say what would be done" },
    {
      name: "connections",
      value: "N",
      help: `for one file, 1 to ${MAX_CONNECTIONS} (default 1; 4 for a single file from 64 MiB on)`,
    },
    jobsOption(JOBS),
  ],
  locations: true,
  run,
};

async function run(run: Run): Promise<void> {
  const conflict = run.choice("conflict", ["fail", "replace", "skip", "resume"]) ?? "fail";
  const recursive = run.has("recursive");
  const [destination] = run.args.length > 1 ? run.args.slice(-1) : [];
  const sources = destination === undefined ? run.args : run.args.slice(0, -1);
  if (destination === "-" && (recursive || sources.length > 1)) {
    throw usageError("standard output takes one file", "give a folder as DEST", "standardOutput");
  }
  if (sources.length > 1 && !await isFolder(destination!)) {
    throw usageError(
      `${destination} is not a folder`,
      "several files need an existing folder as the last argument",
      "notAFolder",
    );
  }
  await checkDestination(run, sources, destination);
  const locations = await run.locations(sources);
  // Several files are several connections already.
  const connections = run.number("connections", 1, MAX_CONNECTIONS) ??
    (recursive || sources.length > 1 ? 1 : undefined);
  const options = {
    conflict,
    // The same command after an interruption does what is left: what is here already is not fetched again.
    ifChanged: run.has("if-changed") || recursive,
    dryRun: run.has("dry-run"),
    ...(connections === undefined ? {} : { connections }),
  };
  const connection = await run.connect("read", locations);
  const jobs = downloadJobs(connection, {
    locations,
    destination,
    recursive,
    options,
    write(bytes) {
      for (let at = 0; at < bytes.length;) at += run.host.stdout.writeSync(bytes.subarray(at));
      return Promise.resolve();
    },
  });
  const toStandardOutput = destination === "-";
  await transferAll(run, jobs, {
    jobs: JOBS,
    toStandardOutput,
    print(result) {
      if (toStandardOutput) run.output.resultToStderr(result);
      else run.output.result(result, describe(result));
    },
  });
}

/** `get *.md` with two matches here must not take the second file for the destination. */
async function checkDestination(run: Run, sources: readonly string[], destination: string | undefined) {
  const [source] = sources;
  if (destination === undefined || run.value("conflict") !== undefined) return;
  if (!await isBareLocalFile(destination) || !await isBareLocalFile(source!)) return;
  throw usageError(
    `${destination} is also a local file: is it one more file to download, or the name to download to?`,
    `write get ${source} ${destination} FOLDER to download it too, or ./${destination} for the name`,
    "ambiguousDestination",
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) Deno.exit(await runCommand(get, Deno.args));
