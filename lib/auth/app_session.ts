/**
 * App-only sign-in, with application permissions that an administrator has granted
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import type { AccountInfo } from "./accounts.ts";
import { type CachedToken, findAppToken } from "./cache_content.ts";
import {
  callMsal,
  type MsalContext,
  openServiceApp,
  type Registration,
  registrationOf,
  tokenOf,
} from "./msal.ts";
import {
  type AccountType,
  type AuthSession,
  decodeClaims,
  type SessionInfo,
  type TokenRefresh,
} from "./session.ts";
import { type LockedCache, TokenCache } from "./token_cache.ts";
import { TokenRenewal } from "./token_renewal.ts";
import { usageError } from "../errors.ts";
import type { HttpClient } from "../http/client.ts";
import type { AppCredentialSetting, Settings } from "../settings.ts";

/** Options of {@linkcode AppSession}. */
export interface AppSessionOptions {
  settings: Settings;
  credential: AppCredentialSetting;
  http: HttpClient;
  /** Receives what the user should know. */
  notice: (text: string) => void;
}

/** The session of an app that acts for itself. */
export class AppSession implements AuthSession {
  readonly #options: AppSessionOptions;
  readonly #cache: TokenCache;
  readonly #tokens: TokenRenewal;
  #registration: Registration | undefined;

  constructor(options: AppSessionOptions) {
    this.#options = options;
    const { settings: { tokenCache: path, tokenCacheKey: key }, http: { now, deadline }, notice } = options;
    this.#cache = new TokenCache({ path, key, now, lockTimeoutMs: deadline.limitMs, notice });
    this.#tokens = new TokenRenewal(this.#cache, options.http, {
      load: () => this.#cache.load(),
      find: () => findAppToken(this.#cache.content, this.#requireRegistration(), options.http.now()),
      acquire: (file, refresh) => this.#acquire(file, refresh),
      recover: (error) => Promise.reject(error),
    });
  }

  async token(refresh?: TokenRefresh): Promise<string> {
    return (await this.#tokens.get(refresh)).secret;
  }

  async info(): Promise<SessionInfo> {
    const { secret, expiresAt } = this.#tokens.current ?? await this.#tokens.get();
    const { clientId, tenantId } = this.#requireRegistration();
    const { roles, tid } = decodeClaims(secret);
    return {
      username: undefined,
      tenantId: typeof tid === "string" ? tid : tenantId,
      scopes: Array.isArray(roles) ? roles.map(String) : [],
      expiresAt,
      cache: this.#cache.path,
      app: clientId,
    };
  }

  signOut(): Promise<string[]> {
    return Promise.reject(
      usageError(
        `the app signs in with ${this.#options.credential.variable}: there is no sign-in to remove`,
        "unset it, and delete the credential in the app registration",
        "noSignIn",
      ),
    );
  }

  /** None: no user is signed in. */
  accounts(): Promise<AccountInfo[]> {
    return Promise.resolve([]);
  }

  /** Changes nothing: what an app may do is granted once, by an administrator. */
  includeAllDrives(): void {}

  accountType(): Promise<AccountType> {
    return Promise.resolve("app");
  }

  async #acquire(file: LockedCache, refresh: TokenRefresh | undefined): Promise<CachedToken> {
    const { credential } = this.#options;
    const registration = this.#requireRegistration();
    const context: MsalContext = { ...this.#options, registration, cache: this.#cache };
    const app = await openServiceApp(context, file, credential);
    const claims = refresh?.claims;
    const result = await callMsal(() =>
      app.acquireTokenByClientCredential({
        scopes: [`${registration.apiOrigin}/.default`],
        skipCache: refresh !== undefined,
        ...(claims === undefined ? {} : { claims }),
      })
    );
    return tokenOf(result);
  }

  #requireRegistration(): Registration {
    const { settings, credential: { variable } } = this.#options;
    const registration = this.#registration ??= registrationOf(settings);
    if (registration && !/^(common|organizations|consumers)$/i.test(registration.tenantId)) {
      return registration;
    }
    throw usageError(
      `${variable} is set, and the app's ${settings.clientId ? "tenant" : "client id"} is not`,
      "set GRAPH_CLIENT_ID, and GRAPH_TENANT_ID to the id or domain of one tenant",
      "noRegistration",
    );
  }
}
