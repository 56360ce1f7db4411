/**
 * Folders that this run has made.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import type { ItemContext } from "../drive/items.ts";

const MAX_TRIES = 5;

/** Does something in a folder that this run has made, which the service may not find for some moments (PROTOCOL E3). */
export async function retryUntilVisible<T>(
  { graph: { http } }: ItemContext,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      const ms = http.backoffMs(tries) / 2;
      const isNew = error instanceof GraphError && error.status === 404;
      if (!isNew || tries === MAX_TRIES || !http.deadline.allows(ms)) throw error;
      await http.wait(ms, "the folder is new");
    }
  }
}
