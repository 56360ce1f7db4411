/**
 * Wildcards: in locations, as in `General/*.docx`, and in filters of folders, which have the meaning of rclone
 * (https://rclone.org/filtering/). Only `*`, `?` and `**` are special, which names cannot contain; case does not matter,
 * as in the service.
 *
 * @module
 */
import { nameKey } from "./names.ts";

/** Whether a name of a location has wildcards. */
export function hasWildcards(name: string): boolean {
  return /[*?]/.test(name);
}

/** A pattern of names below a folder, outermost first; `**` stands for any number of folders. */
export class PathPattern {
  /** Positions in the pattern at the folder itself. */
  readonly start: ReadonlySet<number>;
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names.at(-1) === "**" ? [...names, "*"] : names; // everything in the folders, not these themselves
    this.start = new Set(this.#from(0));
  }

  /** Positions at a child with this name of a folder at the given ones. */
  next(positions: ReadonlySet<number>, name: string): Set<number> {
    return new Set([...positions].flatMap((at) => {
      const pattern = this.#names[at];
      if (pattern === "**") return this.#from(at);
      const matches = pattern !== undefined && toRegExp("^", nameKey(pattern)).test(nameKey(name));
      return matches ? this.#from(at + 1) : [];
    }));
  }

  /** Whether an item at these positions matches. */
  matches(positions: ReadonlySet<number>): boolean {
    return positions.has(this.#names.length);
  }

  /** Whether something below a folder at these positions may match. */
  matchesBelow(positions: ReadonlySet<number>): boolean {
    return [...positions].some((at) => at < this.#names.length);
  }

  /** A position, and those after `**`, which may stand for no folder. */
  #from(at: number): number[] {
    return this.#names[at] === "**" ? [at, ...this.#from(at + 1)] : [at];
  }
}

/** Which contents of a folder to take. */
export interface FilterOptions {
  /** Only files that match one of these patterns. @default all files */
  include?: readonly string[] | undefined;
  /** No files that match one of these patterns, such as `*.tmp` or `drafts/**`. */
  exclude?: readonly string[] | undefined;
}

/**
 * Selects the contents of a folder by their paths in it. A pattern without a slash at its beginning may match the end of a
 * path only, `*` matches no slash, and a slash at its end means everything in such folders.
 */
export class Filter {
  /** Whether folders count without files in them: not if only certain files are wanted. */
  readonly keepsEmptyFolders: boolean;
  readonly #include: readonly RegExp[];
  readonly #exclude: readonly RegExp[];

  constructor({ include = [], exclude = [] }: FilterOptions) {
    this.#include = include.map(filterRegExp);
    this.#exclude = exclude.map(filterRegExp);
    this.keepsEmptyFolders = include.length === 0;
  }

  takesFile(path: string): boolean {
    const isIncluded = this.keepsEmptyFolders || matchesAny(this.#include, path);
    return isIncluded && !matchesAny(this.#exclude, path);
  }

  /** Whether a folder may contain something to take. */
  entersFolder(path: string): boolean {
    return !matchesAny(this.#exclude, `${path}/`);
  }
}

function matchesAny(patterns: readonly RegExp[], path: string): boolean {
  return patterns.some((pattern) => pattern.test(nameKey(path)));
}

function filterRegExp(pattern: string): RegExp {
  const start = pattern.startsWith("/") ? "^" : "(?:^|/)";
  return toRegExp(start, nameKey(pattern).replace(/^\//, "").replace(/\/$/, "/**"));
}

function toRegExp(start: string, pattern: string): RegExp {
  const wildcards: Record<string, string> = { "**": ".*", "*": "[^/]*", "?": "[^/]" };
  const source = pattern.replace(/\*\*|[*?]|[\\^$.+()[\]{}|]/g, (found) => wildcards[found] ?? `\\${found}`);
  return new RegExp(`${start}${source}$`, "su");
}
