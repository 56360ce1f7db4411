/**
 * The sign-in of an app by itself, for programs that act for nobody: application permissions, which an administrator has
 * granted (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import type { AccountInfo } from "./accounts.ts";
import { type AppCredentialSetting, readAppCredential } from "./credentials.ts";
import type { AccountType, AuthSession, SessionInfo } from "./user_session.ts";
import { authNetwork } from "./msal_network.ts";
import { CacheKey } from "./encryption.ts";
import { cachePlugin } from "./msal_cache.ts";
import type { CachedToken } from "./cache_content.ts";
import { CLOUDS } from "../clouds.ts";
import { GraphError, usageError } from "../errors.ts";
import type { TokenRefresh } from "./session.ts";
import type { HttpClient } from "../http/client.ts";
import { callMsal } from "./msal_error.ts";
import type { Settings } from "../settings.ts";
import { decodeClaims } from "./token_claims.ts";
import { TokenCache } from "./token_cache.ts";

/** How {@linkcode AppSession} works. */
export interface AppSessionOptions {
  settings: Settings;
  credential: AppCredentialSetting;
  http: HttpClient;
  notice: (text: string) => void;
}

/** The session of an app. */
export class AppSession implements AuthSession {
  readonly #options: AppSessionOptions;
  readonly #cache: TokenCache;
  #current: CachedToken | undefined;
  /** What several requests wait for at once. */
  #renewal: Promise<CachedToken> | undefined;

  constructor(options: AppSessionOptions) {
    this.#options = options;
    const { settings: { tokenCache: path, tokenCacheKey: key }, http: { now, deadline }, notice } = options;
    const lockTimeoutMs = deadline.limitMs;
    this.#cache = new TokenCache({ path, key: key && new CacheKey(key), now, lockTimeoutMs, notice });
  }

  async token(renew?: TokenRefresh): Promise<string> {
    const { now } = this.#options.http;
    if (!renew && this.#current && this.#current.expiresAt - now() > 300_000) return this.#current.secret;
    // Of several requests that were refused at once the first renews for all.
    if (renew?.refused !== undefined && this.#current && this.#current.secret !== renew.refused) {
      return this.#current.secret;
    }
    const stale = renew && this.#current?.secret;
    this.#renewal ??= this.#renewed(stale, renew).finally(() => this.#renewal = undefined);
    this.#current = await this.#renewal;
    return this.#current.secret;
  }

  async #renewed(stale: string | undefined, renew: TokenRefresh | undefined): Promise<CachedToken> {
    if (!renew) {
      await this.#cache.load();
      const kept = this.#cached(undefined);
      if (kept) return kept;
    }
    return await this.#cache.refreshOnce(
      this.#options.http.signal,
      () => renew?.claims ? undefined : this.#cached(stale),
      () => this.#acquire(renew !== undefined, renew?.claims),
    );
  }

  async facts(): Promise<SessionInfo> {
    const token = this.#current?.secret ?? await this.token();
    const { roles, tid } = decodeClaims(token);
    return {
      username: undefined,
      tenantId: typeof tid === "string" ? tid : this.#options.settings.tenantId,
      scopes: Array.isArray(roles) ? roles.map(String) : [],
      expiresAt: this.#current?.expiresAt,
      cache: this.#cache.path,
      app: this.#registration().clientId,
    };
  }

  /** There is nobody to sign out. */
  signOut(): Promise<string[]> {
    return Promise.reject(
      usageError(
        `the app signs in by itself with ${this.#options.credential.variable}: there is no sign-in to forget`,
        "unset it, and delete the credential in the app registration",
        "noSignIn",
      ),
    );
  }

  /** Nobody is signed in. */
  accounts(): Promise<AccountInfo[]> {
    return Promise.resolve([]);
  }

  /** An administrator has granted what the app may do. */
  includeAllDrives(): void {}

  accountType(): Promise<AccountType> {
    return Promise.resolve("app");
  }

  #cached(stale: string | undefined): CachedToken | undefined {
    const { clientId, tenantId } = this.#registration();
    const { cacheEnvironment: environment, apiOrigin } = CLOUDS[this.#options.settings.cloud];
    const token = this.#cache.findApp({ clientId, tenantId, environment, apiOrigin });
    return token?.secret === stale ? undefined : token;
  }

  async #acquire(skipCache: boolean, claims: string | undefined): Promise<CachedToken> {
    const { settings: { cloud } } = this.#options;
    const app = await this.#app();
    const result = await callMsal(() =>
      app.acquireTokenByClientCredential({
        scopes: [`${CLOUDS[cloud].apiOrigin}/.default`],
        skipCache,
        ...(claims === undefined ? {} : { claims }),
      })
    );
    if (!result) {
      throw new GraphError("failed", "sign-in: no token came", {
        code: "invalidAnswer",
        hint: "run the same command again",
      });
    }
    return {
      secret: result.accessToken,
      scopes: result.scopes,
      expiresAt: result.expiresOn?.getTime() ?? 0,
    };
  }

  #registration(): { clientId: string; tenantId: string } {
    const { settings: { clientId, tenantId }, credential: { variable } } = this.#options;
    if (clientId && tenantId && !/^(common|organizations|consumers)$/i.test(tenantId)) {
      return { clientId, tenantId };
    }
    throw usageError(
      `${variable} is set, and the app's ${clientId ? "tenant" : "client id"} is not`,
      "set GRAPH_CLIENT_ID, and GRAPH_TENANT_ID to the id or domain of one tenant",
      "noRegistration",
    );
  }

  async #app(): Promise<Msal.ConfidentialClientApplication> {
    const { clientId, tenantId } = this.#registration();
    const { settings, http, notice, credential } = this.#options;
    const knownOrigin = CLOUDS[settings.cloud].loginOrigin;
    const { AuthError, ConfidentialClientApplication } = await import("@azure/msal-node");
    return new ConfidentialClientApplication({
      auth: {
        clientId,
        authority: `${knownOrigin}/${tenantId}`,
        ...await readAppCredential(credential, http.now()),
      },
      cache: {
        cachePlugin: cachePlugin({ cache: this.#cache, signal: http.signal, notice, mustWrite: false }),
      },
      system: {
        networkClient: authNetwork(AuthError, {
          http,
          knownOrigin,
          loginOrigin: settings.loginOrigin,
          notice,
        }),
      },
    });
  }
}
