/**
 * How MSAL reads and writes the token cache.
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import { isGraphError } from "../errors.ts";
import { toGraphError } from "../local/local_error.ts";
import type { TokenCache } from "./token_cache.ts";

/** What {@linkcode cachePlugin} makes. */
export interface CachePluginOptions {
  cache: TokenCache;
  signal: AbortSignal | undefined;
  /** Told why a new sign-in could not be kept. */
  notice: (text: string) => void;
  /** Whether a failed write is an error; otherwise it is told, and the token is used all the same. */
  mustWrite: boolean;
}

/**
 * The cache plugin of MSAL. Where nobody holds the file yet, as after minutes of waiting for a person, it is held from
 * MSAL's reading to its writing: MSAL merges what other processes wrote meanwhile. A renewal holds it all along, so that it
 * happens once; holding it in here only would be too late for that.
 */
export function cachePlugin({ cache, signal, notice, mustWrite }: CachePluginOptions): Msal.ICachePlugin {
  let hold: AsyncDisposable | undefined;
  // MSAL calls the second function also when the first has thrown, and would then replace the file by what it has in memory.
  let ready = false;
  return {
    async beforeCacheAccess(context) {
      ready = false;
      try {
        if (cache.busy) await cache.load();
        else hold = await cache.hold(signal);
      } catch (error) {
        if (cache.busy || mustWrite || (isGraphError(error) && error.kind === "interrupted")) throw error;
        notice(`the sign-in is good for this run, but could not be kept: ${toGraphError(error).message}`);
        return;
      }
      if (cache.text !== undefined) context.tokenCache.deserialize(cache.text);
      ready = true;
    },
    async afterCacheAccess(context) {
      try {
        if (!ready || !context.cacheHasChanged) return;
        const text = context.tokenCache.serialize();
        await (mustWrite ? cache.write(text) : cache.writeOrWarn(text));
      } finally {
        ready = false;
        const held = hold;
        hold = undefined;
        await held?.[Symbol.asyncDispose]();
      }
    },
  };
}
