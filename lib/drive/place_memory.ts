/**
 * Sites, drives and channels that earlier runs have found, by account: a private file, so that a run need not look them up
 * again. What is remembered is forgotten when it fails.
 *
 * @module
 */
import { isGraphError } from "../errors.ts";
import { isJsonObject, parseJsonObject } from "../json.ts";
import { readPrivateFile } from "../local/private_file.ts";

/** A site or library may be replaced by another one of the same name; then the old one is used for so long at most. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;
const MAX_PLACES = 500;

/** Where places are remembered. */
export interface PlaceMemoryOptions {
  /** Path of the file. */
  path: string;
  /** Identifies the account and the service; other accounts may see other places. */
  owner(): Promise<string>;
  /** Milliseconds since 1970. */
  now: () => number;
}

interface Place {
  value: unknown;
  /** Milliseconds since 1970. */
  at: number;
}

/** Remembers what was found for a key. A file that cannot be read or written is no error: places are looked up again. */
export class PlaceMemory {
  readonly #options: PlaceMemoryOptions;
  /** Keys that this run took from the file. */
  readonly #used = new Set<string>();
  #places: Promise<Record<string, Place>> | undefined;

  constructor(options: PlaceMemoryOptions) {
    this.#options = options;
  }

  /** The value that was remembered for a key, if any. */
  async get(key: string): Promise<unknown> {
    const fullKey = await this.#fullKey(key);
    const place = (await this.#read())[fullKey];
    if (!place || !(this.#options.now() - place.at < MAX_AGE_MS)) return undefined;
    this.#used.add(fullKey);
    return place.value;
  }

  async set(key: string, value: unknown): Promise<void> {
    const places = await this.#read();
    places[await this.#fullKey(key)] = { value, at: this.#options.now() };
    await this.#write(places);
  }

  /** Forgets what this run took from the file; returns whether that was anything. */
  async forget(): Promise<boolean> {
    if (this.#used.size === 0) return false;
    const places = await this.#read();
    for (const key of this.#used) delete places[key];
    this.#used.clear();
    await this.#write(places);
    return true;
  }

  async #fullKey(key: string): Promise<string> {
    return `${await this.#options.owner()} ${key}`;
  }

  #read(): Promise<Record<string, Place>> {
    return this.#places ??= readPrivateFile(this.#options.path).then(
      (text) => {
        const entries = Object.entries(parseJsonObject(text ?? "") ?? {});
        return Object.fromEntries(
          entries.filter((entry): entry is [string, Place] =>
            isJsonObject(entry[1]) && typeof entry[1].at === "number" && isJsonObjectOrList(entry[1].value)
          ),
        );
      },
      (error) => ignore(error, {}),
    );
  }

  async #write(places: Record<string, Place>): Promise<void> {
    const newest = Object.entries(places).toSorted(([, a], [, b]) => b.at - a.at).slice(0, MAX_PLACES);
    // Not by a rename, which leaves a temporary file behind a kill: a file that is cut short is ignored.
    await Deno.writeTextFile(this.#options.path, JSON.stringify(Object.fromEntries(newest)), { mode: 0o600 })
      .catch((error) => ignore(error, undefined));
  }
}

function isJsonObjectOrList(value: unknown): boolean {
  return isJsonObject(value) || Array.isArray(value);
}

/** A read-only or full disk, or a file that others may write to. */
function ignore<T>(error: unknown, value: T): T {
  if (isGraphError(error) || error instanceof Error && "code" in error) return value;
  throw error;
}
