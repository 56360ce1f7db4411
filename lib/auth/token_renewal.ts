/**
 * The access token of a session: kept while it is valid, and renewed once for all that need it.
 *
 * @module
 */
import { type CachedToken, MIN_LIFE_MS } from "./cache_content.ts";
import type { TokenRefresh } from "./session.ts";
import type { LockedCache, TokenCache } from "./token_cache.ts";

/** Where a session gets its tokens. */
export interface TokenProvider {
  cache: TokenCache;
  /** The clock, in milliseconds since 1970. */
  now: () => number;
  /** Reads the token cache. */
  load(): Promise<void>;
  /** Finds a token in what was read last that is valid for five more minutes. */
  find(): CachedToken | undefined;
  /** Gets a token from the service without a user, while the cache is locked. */
  acquire(file: LockedCache, refresh: TokenRefresh | undefined): Promise<CachedToken>;
  /**
   * Gets a token where `acquire` failed, or throws. The cache is not locked, since a user may take minutes.
   * @default throws the error
   */
  recover?(error: unknown, refresh: TokenRefresh | undefined): Promise<CachedToken>;
}

/** The current token of a session. */
export class TokenRenewal {
  readonly #provider: TokenProvider;
  #current: CachedToken | undefined;
  #pending: Promise<CachedToken> | undefined;

  constructor(provider: TokenProvider) {
    this.#provider = provider;
  }

  /** The last token, which may have expired. */
  get current(): CachedToken | undefined {
    return this.#current;
  }

  /** Forgets the token, also one that is on its way. */
  reset(): void {
    this.#current = undefined;
    this.#pending = undefined;
  }

  /** Returns the current token, or renews it; requests that need one at the same time share the renewal. */
  async get(refresh?: TokenRefresh): Promise<CachedToken> {
    const current = this.#current;
    const isValid = current && current.expiresAt - this.#provider.now() > MIN_LIFE_MS;
    if (current && (refresh ? current.secret !== refresh.refused : isValid)) return current;
    const pending = this.#pending ??= this.#renew(refresh);
    try {
      const token = await pending;
      if (this.#pending === pending) this.#current = token;
      return token;
    } finally {
      if (this.#pending === pending) this.#pending = undefined;
    }
  }

  async #renew(refresh: TokenRefresh | undefined): Promise<CachedToken> {
    const provider = this.#provider;
    if (!refresh) {
      await provider.load();
      const token = provider.find();
      if (token) return token;
    }
    // Another process may have renewed the token, but not for these claims.
    const find = () => {
      const token = provider.find();
      return token && !refresh?.claims && token.secret !== refresh?.refused ? token : undefined;
    };
    try {
      return await provider.cache.renewOnce(find, (file) => provider.acquire(file, refresh));
    } catch (error) {
      if (provider.recover) return await provider.recover(error, refresh);
      throw error;
    }
  }
}
