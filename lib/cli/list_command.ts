/**
 * What `ls` prints of items: names, in columns on a terminal, or rows with their properties.
 *
 * @module
 */
import type { DriveItem } from "../drive/drive_item.ts";
import { getItem, type Item, type ItemContext, type ResolvedItem } from "../drive/items.ts";
import { listTarget } from "../drive/listing.ts";
import type { Location } from "../drive/location.ts";
import { formatSize } from "../format.ts";
import type { Host } from "./host.ts";
import { type Output, replaceControlCharacters } from "./output.ts";
import { type Column, columnLines, tableLines } from "./table.ts";

/** A listed item, and how it is called. */
interface Entry extends ResolvedItem {
  /** Its name, or a location that leads to it. */
  label: string;
}

type SortKey = "name" | "size" | "time";

export interface ListOptions {
  long: boolean;
  human: boolean;
  recursive: boolean;
  sort: SortKey | undefined;
  type: Item["type"] | undefined;
  /** Print locations, not only names. */
  showPath: boolean;
}

const LONG_COLUMNS: readonly Column[] = [
  { width: 7 },
  { width: 12, alignRight: true },
  { width: 19 },
  { width: 20, mayShrink: true },
  {},
];

const collator = new Intl.Collator("en");
const COMPARE: Readonly<Record<SortKey, (a: Entry, b: Entry) => number>> = {
  name: (a, b) => collator.compare(a.label, b.label),
  size: (a, b) => b.item.size - a.item.size,
  time: (a, b) => collator.compare(b.item.modified ?? "", a.item.modified ?? ""),
};

/** Prints the items of locations, and their totals with `long`. */
export class Listing {
  readonly #options: ListOptions;
  readonly #output: Output;
  /** `undefined` where standard output is no terminal. */
  readonly #terminalWidth: number | undefined;
  readonly #counts: Record<Item["type"], number> = { file: 0, folder: 0, package: 0, link: 0 };
  #fileBytes = 0;

  constructor(options: ListOptions, output: Output, host: Host) {
    this.#options = options;
    this.#output = output;
    this.#terminalWidth = host.stdout.isTerminal() ? host.columns() : undefined;
  }

  /**
   * Prints the items of a location: page by page in a pipe, and folder by folder on a terminal, where columns need all rows.
   */
  async add(context: ItemContext, location: Location): Promise<void> {
    const { sort } = this.#options;
    let entries: AsyncIterable<Entry> | Iterable<Entry> = this.#entries(context, location);
    if (sort) entries = (await Array.fromAsync(entries)).toSorted(COMPARE[sort]);
    const isStream = this.#terminalWidth === undefined || this.#output.options.json;
    let folder: Entry[] = [];
    try {
      for await (const entry of entries) {
        if (isStream || (folder[0] && parentOf(folder[0]) !== parentOf(entry) && !sort)) {
          this.#print(folder);
          folder = [];
        }
        folder.push(entry);
      }
    } finally {
      this.#print(folder); // what was listed before a failure as well
    }
  }

  /** Prints how many items there were. */
  end(): void {
    if (!this.#options.long || this.#output.options.json) return;
    const { file, ...others } = this.#counts;
    const rest = Object.entries(others).flatMap(([type, count]) => count ? [counted(count, type)] : []);
    this.#output.notice(
      [`${counted(file, "file")} of ${this.#size(this.#fileBytes)}`, ...rest].join(", "),
    );
  }

  async *#entries(context: ItemContext, location: Location): AsyncGenerator<Entry> {
    const { recursive, type, showPath } = this.#options;
    const target = await getItem(context, location);
    for await (const found of listTarget(context, location, target, { recursive })) {
      const { item } = found;
      if (type && item.type !== type) continue;
      const name = showPath ? locationOf(location, target.item, item) : item.name;
      yield { ...found, label: item.type === "folder" ? `${name}/` : name };
    }
  }

  #print(entries: Entry[]): void {
    const { long, showPath } = this.#options;
    for (const { item } of entries) {
      this.#counts[item.type]++;
      if (item.type === "file") this.#fileBytes += item.size;
    }
    const width = this.#terminalWidth;
    const labels = entries.map(({ label }) => replaceControlCharacters(label));
    const lines = () => {
      if (long) return tableLines(entries.map((entry) => this.#row(entry)), LONG_COLUMNS, width);
      return showPath || width === undefined ? labels : columnLines(labels, width);
    };
    const { json } = this.#output.options;
    this.#output.results(entries.map(({ item }) => item), json ? [] : lines());
  }

  #row({ item, driveItem, label }: Entry): string[] {
    const type = item.type + (driveItem.shared ? "+" : "");
    const modified = item.modified?.replace("T", " ").replace("Z", "") ?? "-";
    return [type, this.#size(item.size), modified, authorOf(driveItem), label].map(replaceControlCharacters);
  }

  #size(bytes: number): string {
    return this.#options.human ? formatSize(bytes) : String(bytes);
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function parentOf({ item: { path, name } }: Entry): string {
  return path.slice(0, path.length - name.length);
}

/** What to type for an item that was found at or below a location. */
function locationOf({ base, text }: Location, target: Item, item: Item): string {
  if (base.kind === "default") return item.path;
  if (item === target) return text;
  const isPrefix = ["me", "site", "team", "drive"].includes(base.kind);
  if (!isPrefix) return `drive:${item.driveId}/${item.path}`;
  const below = item.path.slice(target.path.length).replace(/^\//, "");
  return /[:/]$/.test(text) ? text + below : `${text}/${below}`;
}

/** Who modified an item last. */
function authorOf({ lastModifiedBy }: DriveItem): string {
  const { user, application } = lastModifiedBy ?? {};
  return user?.displayName ?? application?.displayName ?? "-";
}
