#!/usr/bin/env -S deno run -q --no-prompt --cached-only --frozen -P=transfer -R "-W=${HOME}/.local/state/graph-scripts"
/**
 * Uploads a large file to OneDrive, SharePoint or Teams through a resumable upload session.
 *
 * Permissions on Microsoft Graph: `Files.ReadWrite` for your own OneDrive, otherwise `Files.ReadWrite.All` and
 * `Sites.Read.All`.
 *
 * @module
 */
import type { OptionDefinitions } from "../lib/cli/args.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import {
  checkUploadDestination,
  TRANSFER_FIELDS,
  TRANSFER_OPTIONS,
  transferAll,
} from "../lib/cli/transfer_command.ts";
import { usageError } from "../lib/errors.ts";
import { formatSize } from "../lib/format.ts";
import type { OnProgress } from "../lib/transfer/result.ts";
import { checkFragmentBytes } from "../lib/upload/protocol.ts";
import {
  cancelUnfinishedUpload,
  listUnfinishedUploads,
  type UnfinishedUploadInfo,
} from "../lib/upload/journal.ts";
import { uploadFile } from "../lib/upload/upload.ts";

const OPTIONS = {
  conflict: {
    type: "choice",
    choices: ["fail", "replace", "rename"],
    default: "replace",
    help: "if it exists",
  },
  "fragment-size": {
    type: "size",
    check: checkFragmentBytes,
    defaultHelp: "10 to 30MiB",
    help: "multiple of 320KiB below 60MiB",
  },
  "no-resume": { type: "switch", help: "start over, ignoring an unfinished upload" },
  "if-changed": { type: "switch", help: "skip a file that is there with the same content" },
  "dry-run": TRANSFER_OPTIONS["dry-run"],
  description: { type: "text", placeholder: "TEXT", help: "describe the item; personal OneDrive only" },
  list: { type: "switch", help: "list unfinished uploads of this machine" },
  abandon: { type: "text", placeholder: "ID", help: "cancel one, by its id" },
} as const satisfies OptionDefinitions;

export const putLarge: Command<typeof OPTIONS> = {
  name: "put-large",
  summary: "Upload a file of any size through a resumable upload session.",
  forms: ["FILE LOCATION", "--list", "--abandon ID"],
  arguments: { min: 0, max: 2, names: "FILE and LOCATION" },
  options: OPTIONS,
  fields: [...TRANSFER_FIELDS, "size", "doneBytes", "account", "created"],
  examples: ["disk.img me:Backups/", "--fragment-size 50MiB movie.mp4 General/"],
  run,
};

async function run(run: Run<typeof OPTIONS>): Promise<void> {
  const { list, abandon } = run.options;
  const [file, target] = run.args;
  if (list || abandon !== undefined) {
    if (file !== undefined) throw usageError(`--list and --abandon take no FILE: ${file}`);
    return abandon === undefined ? await listUnfinished(run) : await cancel(run, abandon);
  }
  if (file === undefined || target === undefined) throw usageError("missing argument: FILE and LOCATION");
  await upload(run, file, target);
}

async function upload(run: Run<typeof OPTIONS>, file: string, target: string): Promise<void> {
  const { conflict, description, "fragment-size": fragmentBytes, "dry-run": dryRun } = run.options;
  const options = {
    session: true,
    conflict,
    fragmentBytes,
    resume: !run.options["no-resume"],
    ifChanged: run.options["if-changed"],
    dryRun,
    ...(description === undefined ? {} : { description }),
  };
  await checkUploadDestination(target);
  if (file === "-") {
    throw usageError("an upload session needs a file that can be read again", undefined, "standardInput");
  }
  const [location] = await run.locations([target]);
  const connection = await run.connect("write");
  const job = {
    name: file,
    run: (onProgress: OnProgress) => uploadFile(connection, file, location!, { ...options, onProgress }),
  };
  await transferAll(run, connection, [job], { dryRun });
}

async function listUnfinished(run: Run): Promise<void> {
  let count = 0;
  for await (const upload of listUnfinishedUploads(await run.connect("write"))) {
    count++;
    run.output.result(upload, describe(upload));
  }
  if (count === 0) run.output.notice("no unfinished uploads");
}

function describe({ id, path, local, size, doneBytes, created }: UnfinishedUploadInfo): string {
  const done = doneBytes === null
    ? `${formatSize(size)}, its session has ended`
    : `${Math.floor(doneBytes / size * 100)} % of ${formatSize(size)}`;
  return `${id}  ${path}  from ${local}  ${done}  since ${created}`;
}

async function cancel(run: Run, id: string): Promise<void> {
  const { local, path } = await cancelUnfinishedUpload(await run.connect("write"), id);
  run.output.result({ path, local, result: "abandoned" }, `canceled the upload of ${local} to ${path}`);
}

if (import.meta.main) Deno.exit(await runCommand(putLarge, Deno.args));
