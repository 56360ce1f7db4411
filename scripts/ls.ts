#!/usr/bin/env -S deno run -q -P=ls
/**
 * Lists folders of OneDrive, SharePoint and Teams; finds sites and drives.
 *
 * Permissions on Microsoft Graph: `Files.Read` for the own OneDrive, otherwise `Files.Read.All` and `Sites.Read.All`.
 *
 * @module
 */
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import type { Connection } from "../lib/connect.ts";
import { usageError } from "../lib/errors.ts";
import { type Item, listItems } from "../lib/drive/items.ts";
import type { Location } from "../lib/drive/location.ts";

/** The definition of `ls`. */
export const ls: Command = {
  name: "ls",
  summary: "Lists folders of OneDrive, SharePoint and Teams.",
  forms: ["[LOCATION…]", "--sites [TEXT]", "--drives"],
  arguments: { min: 0, max: Infinity, names: "LOCATION" },
  options: [
    { name: "long", short: "l", help: "type, size in bytes, time of the last change, name" },
    { name: "recursive", short: "R", help: "also what is below" },
    { name: "sites", value: "[TEXT]", help: "sites that the search index finds" },
    { name: "drives", help: "libraries of the default site, or your drives" },
  ],
  locations: true,
  lists: true,
  run,
};

async function run(run: Run): Promise<void> {
  const sites = run.value("sites");
  if (sites !== undefined || run.has("drives")) {
    if (run.args.length > 0) {
      throw usageError(`--sites and --drives take no LOCATION: ${run.args[0]}`, "see ls --help");
    }
    const connection = await run.connect("read");
    return sites === undefined ? await listDrives(run, connection) : await listSites(run, connection, sites);
  }
  const locations = await run.locations(run.args.length > 0 ? run.args : [""]);
  const connection = await run.connect("read", locations);
  for (const location of locations) {
    await run.attempt(() => list(run, connection, location, locations.length > 1));
  }
}

async function list(run: Run, connection: Connection, location: Location, several: boolean): Promise<void> {
  const recursive = run.has("recursive");
  for await (const item of listItems(connection, location, { recursive })) {
    run.output.result(item, text(item, recursive || several, run.has("long")));
  }
}

function text(item: Item, whole: boolean, long: boolean): string {
  const name = (whole ? item.path : item.name) + (item.type === "folder" ? "/" : "");
  if (!long) return name;
  const modified = item.modified?.replace("T", " ").replace("Z", "") ?? "-";
  return `${item.type.padEnd(7)} ${String(item.size).padStart(12)}  ${modified.padEnd(19)}  ${name}`;
}

async function listSites(run: Run, { drives }: Connection, search: string): Promise<void> {
  for await (const site of drives.sites.search(search)) {
    run.output.result(site, `${site.name}  ${site.webUrl}`);
  }
}

async function listDrives(run: Run, { drives }: Connection): Promise<void> {
  for (const drive of await drives.all()) {
    run.output.result(drive, `${drive.name}  ${drive.id}  ${drive.webUrl}`);
  }
}

if (import.meta.main) Deno.exit(await runCommand(ls, Deno.args));
