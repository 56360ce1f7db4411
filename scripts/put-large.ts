#!/usr/bin/env -S deno run -q -P=put-large
/**
 * Uploads a large file to OneDrive, SharePoint or Teams through a resumable upload session.
 *
 * Permissions on Microsoft Graph: `Files.ReadWrite` for the own OneDrive, otherwise `Files.ReadWrite.All` and
 * `Sites.Read.All`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { usageError } from "../lib/errors.ts";
import { checkFragmentBytes, DEFAULT_FRAGMENT_BYTES } from "../lib/upload/protocol.ts";
import { formatSize, parseSize } from "../lib/format.ts";
import { checkDestination, transferAll } from "../lib/cli/transfer_command.ts";
import { type UnfinishedUploadInfo, UploadJournal } from "../lib/upload/journal.ts";
import { uploadLargeFile } from "../lib/upload/upload.ts";

/** The definition of `put-large`. */
export const putLarge: Command = {
  name: "put-large",
  summary: "Uploads a file of any size through a resumable upload session.",
  forms: ["FILE LOCATION", "--list", "--abandon UPLOAD"],
  arguments: { min: 0, max: 2, names: "FILE and LOCATION" },
  options: [
    { name: "conflict", value: "HOW", help: "if the name is taken: replace (default), fail, rename" },
    { name: "fragment-size", value: "SIZE", help: "a multiple of 320KiB below 60MiB (default 10MiB)" },
    { name: "no-resume", help: "start from the first byte, whatever an earlier run has sent" },
    { name: "if-changed", help: "send nothing if the file is there with the same content" },
    { name: "dry-run", help: "change nothing, say what would be done" },
    { name: "description", value: "TEXT", help: "description of the item; personal OneDrive only" },
    { name: "list", help: "the unfinished uploads of this machine" },
    { name: "abandon", value: "UPLOAD", help: "give an unfinished one up, by its id, file or remote path" },
  ],
  locations: true,
  run,
};

async function run(run: Run): Promise<void> {
  const abandon = run.value("abandon");
  if (run.has("list") || abandon !== undefined) {
    if (run.args.length > 0) {
      throw usageError(`--list and --abandon take no FILE: ${run.args[0]}`, "see put-large --help");
    }
    return abandon === undefined ? await list(run) : await giveUp(run, abandon);
  }
  if (run.args.length < 2) throw usageError("missing argument: FILE and LOCATION", "see put-large --help");
  await upload(run);
}

async function upload(run: Run): Promise<void> {
  const size = run.value("fragment-size");
  const fragmentBytes = size === undefined ? DEFAULT_FRAGMENT_BYTES : parseSize(size, "--fragment-size ");
  checkFragmentBytes(fragmentBytes, size);
  const description = run.value("description");
  const options = {
    conflict: run.choice("conflict", ["fail", "replace", "rename"]) ?? "replace",
    fragmentBytes,
    resume: !run.has("no-resume"),
    ifChanged: run.has("if-changed"),
    dryRun: run.has("dry-run"),
    ...(description === undefined ? {} : { description }),
  };
  const [file, target] = run.args as [string, string];
  await checkDestination("put-large", [file], target);
  if (file === "-") {
    throw usageError(
      "put-large needs a file that it can read again",
      "use put for standard input",
      "standardInput",
    );
  }
  const [location] = await run.locations([target]);
  const connection = await run.connect("write", [location!]);
  const job = {
    name: file,
    run: (onProgress: (done: number, total: number | undefined) => void) =>
      uploadLargeFile(connection, file, location!, { ...options, onProgress }),
  };
  await transferAll(run, [job], { jobs: 1 });
}

async function list(run: Run): Promise<void> {
  let none = true;
  for await (const upload of new UploadJournal(await run.connect("write")).list()) {
    none = false;
    run.output.result(upload, describe(upload));
  }
  if (none) run.output.notice("no upload is unfinished");
}

function describe({ id, path, local, size, doneBytes, created }: UnfinishedUploadInfo): string {
  const done = doneBytes === undefined
    ? formatSize(size)
    : doneBytes === null
    ? "its session has ended"
    : `${Math.floor(doneBytes / size * 100)} % of ${formatSize(size)}`;
  return `${id}  ${path}  from ${local}  ${done}  since ${created}`;
}

async function giveUp(run: Run, which: string): Promise<void> {
  const { local, path } = await new UploadJournal(await run.connect("write")).cancel(which);
  run.output.result({ path, local, result: "abandoned" }, `gave up the upload of ${local} to ${path}`);
}

if (import.meta.main) Deno.exit(await runCommand(putLarge, Deno.args));
