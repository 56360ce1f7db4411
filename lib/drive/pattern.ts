/**
 * Wildcards: in locations, as in `General/*.docx`, and in filters of folders, which have the meaning of rclone
 * (https://rclone.org/filtering/). Only `*`, `?` and `**` are special, which names cannot contain; case does not matter,
 * as in the service. `**` stands for any number of folders.
 *
 * @module
 */
import { nameKey } from "./names.ts";

/** Whether a name of a location has wildcards. */
export function hasWildcards(name: string): boolean {
  return /[*?]/.test(name);
}

/** Whether the path of an item below a folder matches a pattern of names. */
export function matchesPattern(pattern: readonly string[], path: string): boolean {
  return toRegExp("^", pattern.join("/")).test(nameKey(path));
}

/** Whether something below a folder may match; its parent is such a folder itself. */
export function matchesBelow(pattern: readonly string[], path: string): boolean {
  const names = pattern.slice(0, path.split("/").length);
  return names.includes("**") || (names.length < pattern.length && matchesPattern(names, path));
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

  /** Whether an item is part of a listing: a file that is taken, or a folder where folders count. */
  shows(path: string, isFolder: boolean): boolean {
    return this.takes(path, isFolder) && (!isFolder || this.keepsEmptyFolders);
  }

  /** Whether to take a file, or to look into a folder. */
  takes(path: string, isFolder: boolean): boolean {
    const text = nameKey(isFolder ? `${path}/` : path);
    if (this.#exclude.some((pattern) => pattern.test(text))) return false;
    return isFolder || this.keepsEmptyFolders || this.#include.some((pattern) => pattern.test(text));
  }
}

function filterRegExp(pattern: string): RegExp {
  return toRegExp(
    pattern.startsWith("/") ? "^" : "(?:^|/)",
    pattern.replace(/^\//, "").replace(/\/$/, "/**"),
  );
}

function toRegExp(start: string, pattern: string): RegExp {
  const wildcards: Record<string, string> = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
  const source = nameKey(pattern)
    .replace(/\*\*\/|\*\*|[*?]|[\\^$.+()[\]{}|]/g, (found) => wildcards[found] ?? `\\${found}`);
  return new RegExp(`${start}${source}$`, "su");
}
