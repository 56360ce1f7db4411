/** Remembers what was looked up, so that each lookup is made once in a run. */
export class Memo {
  readonly #found = new Map<string, Promise<unknown>>();

  /** The result of `find`, which is called for the first use of a key only. */
  once<T>(key: string, find: () => Promise<T>): Promise<T> {
    let found = this.#found.get(key) as Promise<T> | undefined;
    if (!found) this.#found.set(key, found = find());
    return found;
  }
}
