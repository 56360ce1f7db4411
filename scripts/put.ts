#!/usr/bin/env -S deno run -q -P=put
/**
 * Uploads files and folders to OneDrive, SharePoint and Teams; the right way follows from the size.
 *
 * Permissions on Microsoft Graph: `Files.ReadWrite` for the own OneDrive, otherwise `Files.ReadWrite.All` and
 * `Sites.Read.All`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { usageError } from "../lib/errors.ts";
import { uploadJobs } from "../lib/cli/upload_command.ts";
import { checkDestination, jobsOption, transferAll } from "../lib/cli/transfer_command.ts";
import { parseLocation } from "../lib/drive/location.ts";

const JOBS = 4;

/** The definition of `put`. */
export const put: Command = {
  name: "put",
  summary: "Uploads files: up to 4 MiB in one request, larger ones through an upload session.",
  forms: ["FILE LOCATION", "FILE… FOLDER/", "-r FOLDER LOCATION", "- LOCATION"],
  arguments: { min: 2, max: Infinity, names: "FILE and LOCATION" },
  options: [
    { name: "recursive", short: "r", help: "include folders and contents; sends only what differs" },
    { name: "conflict", value: "HOW", help: "if the name is taken: replace (default), fail, rename" },
    { name: "if-changed", help: "send nothing for a file that is there with the same content" },
    { name: "times", help: "keep the time of the last change of small files, too" },
    { name: "dry-run", help: "change nothing, say what would be done" },
    jobsOption(JOBS),
  ],
  locations: true,
  run,
};

async function run(run: Run): Promise<void> {
  const conflict = run.choice("conflict", ["fail", "replace", "rename"]) ?? "replace";
  const recursive = run.has("recursive");
  // The same command after an interruption does what is left: what is there already is not sent again.
  const ifChanged = run.has("if-changed") || recursive;
  const target = run.args.at(-1)!;
  const inputs = run.args.slice(0, -1);
  await checkDestination("put", inputs, target);
  if (inputs.length > 1 && parseLocation(target, "any").path.length > 0 && !target.endsWith("/")) {
    throw usageError(
      `${target}: several files need a folder, with a slash at its end`,
      `write ${target}/`,
      "notAFolder",
    );
  }
  const [location] = await run.locations([target]);
  // Several files need a folder, also where an id does not tell whether it is one.
  const place = inputs.length > 1 ? { ...location!, folder: true } : location!;
  const jobs = await uploadJobs(inputs, place, recursive, run.signal, () => run.host.stdin, {
    conflict,
    ifChanged,
    times: run.has("times"),
    dryRun: run.has("dry-run"),
  });
  const connection = await run.connect("write", [place]);
  await transferAll(run, jobs(connection), { jobs: JOBS });
}

if (import.meta.main) Deno.exit(await runCommand(put, Deno.args));
