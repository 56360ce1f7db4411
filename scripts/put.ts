#!/usr/bin/env -S deno run -q -P=put
/**
 * Uploads files to OneDrive, SharePoint and Teams; the right way follows from the size.
 *
 * Permissions on Microsoft Graph: `Files.ReadWrite` for the own OneDrive, otherwise `Files.ReadWrite.All` and
 * `Sites.Read.All`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli.ts";
import { CONFLICTS, uploadEach } from "../lib/upload_command.ts";
import { uploadFile } from "../lib/upload.ts";
import { parseLocation } from "../lib/location.ts";
import { usageError } from "../lib/errors.ts";

/** The definition of `put`. */
export const put: Command = {
  name: "put",
  summary: "Uploads files: up to 4 MiB in one request, larger ones through an upload session.",
  forms: ["FILE LOCATION", "FILE… FOLDER/"],
  arguments: { least: 2, most: Infinity, names: "FILE and LOCATION" },
  options: [CONFLICTS],
  locations: true,
  run,
};

async function run(run: Run): Promise<void> {
  const target = run.args.at(-1)!;
  const files = run.args.slice(0, -1);
  if (files.length > 1 && parseLocation(target, "any").path.length > 0 && !target.endsWith("/")) {
    throw usageError(
      `${target}: several files need a folder, with a slash at its end`,
      `write ${target}/`,
      "notAFolder",
    );
  }
  await uploadEach(run, files, target, uploadFile);
}

if (import.meta.main) Deno.exit(await runCommand(put, Deno.args));
