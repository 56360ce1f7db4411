/**
 * What SharePoint made of files that it rewrites after an upload (PROTOCOL 10.2): their hash on the server is never
 * that of the local file, so what was sent is remembered, to find later that nothing has changed. One JSON line a file.
 *
 * @module
 */
import { join } from "../std.ts";
import { itemUrl } from "../drive/address.ts";
import { isExpectedItem, itemKey } from "../drive/drive_item.ts";
import { GraphError } from "../errors.ts";
import type { GraphClient } from "../graph/client.ts";
import { type DriveItem, type Item, type ResolvedItem, toItem } from "../drive/items.ts";
import { withLock } from "../local/lock.ts";
import { toGraphError } from "../local/local_error.ts";
import { readPrivateFile, writePrivateFile } from "../local/private_file.ts";
import type { Content, Verdict } from "../transfer/verify.ts";

/** So soon after its answer the service has mostly rewritten a file. */
const SETTLE_MS = 2_000;
/** A later change is somebody's. */
const REWRITE_MS = 10_000;
const LOCK_WAIT_MS = 10_000;
/** Lines of which most are outdated are swept out from here on. */
const SWEEP_LINES = 1_000;

/** A file as it was sent, and as the service showed it then. */
interface SentFile {
  driveId: string;
  itemId: string;
  size: number;
  hash: string;
  remoteHash: string | null;
  /** What was found when it was compared with what the service has; earlier versions did not say. */
  verdict?: Verdict;
  /** Time of the last change, where it is that of the local file; it stays when the service rewrites the file. */
  modified: string | null;
}

/** Files that were sent from this machine. */
export class RewrittenFiles {
  readonly #path: string;
  readonly #now: () => number;
  readonly #sent: { entry: SentFile; shown: DriveItem; at: number }[] = [];
  #known: Promise<Map<string, SentFile>> | undefined;

  /** @param folder The private folder of the toolkit's state. */
  constructor(folder: string, now: () => number) {
    this.#path = join(folder, "rewritten.jsonl");
    this.#now = now;
  }

  /**
   * Notes what was sent, and what the service says of it.
   *
   * @param modified Time of the last change as it was sent with the content, if it was.
   */
  async remember(
    sent: Content & { hash: string },
    { item, driveItem }: ResolvedItem,
    modified: Date | null,
    verdict: Verdict,
  ): Promise<void> {
    const entry: SentFile = {
      driveId: item.driveId,
      itemId: item.id,
      size: sent.size,
      hash: sent.hash,
      remoteHash: item.hash,
      verdict,
      modified: isOwnTime(item.modified, modified, this.#now()) ? item.modified : null,
    };
    this.#sent.push({ entry, shown: driveItem, at: this.#now() });
    await this.#note(entry);
  }

  /**
   * Looks once more at what this run has sent: the service may have rewritten it after its answer. Somebody's change
   * meanwhile is not taken for that.
   */
  async settle(graph: GraphClient): Promise<void> {
    const last = this.#sent.at(-1);
    if (!last) return;
    const { http } = graph;
    const left = last.at + SETTLE_MS - this.#now();
    if (left > 0) await http.wait(left, "the service may still rewrite the files");
    for (const { entry, shown } of this.#sent.splice(0)) {
      const { driveId, itemId } = entry;
      let driveItem: DriveItem;
      try {
        driveItem = await graph.requestJson<DriveItem>(itemUrl({ driveId, itemId }), {
          what: "look at a sent file",
          accepts: (value) => isExpectedItem(value, { driveId, id: itemId }),
        });
      } catch (error) {
        if (!(error instanceof GraphError) || error.kind === "interrupted") throw error;
        if (error.kind === "unavailable") return; // neither would be the others
        continue; // it was uploaded all the same; at worst it is sent once more
      }
      const { hash } = toItem(driveItem, driveId, "");
      if (hash !== entry.remoteHash && isRewriting(shown, driveItem)) {
        await this.#note({ ...entry, remoteHash: hash, verdict: "unverified" }); // nobody has read it
      }
    }
  }

  async #note(entry: SentFile): Promise<void> {
    (await this.#entries()).set(keyOf(entry), entry);
    await withLock(this.#path, LOCK_WAIT_MS, {}, async () => {
      using file = await Deno.open(this.#path, { append: true, create: true, mode: 0o600 });
      const line = new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
      for (let at = 0; at < line.length;) at += await file.write(line.subarray(at));
    });
  }

  /** Whether the item still is what the service made of this local content, and what is known of that. */
  async findMadeFrom(local: Content, item: Item): Promise<Verdict | undefined> {
    const entry = (await this.#entries()).get(keyOf({ driveId: item.driveId, itemId: item.id }));
    if (!entry || entry.size !== local.size || entry.hash !== local.hash) return undefined;
    if (entry.remoteHash !== null && entry.remoteHash === item.hash) return entry.verdict ?? "unverified";
    // It may have been rewritten after the answer that we saw; somebody's change would have moved the time.
    return entry.modified !== null && entry.modified === item.modified ? "unverified" : undefined;
  }

  #entries(): Promise<Map<string, SentFile>> {
    return this.#known ??= this.#read();
  }

  async #read(): Promise<Map<string, SentFile>> {
    const lines = (await readPrivateFile(this.#path) ?? "").split("\n").filter(Boolean);
    const entries = new Map<string, SentFile>();
    for (const line of lines) {
      const entry = parse(line);
      if (entry) entries.set(keyOf(entry), entry);
    }
    if (lines.length > SWEEP_LINES && lines.length > 2 * entries.size) await this.#sweep(entries);
    return entries;
  }

  async #sweep(entries: ReadonlyMap<string, SentFile>): Promise<void> {
    const text = [...entries.values()].map((entry) => `${JSON.stringify(entry)}\n`).join("");
    await withLock(this.#path, LOCK_WAIT_MS, {}, () => writePrivateFile(this.#path, text));
  }
}

/** Remembers a file whose transfer has succeeded: a record that cannot be written does not make it fail. */
export async function noteRewritten(
  { rewritten, notice }: { rewritten: RewrittenFiles; notice: (text: string) => void },
  sent: Content & { hash: string },
  found: ResolvedItem,
  modified: Date | null,
  verdict: Verdict,
): Promise<void> {
  try {
    await rewritten.remember(sent, found, modified, verdict);
  } catch (error) {
    notice(`${found.item.path}: --if-changed will not know it again: ${toGraphError(error).message}`);
  }
}

/** Whether the service itself has changed an item: in the name of who sent it, and at once. */
function isRewriting(sent: DriveItem, now: DriveItem): boolean {
  if (toItem(sent, "", "").modified === toItem(now, "", "").modified) return true;
  const who = authorOf(sent);
  return who !== undefined && who === authorOf(now) && laterMs(sent, now) <= REWRITE_MS;
}

/** Whether somebody else has surely changed an item since, or it was changed too late for the service's own rewriting. */
export function isSomebodysChange(sent: DriveItem, now: DriveItem): boolean {
  const [before, after] = [authorOf(sent), authorOf(now)];
  return (before !== undefined && after !== undefined && before !== after) || laterMs(sent, now) > REWRITE_MS;
}

/** A person, or an app that works by itself. */
function authorOf({ lastModifiedBy }: DriveItem): string | undefined {
  return lastModifiedBy?.user?.id ?? lastModifiedBy?.application?.id ?? undefined;
}

function laterMs(sent: DriveItem, now: DriveItem): number {
  return Date.parse(now.lastModifiedDateTime ?? "") - Date.parse(sent.lastModifiedDateTime ?? "");
}

/** The service's own time is no sign of ours, nor one that somebody's change at the same moment could have. */
function isOwnTime(stored: string | null, sent: Date | null, now: number): boolean {
  if (stored === null || sent === null) return false;
  const seconds = Math.floor(sent.getTime() / 1000);
  return Date.parse(stored) / 1000 === seconds && now / 1000 - seconds > 2;
}

function keyOf({ driveId, itemId }: Pick<SentFile, "driveId" | "itemId">): string {
  return itemKey({ driveId, id: itemId });
}

function parse(line: string): SentFile | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value?.itemId === "string" && typeof value.hash === "string" ? value : undefined;
  } catch {
    return undefined; // cut by a kill: that file is sent once more
  }
}
