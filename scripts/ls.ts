#!/usr/bin/env -S deno run -q --no-prompt --cached-only -P=ls "-R=${HOME}/.config/graph-scripts,${HOME}/.local/state/graph-scripts" "-W=${HOME}/.local/state/graph-scripts"
/**
 * Lists folders of OneDrive, SharePoint and Teams; finds sites and drives.
 *
 * Permissions on Microsoft Graph: `Files.Read` for your own OneDrive, otherwise `Files.Read.All` and `Sites.Read.All`.
 *
 * @module
 */
import type { OptionDefinitions } from "../lib/cli/args.ts";
import { Listing } from "../lib/cli/list_command.ts";
import { replaceControlCharacters } from "../lib/cli/output.ts";
import { type Command, type Run, runCommand } from "../lib/cli/run.ts";
import { type Column, tableLines } from "../lib/cli/table.ts";
import { usageError } from "../lib/errors.ts";

const OPTIONS = {
  long: { type: "switch", short: "l", help: "show type, size, last change, author, and totals" },
  human: { type: "switch", short: "H", help: "the same, with sizes such as 1.5 MiB" },
  recursive: { type: "switch", short: "R", help: "include the contents of folders" },
  sort: {
    type: "choice",
    choices: ["name", "size", "time"],
    placeholder: "KEY",
    help: "largest or newest first",
  },
  type: {
    type: "choice",
    choices: ["file", "folder", "package", "link"],
    placeholder: "TYPE",
    help: "only these",
  },
  sites: { type: "text", placeholder: "[TEXT]", help: "list sites that match TEXT, or all" },
  drives: { type: "switch", help: "list the libraries of the default site, or your drives" },
  teams: { type: "switch", help: "list your teams" },
} as const satisfies OptionDefinitions;

const FIELDS = [
  ...["path", "name", "type", "size", "modified", "id", "driveId", "eTag", "hash", "webUrl"],
  ...["driveType", "description"],
];

export const ls: Command<typeof OPTIONS> = {
  name: "ls",
  summary: "List folders of OneDrive, SharePoint and Teams.",
  forms: ["[LOCATION…]", "--sites [TEXT] | --drives | --teams"],
  arguments: { min: 0, max: Infinity, names: "LOCATION" },
  options: OPTIONS,
  fields: FIELDS,
  examples: ["-l General", "-R me:Documents", "--sites Test"],
  lists: true,
  run,
};

async function run(run: Run<typeof OPTIONS>): Promise<void> {
  const { sites, drives, teams, human, recursive } = run.options;
  const tables = [sites !== undefined && "--sites", drives && "--drives", teams && "--teams"].filter(Boolean);
  if (tables.length > 0) {
    if (tables.length > 1) throw usageError(`${tables.join(" and ")} cannot be combined`);
    if (run.args.length > 0) throw usageError(`${tables[0]} takes no LOCATION: ${run.args[0]}`);
    return await listTable(run);
  }
  const locations = await run.locations(run.args.length > 0 ? run.args : [""]);
  const connection = await run.connect("read");
  const options = {
    ...run.options,
    long: run.options.long || human,
    showPath: recursive || locations.length > 1,
  };
  const listing = new Listing(options, run.output, run.host);
  for (const location of locations) await run.attempt(() => listing.add(connection, location));
  listing.end();
}

const NAMED: readonly Column[] = [{ mayShrink: true }, {}];
const DESCRIBED: readonly Column[] = [{}, { mayShrink: true }];

/** Lists sites, drives or teams: name, URL or description, and with `--long` the id between them. */
async function listTable(run: Run<typeof OPTIONS>): Promise<void> {
  const { sites, teams, long } = run.options;
  const { drives } = await run.connect("read");
  const width = run.host.stdout.isTerminal() ? run.host.columns() : undefined;
  const [first, last] = teams ? DESCRIBED : NAMED;
  const print = (found: readonly Named[]) => {
    const rows = found.map(({ name, id, webUrl, description }) =>
      [name, ...(long ? [id] : []), webUrl ?? description ?? ""].map(replaceControlCharacters)
    );
    run.output.results(found, tableLines(rows, long ? [first!, {}, last!] : [first!, last!], width));
  };
  if (sites === undefined) return print(teams ? await drives.teams() : await drives.all());
  if (width !== undefined) return print(await Array.fromAsync(drives.searchSites(sites)));
  for await (const site of drives.searchSites(sites)) print([site]);
}

interface Named {
  name: string;
  id: string;
  webUrl?: string;
  description?: string;
}

if (import.meta.main) Deno.exit(await runCommand(ls, Deno.args));
