/**
 * App-only sign-in, with application permissions that an administrator has granted
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 *
 * @module
 */
import type { AccountInfo } from "./accounts.ts";
import { type CachedToken, findAppToken, type Registration } from "./cache_content.ts";
import { callMsal, openServiceApp, registrationOf, tokenOf, tokenRequest } from "./msal.ts";
import {
  type AccountType,
  type AuthContext,
  type AuthSession,
  decodeClaims,
  type SessionInfo,
  type TokenRefresh,
} from "./session.ts";
import { type LockedCache, TokenCache } from "./token_cache.ts";
import { TokenRenewal } from "./token_renewal.ts";
import { usageError } from "../errors.ts";
import type { AppCredentialSetting } from "../settings.ts";

/** Options of {@linkcode AppSession}. */
export interface AppSessionOptions extends AuthContext {
  credential: AppCredentialSetting;
}

/** The session of an app that acts for itself. */
export class AppSession implements AuthSession {
  readonly #options: AppSessionOptions;
  readonly #cache: TokenCache;
  readonly #tokens: TokenRenewal;

  constructor(options: AppSessionOptions) {
    this.#options = options;
    const cache = this.#cache = new TokenCache(options);
    const { now } = options.http;
    this.#tokens = new TokenRenewal({
      cache,
      now,
      load: () => cache.load(),
      find: () => findAppToken(cache.last.content, this.#registration, now()),
      acquire: (file, refresh) => this.#acquire(file, refresh),
    });
  }

  async token(refresh?: TokenRefresh): Promise<string> {
    return (await this.#tokens.get(refresh)).secret;
  }

  async info(): Promise<SessionInfo> {
    const { secret, expiresAt } = this.#tokens.current ?? await this.#tokens.get();
    const { clientId, tenantId } = this.#registration;
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
    const why = `the app signs in with ${this.#options.credential.variable}: there is no sign-in to remove`;
    const hint = "unset it, and delete the credential in the app registration";
    return Promise.reject(usageError(why, hint, "noSignIn"));
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
    const registration = this.#registration;
    const context = { ...this.#options, registration, cache: this.#cache };
    const app = await openServiceApp(context, file, this.#options.credential);
    const request = tokenRequest([`${registration.apiOrigin}/.default`], refresh?.claims);
    const skipCache = refresh !== undefined;
    return tokenOf(await callMsal(() => app.acquireTokenByClientCredential({ ...request, skipCache })));
  }

  get #registration(): Registration {
    const { settings, credential: { variable } } = this.#options;
    const registration = registrationOf(settings);
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
