#!/usr/bin/env -S deno run -q -P=put-large
/**
 * Uploads a large file to OneDrive, SharePoint or Teams through a resumable upload session.
 *
 * Permissions on Microsoft Graph: `Files.ReadWrite` for the own OneDrive, otherwise `Files.ReadWrite.All` and
 * `Sites.Read.All`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli.ts";
import { parseSize } from "../lib/sizes.ts";
import { CONFLICTS, uploadEach } from "../lib/upload_command.ts";
import { uploadLargeFile } from "../lib/upload.ts";
import { checkFragmentBytes, DEFAULT_FRAGMENT_BYTES } from "../lib/fragments.ts";

/** The definition of `put-large`. */
export const putLarge: Command = {
  name: "put-large",
  summary: "Uploads a file of any size through a resumable upload session.",
  forms: ["FILE LOCATION"],
  arguments: { least: 2, most: 2, names: "FILE and LOCATION" },
  options: [
    CONFLICTS,
    { name: "fragment-size", value: "SIZE", help: "a multiple of 320KiB below 60MiB (default 10MiB)" },
    { name: "no-resume", help: "start from the first byte, whatever an earlier run has sent" },
    { name: "description", value: "TEXT", help: "description of the item; personal OneDrive only" },
  ],
  locations: true,
  run,
};

async function run(run: Run): Promise<void> {
  const size = run.value("fragment-size");
  const fragmentBytes = size === undefined ? DEFAULT_FRAGMENT_BYTES : parseSize(size);
  checkFragmentBytes(fragmentBytes);
  const description = run.value("description");
  const resume = !run.has("no-resume");
  const [file, target] = run.args;
  await uploadEach(
    run,
    [file!],
    target!,
    (connection, file, location, options) =>
      uploadLargeFile(connection, file, location, {
        ...options,
        fragmentBytes,
        resume,
        ...(description === undefined ? {} : { description }),
      }),
  );
}

if (import.meta.main) Deno.exit(await runCommand(putLarge, Deno.args));
