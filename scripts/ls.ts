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
import { type Column, columnLines, tableLines } from "../lib/cli/table.ts";
import type { DriveItem } from "../lib/drive/drive_item.ts";
import type { Item, ItemContext, ResolvedItem } from "../lib/drive/items.ts";
import { listTarget, openTarget } from "../lib/drive/listing.ts";
import type { Location } from "../lib/drive/location.ts";
import { usageError } from "../lib/errors.ts";
import { formatSize } from "../lib/format.ts";

const OPTIONS = {
  long: { type: "switch", short: "l", help: "show type, size, last change, author, and totals" },
  human: { type: "switch", short: "H", help: "the same, with sizes such as 1.5 MiB" },
  recursive: { type: "switch", short: "R", help: "include the contents of folders" },
  sort: {
    type: "choice",
    choices: ["name", "size", "time"],
    placeholder: "KEY",
    help: "order, largest or newest first",
  },
  type: {
    type: "choice",
    choices: ["file", "folder", "package", "link"],
    placeholder: "TYPE",
    help: "only these",
  },
  include: { type: "texts", placeholder: "GLOB", help: "only files that match; repeatable" },
  exclude: { type: "texts", placeholder: "GLOB", help: "no files that match, as old/**" },
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
  const { sites, drives, teams, human } = run.options;
  const tables = [sites !== undefined && "--sites", drives && "--drives", teams && "--teams"].filter(Boolean);
  if (tables.length > 0) {
    if (tables.length > 1) throw usageError(`${tables.join(" and ")} cannot be combined`);
    if (run.args.length > 0) throw usageError(`${tables[0]} takes no LOCATION: ${run.args[0]}`);
    return await listTable(run);
  }
  const locations = await run.locations(run.args.length > 0 ? run.args : [""]);
  const connection = await run.connect("read");
  const long = run.options.long || human;
  await listLocations(run, connection, locations, { ...run.options, long });
}

interface ListOptions {
  /** Print rows and totals. */
  long: boolean;
  /** Sizes such as 1.5 MiB. */
  human: boolean;
  recursive: boolean;
  sort: SortKey | undefined;
  type: Item["type"] | undefined;
  include: readonly string[];
  exclude: readonly string[];
}

type SortKey = "name" | "size" | "time";

/** A listed item, and how it is called: by name, or by a location. */
interface Entry extends ResolvedItem {
  label: string;
}

const LONG_COLUMNS: readonly Column[] = [
  { width: 7 },
  { width: 12, alignRight: true },
  { width: 19 },
  { width: 20, mayShrink: true },
  {},
];

const ORDERS: Readonly<Record<SortKey, () => (a: Entry, b: Entry) => number>> = {
  name: () => {
    const { compare } = new Intl.Collator("en");
    return (a, b) => compare(a.label, b.label);
  },
  size: () => (a, b) => b.item.size - a.item.size,
  time: () => ({ item: { modified: a } }, { item: { modified: b } }) =>
    Date.parse(b ?? "1970-01-01") - Date.parse(a ?? "1970-01-01"),
};

/**
 * Prints the items of locations: one by one in a pipe, and folder by folder on a terminal, where all rows decide the width of
 * columns. A sorted location is printed as a whole.
 */
async function listLocations(
  run: Pick<Run, "attempt" | "host" | "output">,
  context: ItemContext,
  locations: readonly Location[],
  options: ListOptions,
): Promise<void> {
  const { host, output } = run;
  const { long, sort } = options;
  const terminalWidth = host.stdout.isTerminal() ? host.columns() : undefined;
  const isStream = terminalWidth === undefined || output.options.json;
  const showPath = options.recursive || locations.length > 1 || locations[0]!.pattern !== undefined;
  const sizeOf = options.human ? formatSize : String;
  const counts: Record<Item["type"], number> = { file: 0, folder: 0, package: 0, link: 0 };
  let fileBytes = 0;

  function print(entries: readonly Entry[]): void {
    for (const { item: { type, size } } of entries) {
      counts[type]++;
      if (type === "file") fileBytes += size;
    }
    const labels = entries.map(({ label }) => label);
    const lines = long
      ? tableLines(entries.map((entry) => toRow(entry, sizeOf)), LONG_COLUMNS, terminalWidth)
      : isStream || showPath
      ? labels
      : columnLines(labels, terminalWidth);
    output.results(entries.map(({ item }) => item), lines);
  }

  for (const location of locations) {
    await run.attempt(async () => {
      const listed = listEntries(context, location, options, showPath);
      const entries = sort ? (await Array.fromAsync(listed)).toSorted(ORDERS[sort]()) : listed;
      const held: Entry[] = [];
      try {
        for await (const entry of entries) {
          const isNextFolder = held[0] !== undefined && parentOf(held[0]) !== parentOf(entry);
          if (isNextFolder && !sort) print(held.splice(0));
          held.push(entry);
          if (isStream) print(held.splice(0));
        }
      } finally {
        print(held); // what came before a failure as well
      }
    });
  }
  if (!long || output.options.json) return;
  const { file, ...others } = counts;
  const rest = Object.entries(others).flatMap(([type, count]) => count > 0 ? [counted(count, type)] : []);
  const bytes = options.human ? formatSize(fileBytes) : `${fileBytes} bytes`;
  output.notice([`${counted(file, "file")} (${bytes})`, ...rest].join(", "));
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

async function* listEntries(
  context: ItemContext,
  location: Location,
  { type, ...options }: ListOptions,
  showPath: boolean,
): AsyncGenerator<Entry> {
  const target = await openTarget(context, location);
  for await (const found of listTarget(context, location, target, options)) {
    const { item } = found;
    if (type && item.type !== type) continue;
    const name = showPath ? locationOf(location, target.item, item) : item.name;
    yield { ...found, label: item.type === "folder" ? `${name}/` : name };
  }
}

function parentOf({ item: { path, name } }: Entry): string {
  return path.slice(0, path.length - name.length);
}

/** What to type for an item that was found at or below a location. */
function locationOf({ base, text: typed, pattern = [] }: Location, target: Item, item: Item): string {
  if (base.kind === "default") return item.path;
  if (item === target) return typed;
  const text = typed.replace(/\/$/, "").slice(0, -pattern.join("/").length || undefined);
  if (["item", "share", "web"].includes(base.kind)) return `drive:${item.driveId}/${item.path}`;
  const below = item.path.slice(target.path.length).replace(/^\//, "");
  return /[:/]$/.test(text) ? text + below : `${text}/${below}`;
}

/** A plus sign marks what is shared, as in other listings. */
function toRow({ item, driveItem, label }: Entry, sizeOf: (bytes: number) => string): string[] {
  const type = item.type + (driveItem.shared ? "+" : "");
  const modified = item.modified?.replace("T", " ").replace("Z", "") ?? "-";
  return [type, sizeOf(item.size), modified, authorOf(driveItem), label];
}

function authorOf({ lastModifiedBy }: DriveItem): string {
  return lastModifiedBy?.user?.displayName ?? lastModifiedBy?.application?.displayName ?? "-";
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
    const rows = found.map(({ name, id, webUrl, description }) => {
      const last = webUrl ?? description ?? "";
      return long ? [name, id, last] : [name, last];
    });
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
