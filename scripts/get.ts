#!/usr/bin/env -S deno run -q -P=get
/**
 * Downloads files of OneDrive, SharePoint and Teams.
 *
 * Permissions on Microsoft Graph: `Files.Read` for the own OneDrive, otherwise `Files.Read.All` and `Sites.Read.All`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli.ts";
import { checkConnections, downloadFile, MOST_CONNECTIONS } from "../lib/download.ts";
import { usageError } from "../lib/errors.ts";
import { formatSize } from "../lib/sizes.ts";
import type { TransferResult } from "../lib/transfer.ts";

/** The definition of `get`. */
export const get: Command = {
  name: "get",
  summary: "Downloads files of OneDrive, SharePoint and Teams.",
  forms: ["LOCATION [DEST]", "LOCATION… FOLDER"],
  arguments: { least: 1, most: Infinity, names: "LOCATION" },
  options: [
    {
      name: "conflict",
      value: "HOW",
      help: "if the local file exists: fail (default), replace, skip, resume",
    },
    { name: "connections", value: "N", help: "connections at once, 1 to 16 (default 4, below 64MiB 1)" },
  ],
  locations: true,
  run,
};

async function run(run: Run): Promise<void> {
  const conflict = run.choice("conflict", ["fail", "replace", "skip", "resume"]) ?? "fail";
  const connections = connectionsOf(run.value("connections"));
  const sources = run.args.length > 1 ? run.args.slice(0, -1) : run.args;
  const destination = run.args.length > 1 ? run.args.at(-1)! : ".";
  if (sources.length > 1 && !await isFolder(destination)) {
    throw usageError(
      `${destination} is not a folder`,
      "several files need an existing folder as the last argument",
      "notAFolder",
    );
  }
  const { locations, beyondOwnDrive } = await run.locations(sources);
  const connection = await run.connect("read", beyondOwnDrive);
  for (const location of locations) {
    await run.attempt(async () => {
      const progress = run.output.progress(location.text);
      try {
        const result = await downloadFile(connection, location, destination, {
          conflict,
          ...(connections === undefined ? {} : { connections }),
          ...(progress ? { onProgress: progress.update } : {}),
        });
        if (destination === "-") run.output.resultBeside(result);
        else run.output.result(result, describe(result));
      } finally {
        progress?.clear();
      }
    });
  }
}

function connectionsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const connections = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(connections)) {
    throw usageError(`--connections ${text}: not a number`, `give a number from 1 to ${MOST_CONNECTIONS}`);
  }
  checkConnections(connections);
  return connections;
}

function describe({ result, path, local, bytes, verdict }: TransferResult): string {
  if (result === "skipped") return `skipped ${path}: ${local} exists already`;
  if (result === "unchanged") return `unchanged ${path}: ${local} is the same`;
  return `downloaded ${path} to ${local} (${formatSize(bytes)}, ${verdict})`;
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
