/**
 * The sign-in of a person, kept in the token cache, and its silent renewal. MSAL is loaded only when no cached access token
 * is good for five more minutes.
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import {
  type AccountInfo,
  type AccountSelector,
  accountsToForget,
  isConsumers,
  isDomain,
  isPersonal,
  notSignedInError,
  selectAccount,
  toAccountInfo,
} from "./accounts.ts";
import { authNetwork } from "./msal_network.ts";
import { CacheKey } from "./encryption.ts";
import { cachePlugin } from "./msal_cache.ts";
import { type CachedAccount, type CachedToken, scopeIncludes, shortScope } from "./cache_content.ts";
import { CLOUDS } from "../clouds.ts";
import { commandName } from "../cli/hints.ts";
import { GraphError, usageError } from "../errors.ts";
import type { AccountType, AuthSession, SessionInfo, TokenRefresh } from "./session.ts";
import type { HttpClient } from "../http/client.ts";
import type { Interaction } from "./interaction.ts";
import { callMsal } from "./msal_error.ts";
import { type Access, purposeOf, SCOPES } from "./scopes.ts";
import type { Settings } from "../settings.ts";
import { resolveTenantId } from "./tenants.ts";
import { TokenCache } from "./token_cache.ts";

export type { AccountType, AuthSession, SessionInfo };

/** How {@linkcode UserSession} works. */
export interface UserSessionOptions {
  settings: Settings;
  access: Access;
  http: HttpClient;
  /** How a person signs in; without it nobody is ever asked. */
  interact: Interaction | undefined;
  /** Told what a person should know, such as a cache that was set aside. */
  notice: (text: string) => void;
}

/** The sign-in of a person, kept in the token cache. */
export class UserSession implements AuthSession {
  readonly #options: UserSessionOptions;
  readonly #cache: TokenCache;
  #current: CachedToken | undefined;
  /** What several requests wait for at once: nobody is asked twice. */
  #renewal: Promise<CachedToken> | undefined;
  #allDrives = false;
  /** Id of a tenant that the settings name by its domain. */
  #tenantId: string | undefined;
  /** Whose token was given out first; another process may sign somebody else in meanwhile. */
  #begun: CachedAccount | undefined;

  constructor(options: UserSessionOptions) {
    this.#options = options;
    const { settings: { tokenCache: path, tokenCacheKey: key }, http: { now, deadline }, notice } = options;
    const lockTimeoutMs = deadline.limitMs;
    this.#cache = new TokenCache({ path, key: key && new CacheKey(key), now, lockTimeoutMs, notice });
  }

  async token(renew?: TokenRefresh): Promise<string> {
    if (!renew) {
      if (this.#current && this.#current.expiresAt - this.#options.http.now() > 300_000) {
        return this.#current.secret;
      }
      await this.#load();
      this.#current = this.#cached();
      if (this.#current) return this.#givenOut(this.#current);
    } else if (renew.refused !== undefined && this.#current && this.#current.secret !== renew.refused) {
      return this.#current.secret; // another request has renewed it meanwhile
    }
    const stale = renew && this.#current?.secret;
    this.#renewal ??= this.#renewed(stale, renew).finally(() => this.#renewal = undefined);
    this.#current = await this.#renewal;
    return this.#givenOut(this.#current);
  }

  #givenOut({ secret }: CachedToken): string {
    this.#begun ??= this.#account();
    return secret;
  }

  async facts(): Promise<SessionInfo> {
    if (!this.#current) await this.#load();
    const account = this.#account();
    return {
      username: account?.username,
      tenantId: account?.realm,
      scopes: this.#current?.scopes ?? [],
      expiresAt: this.#current?.expiresAt,
      cache: this.#cache.path,
    };
  }

  includeAllDrives(): void {
    if (!this.#allDrives) this.#current = undefined;
    this.#allDrives = true;
  }

  async accounts(): Promise<AccountInfo[]> {
    await this.#cache.load();
    return toAccountInfo(this.#accounts(), this.#choice());
  }

  async accountType(): Promise<AccountType> {
    if (isConsumers(this.#registration().tenantId)) return "personal";
    if (!this.#current) await this.token();
    const account = this.#account();
    return account && isPersonal(account) ? "personal" : "work";
  }

  /** Forgets accounts and their tokens, in all tenants, on this machine; the service is not told. */
  async signOut({ all = false }: { all?: boolean } = {}): Promise<string[]> {
    const { clientId, environment } = this.#registration();
    if (!all) await this.#load();
    return await this.#cache.withLock(this.#options.http.signal, async () => {
      const forgotten = accountsToForget(this.#accounts(), this.#choice(), all);
      if (all) await this.#cache.forgetAll(clientId, environment);
      else if (forgotten.length > 0) await this.#cache.forget(clientId, environment, forgotten);
      this.#current = undefined;
      this.#begun = undefined;
      return [...new Set(forgotten.map(({ username }) => username))];
    });
  }

  /** Reads the cache, and finds out which tenant a domain is, where that decides between accounts. */
  async #load(): Promise<void> {
    await this.#cache.load();
    const { settings, http } = this.#options;
    const { tenantId } = this.#registration();
    if (this.#tenantId !== undefined || !isDomain(tenantId) || this.#accounts().length === 0) return;
    this.#tenantId = await resolveTenantId(tenantId, http, settings.loginOrigin);
  }

  async #renewed(stale: string | undefined, renewal: TokenRefresh | undefined): Promise<CachedToken> {
    const claims = renewal?.claims;
    let reason: GraphError;
    try {
      // Nobody waits for a person while holding the lock: polling can take 15 minutes.
      const renewedByOther = () => {
        const other = claims ? undefined : this.#cached();
        return other && other.secret !== stale ? other : undefined;
      };
      return await this.#cache.refreshOnce(
        this.#options.http.signal,
        renewedByOther,
        () => renewal?.again ? Promise.reject(stillRefused()) : this.#silent(stale !== undefined, claims),
      );
    } catch (error) {
      if (!(error instanceof GraphError) || !needsPerson(error)) throw error;
      reason = error;
    }
    const { interact, notice, access } = this.#options;
    const purpose = purposeOf(access, this.#allDrives);
    const permissions = this.#wanted().join(" ");
    if (!interact) throw needsConsent(reason) ? consentNeeded(reason, permissions, purpose) : reason;
    await this.#cache.checkWritable(this.#options.http.signal);
    if (needsConsent(reason)) {
      notice(`${purpose}, ${permissions} is needed: sign in and consent to it (${reason.code})`);
    } else if (reason.code !== "notSignedIn") notice(`${reason.message} (${reason.code})`);
    return await this.#byPerson(interact, claims ?? reason.claims);
  }

  async #silent(forceRefresh: boolean, claims: string | undefined): Promise<CachedToken> {
    const app = this.#account() && await this.#app({ mustWrite: false });
    const account = app && await this.#msalAccount(app);
    if (!account) {
      const { tenantId } = this.#registration();
      throw notSignedInError(this.#accounts(), { tenant: tenantId, wanted: this.#options.settings.account });
    }
    const result = await callMsal(() =>
      app.acquireTokenSilent({
        account,
        scopes: this.#scopes(),
        forceRefresh,
        ...(claims === undefined ? {} : { claims }),
      })
    );
    return tokenOf(result);
  }

  async #byPerson(interact: Interaction, claims: string | undefined): Promise<CachedToken> {
    const app = await this.#app({ mustWrite: false });
    const { http: { signal }, settings: { account: wanted } } = this.#options;
    const before = this.#account();
    const known = new Set(this.#accounts().map(({ homeAccountId }) => homeAccountId));
    const expected = wanted ?? (this.#begun ?? before)?.username;
    const request = { scopes: this.#scopes(), claims, loginHint: expected };
    const result = await callMsal(() => interact(app, request, signal));
    await this.#checkAccount(result, expected, known);
    if (result && isDomain(this.#registration().tenantId)) this.#tenantId = result.tenantId;
    return this.#checkScopes(tokenOf(result));
  }

  /** The service may grant less than it was asked for; what follows would be refused, and asked for again each time. */
  #checkScopes(token: CachedToken): CachedToken {
    const missing = this.#wanted().filter((scope) =>
      !token.scopes.some((granted) => scopeIncludes(granted, scope))
    );
    if (missing.length === 0) return token;
    throw new GraphError("refused", `signed in, but without the permission ${missing.join(" ")}`, {
      code: "missingScopes",
      hint:
        "add it to the app registration (README, Register an app), or sign in with an account that may use it",
    });
  }

  /** A run begun as one person must not go on as another; a sign-in that was not asked for is not kept. */
  async #checkAccount(
    result: Msal.AuthenticationResult | null,
    expected: string | undefined,
    known: ReadonlySet<string>,
  ): Promise<void> {
    const { clientId, environment } = this.#registration();
    const other = result?.account;
    if (!expected || !other?.username || other.username.toLowerCase() === expected.toLowerCase()) return;
    if (!known.has(other.homeAccountId)) {
      await this.#cache.withLock(this.#options.http.signal, async () => {
        const added = this.#accounts().filter(({ homeAccountId }) => homeAccountId === other.homeAccountId);
        await this.#cache.forget(clientId, environment, added);
      });
    }
    throw usageError(
      `signed in as ${other.username}, but ${expected} was asked for`,
      `sign in again as ${expected}, or say --account ${other.username}`,
      "otherAccount",
    );
  }

  #cached(): CachedToken | undefined {
    const account = this.#account();
    const { clientId, environment } = this.#registration();
    const { apiOrigin } = CLOUDS[this.#options.settings.cloud];
    return account && this.#cache.find({ clientId, environment, account, apiOrigin, scopes: this.#wanted() });
  }

  /** The one account that is meant; several without `--account` are an error, never a guess. */
  #account(): CachedAccount | undefined {
    const begun = this.#begun;
    if (begun) {
      return this.#accounts().find(({ homeAccountId, realm }) =>
        homeAccountId === begun.homeAccountId && realm === begun.realm
      );
    }
    return selectAccount(this.#accounts(), this.#choice());
  }

  #accounts(): CachedAccount[] {
    const { clientId, environment } = this.#registration();
    return this.#cache.accounts(clientId, environment);
  }

  #choice(): AccountSelector {
    const { tenantId } = this.#registration();
    return {
      tenant: isDomain(tenantId) ? this.#tenantId : tenantId,
      wanted: this.#options.settings.account,
    };
  }

  /** Without the permissions that personal accounts do not know, where one is meant (PROTOCOL 13.5). */
  #wanted(): readonly string[] {
    const account = this.#account();
    const personal = account ? isPersonal(account) : isConsumers(this.#registration().tenantId);
    const scopes = SCOPES[this.#options.access][this.#allDrives ? "all" : "own"];
    return scopes.filter((scope) => !personal || !scope.startsWith("Sites."));
  }

  async #msalAccount(app: Msal.PublicClientApplication): Promise<Msal.AccountInfo | undefined> {
    const meant = this.#account();
    const accounts = meant ? await callMsal(() => app.getTokenCache().getAllAccounts()) : [];
    const account = accounts.find(({ homeAccountId }) => homeAccountId === meant?.homeAccountId);
    // Without the tenant of the entry MSAL hands out the token of the home tenant for another one.
    return account && meant && { ...account, tenantId: meant.realm };
  }

  /** Full names outside of the global cloud, where short ones may not be resolved. */
  #scopes(): string[] {
    const { cloud } = this.#options.settings;
    return this.#wanted().map((scope) => cloud === "global" ? scope : `${CLOUDS[cloud].apiOrigin}/${scope}`);
  }

  #registration(): { clientId: string; tenantId: string; environment: string } {
    const { clientId, tenantId, cloud } = this.#options.settings;
    if (clientId && tenantId) return { clientId, tenantId, environment: CLOUDS[cloud].cacheEnvironment };
    throw usageError(
      `no app registration: ${clientId ? "" : "GRAPH_CLIENT_ID"}${clientId || tenantId ? "" : " and "}${
        tenantId ? "" : "GRAPH_TENANT_ID"
      } not set`,
      REGISTER,
      "noRegistration",
    );
  }

  async #app({ mustWrite }: { mustWrite: boolean }): Promise<Msal.PublicClientApplication> {
    const { clientId, tenantId } = this.#registration();
    const { settings, http, notice } = this.#options;
    const knownOrigin = CLOUDS[settings.cloud].loginOrigin;
    const { AuthError, PublicClientApplication } = await import("@azure/msal-node");
    return new PublicClientApplication({
      auth: { clientId, authority: `${knownOrigin}/${tenantId}` },
      cache: { cachePlugin: cachePlugin({ cache: this.#cache, signal: http.signal, notice, mustWrite }) },
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

const REGISTER = [
  "register one, once:",
  "  1. https://entra.microsoft.com > App registrations > New registration; a name, Accounts in this organizational directory only, Register",
  "  2. Overview: copy Application (client) ID to GRAPH_CLIENT_ID and Directory (tenant) ID to GRAPH_TENANT_ID",
  "  3. Authentication > Settings: Allow public client flows: Yes, Save",
  "  4. API permissions: add the delegated Microsoft Graph permissions that the README lists for each script",
].join("\n");

/** Whether a person could help: a new sign-in, or consent. */
function needsPerson(error: GraphError): boolean {
  return error.kind === "signInNeeded" || error.has("interaction_required") || needsConsent(error);
}

function needsConsent(error: GraphError): boolean {
  return error.has("consent_required") || error.code === "AADSTS65001";
}

function consentNeeded(error: GraphError, permissions: string, purpose: string): GraphError {
  return error.withMessage(`${error.message}: ${permissions}, ${purpose}`);
}

function stillRefused(): GraphError {
  return new GraphError("signInNeeded", "the service does not accept a renewed sign-in either", {
    code: "claimsDemanded",
    hint: `sign in again with: ${commandName("whoami")}`,
  });
}

function tokenOf(result: Msal.AuthenticationResult | null): CachedToken {
  if (!result) {
    throw new GraphError("failed", "sign-in: no token came", {
      code: "invalidAnswer",
      hint: "run the same command again",
    });
  }
  return {
    secret: result.accessToken,
    scopes: result.scopes.map(shortScope),
    expiresAt: result.expiresOn?.getTime() ?? 0,
  };
}
