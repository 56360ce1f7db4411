#!/usr/bin/env -S deno run -q --no-prompt --cached-only --frozen -P=ls "-R=${HOME}/.config/graph-scripts,${HOME}/.local/state/graph-scripts" "-W=${HOME}/.local/state/graph-scripts"
/**
 * Lists folders of OneDrive, SharePoint and Teams; finds sites and drives.
 *
 * Permissions on Microsoft Graph: `Files.Read` for your own OneDrive, otherwise `Files.Read.All` and `Sites.Read.All`.
 *
 * @module
 */
import type { OptionDefinitions } from "../lib/cli/args.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { type Item, listItems } from "../lib/drive/items.ts";
import { usageError } from "../lib/errors.ts";

const OPTIONS = {
  long: { type: "switch", short: "l", help: "show type, size in bytes and last change" },
  recursive: { type: "switch", short: "R", help: "include the contents of folders" },
  include: { type: "texts", placeholder: "GLOB", help: "only files that match; repeatable" },
  exclude: { type: "texts", placeholder: "GLOB", help: "no files that match, as old/**" },
  sites: { type: "text", placeholder: "[TEXT]", help: "list sites that match TEXT, or all" },
  drives: { type: "switch", help: "list the libraries of the default site, or your drives" },
} as const satisfies OptionDefinitions;

export const ls: Command<typeof OPTIONS> = {
  name: "ls",
  summary: "List folders of OneDrive, SharePoint and Teams.",
  forms: ["[LOCATION…]", "--sites [TEXT]", "--drives"],
  arguments: { min: 0, max: Infinity, names: "LOCATION" },
  options: OPTIONS,
  examples: ["-l General", "-R me:Documents", "--sites Test"],
  lists: true,
  run,
};

async function run(run: Run<typeof OPTIONS>): Promise<void> {
  const { sites, drives, long, recursive, include, exclude } = run.options;
  if (sites !== undefined || drives) {
    if (run.args.length > 0) throw usageError(`--sites and --drives take no LOCATION: ${run.args[0]}`);
    return sites === undefined ? await listDrives(run) : await listSites(run, sites);
  }
  const locations = await run.locations(run.args.length > 0 ? run.args : [""]);
  const connection = await run.connect("read");
  const showPath = recursive || locations.length > 1 || locations[0]!.pattern !== undefined;
  for (const location of locations) {
    await run.attempt(async () => {
      for await (const item of listItems(connection, location, { recursive, include, exclude })) {
        run.output.result(item, describe(item, { showPath, long }));
      }
    });
  }
}

function describe(item: Item, { showPath, long }: { showPath: boolean; long: boolean }): string {
  const name = (showPath ? item.path : item.name) + (item.type === "folder" ? "/" : "");
  if (!long) return name;
  const modified = item.modified?.replace("T", " ").replace("Z", "") ?? "-";
  return `${item.type.padEnd(7)} ${String(item.size).padStart(12)}  ${modified.padEnd(19)}  ${name}`;
}

async function listSites(run: Run, text: string): Promise<void> {
  const { drives } = await run.connect("read");
  for await (const site of drives.searchSites(text)) run.output.result(site, `${site.name}  ${site.webUrl}`);
}

async function listDrives(run: Run): Promise<void> {
  const { drives } = await run.connect("read");
  for (const drive of await drives.all()) {
    run.output.result(drive, `${drive.name}  ${drive.id}  ${drive.webUrl}`);
  }
}

if (import.meta.main) Deno.exit(await runCommand(ls, Deno.args));
