/** Keeps the state of a sandbox in a folder between runs: files with their versions, links, and issued tokens. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { State } from "../state.ts";
import { deleteFile } from "../tenant/content_store.ts";
import { type TenantData, TenantDataError, withoutFiles } from "../tenant/tenant_data.ts";
import { contentNames, restoreDrives, type SavedDrive, saveDrive } from "./drive.ts";
import { restoreTokens, type SavedTokens, saveTokens } from "./tokens.ts";

const FORMAT = 1;
/** After the first change that is not saved. */
const SAVE_AFTER_MS = 300;

interface SavedState {
  format: number;
  /** Of people, sites and teams: their ids depend on them. */
  tenant: string;
  drives: SavedDrive[];
  links: { id: string; drive: string; item: string; type: string; scope: string }[];
  consented: string[];
  tokens: SavedTokens;
}

export class StateFolder {
  readonly content: string;
  readonly #file: string;
  readonly #tenant: string;
  readonly #saved: SavedState | undefined;
  #state: State | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws {TenantDataError} for the state of another tenant, or what is no state at all */
  constructor(folder: string, tenant: TenantData) {
    this.content = join(folder, "content");
    this.#file = join(folder, "state.json");
    this.#tenant = createHash("sha256").update(JSON.stringify(withoutFiles(tenant))).digest("hex");
    this.#saved = this.#read();
  }

  /** Whether an earlier run has saved its state. */
  get isFilled(): boolean {
    return this.#saved !== undefined;
  }

  /** Puts what an earlier run has saved into a new state, and saves this from now on. */
  attach(state: State): void {
    this.#state = state;
    if (!this.#saved) return this.save();
    const { drives, links, consented, tokens } = this.#saved;
    const { tenant } = state;
    restoreDrives(drives, tenant.drives, tenant.directory, this.content);
    for (const { drive, item: id, ...link } of links) {
      const item = tenant.drive(drive).item(id);
      if (item) state.links.push({ ...link, item });
    }
    for (const scope of consented) state.consented.add(scope);
    restoreTokens(tokens, state);
  }

  /** A request may have changed something. */
  changed(): void {
    this.#timer ??= setTimeout(() => this.save(), SAVE_AFTER_MS);
  }

  /** Saves now, so that a process that is killed leaves this state or the one before; removes the contents of no version. */
  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { tenant, links, consented } = this.#state!;
    const saved: SavedState = {
      format: FORMAT,
      tenant: this.#tenant,
      drives: tenant.drives.map(saveDrive),
      links: links.map(({ item, ...link }) => ({ ...link, drive: item.drive.id, item: item.id })),
      consented: [...consented],
      tokens: saveTokens(this.#state!),
    };
    writeWhole(this.#file, JSON.stringify(saved));
    tenant.store.deleteRemoved();
  }

  #read(): SavedState | undefined {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const saved = parse(text);
    if (saved?.format !== FORMAT) throw new TenantDataError(`${this.#file} is not the state of a sandbox`);
    if (saved.tenant !== this.#tenant) {
      throw new TenantDataError(`${this.#file} is of a tenant with other people, sites or teams`);
    }
    this.#deleteOthers(new Set(saved.drives.flatMap(contentNames)));
    return saved;
  }

  /** Contents that were being received, or whose removal was not saved. */
  #deleteOthers(names: ReadonlySet<string>): void {
    for (const { name } of Deno.readDirSync(this.content)) {
      if (!names.has(name)) deleteFile(join(this.content, name));
    }
  }
}

function parse(text: string): SavedState | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function writeWhole(file: string, text: string): void {
  const partial = `${file}.new`;
  {
    using handle = Deno.openSync(partial, { create: true, truncate: true, write: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length;) written += handle.writeSync(bytes.subarray(written));
    handle.syncDataSync();
  }
  Deno.renameSync(partial, file);
}
