/**
 * The sign-in of a person, kept in the token cache, and its silent renewal. MSAL is loaded only when no cached access token
 * is good for five more minutes.
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import { authNetwork } from "./auth_network.ts";
import { CacheKey } from "./cache_key.ts";
import { cachePlugin } from "./cache_plugin.ts";
import {
  type CachedAccount,
  type CachedToken,
  covers,
  isOfTenant,
  PERSONAL_TENANT,
  shortScope,
} from "./cached_tokens.ts";
import { CLOUDS } from "../clouds.ts";
import { GraphError, usageError } from "../errors.ts";
import type { TokenSource } from "../graph/graph.ts";
import type { Http } from "../graph/http.ts";
import type { Interaction } from "./interaction.ts";
import { explainMsal, notSignedIn } from "./msal_error.ts";
import type { Settings } from "../settings.ts";
import { TokenCache } from "./token_cache.ts";

/** How {@linkcode SignIn} works. */
export interface SignInOptions {
  settings: Settings;
  /** Delegated permissions to ask for, by their short names. */
  scopes: readonly string[];
  http: Http;
  /** How a person signs in; without it nobody is ever asked. */
  interact: Interaction | undefined;
  /** Told what a person should know, such as a cache that was set aside. */
  notice: (text: string) => void;
}

/** Who is signed in, and with what. */
export interface SessionFacts {
  username: string | undefined;
  tenantId: string | undefined;
  scopes: string[];
  /** Milliseconds since 1970. */
  expiresAt: number | undefined;
  /** Path of the token cache; `undefined` when a ready token is used. */
  cache: string | undefined;
  /** Client id of an app that acts for nobody. */
  app?: string;
}

/** A token source that can tell about itself. */
export interface Session extends TokenSource {
  facts(): Promise<SessionFacts>;
  /**
   * Forgets the chosen sign-in on this machine, or all of them.
   *
   * @returns The user names that were forgotten.
   */
  signOut(all?: boolean): Promise<string[]>;
  /** The accounts that are signed in on this machine, with this app in this cloud. */
  accounts(): Promise<AccountFacts[]>;
}

/** A signed-in account, as `whoami --accounts --json` prints it. */
export interface AccountFacts {
  userPrincipalName: string;
  displayName: string | null;
  tenantId: string;
  /** Tenant in which the account lives; another one than `tenantId` for a guest. */
  homeTenantId: string;
  kind: "work" | "personal";
  /** Whether scripts use it with the present settings. */
  chosen: boolean;
}

/** The sign-in of a person, kept in the token cache. */
export class SignIn implements Session {
  readonly #options: SignInOptions;
  readonly #cache: TokenCache;
  #current: CachedToken | undefined;

  constructor(options: SignInOptions) {
    this.#options = options;
    const { settings: { tokenCache: path, tokenCacheKey: key }, http: { now }, notice } = options;
    this.#cache = new TokenCache({ path, key: key && new CacheKey(key), now, notice });
  }

  async token(renew?: { claims: string | undefined }): Promise<string> {
    const stale = renew && this.#current?.secret;
    if (!renew) {
      if (this.#current && this.#current.expiresAt - this.#options.http.now() > 300_000) {
        return this.#current.secret;
      }
      await this.#cache.load();
      this.#current = this.#cached();
      if (this.#current) return this.#current.secret;
    }
    this.#current = await this.#renewed(stale, renew?.claims);
    return this.#current.secret;
  }

  async facts(): Promise<SessionFacts> {
    if (!this.#current) await this.#cache.load();
    const account = this.#account();
    return {
      username: account?.username,
      tenantId: account?.realm,
      scopes: this.#current?.scopes ?? [],
      expiresAt: this.#current?.expiresAt,
      cache: this.#cache.path,
    };
  }

  async signOut(all = false): Promise<string[]> {
    const app = await this.#app({ mustWrite: true });
    return await this.#cache.exclusively(this.#options.http.signal, async () => {
      const chosen = all ? undefined : this.#account();
      const meant = all ? this.#accounts() : chosen ? [chosen] : [];
      const known = meant.length > 0 ? await explainMsal(() => app.getTokenCache().getAllAccounts()) : [];
      for (const account of known) {
        if (!meant.some(({ homeAccountId }) => homeAccountId === account.homeAccountId)) continue;
        await app.getTokenCache().removeAccount(account);
      }
      this.#current = undefined;
      return [...new Set(meant.map(({ username }) => username))];
    });
  }

  async accounts(): Promise<AccountFacts[]> {
    await this.#cache.load();
    const meant = this.#meant();
    return this.#accounts().map((account) => ({
      userPrincipalName: account.username,
      displayName: account.name ?? null,
      tenantId: account.realm,
      homeTenantId: account.homeTenantId,
      kind: account.realm.toLowerCase() === PERSONAL_TENANT ? "personal" : "work",
      chosen: meant.length === 1 && isSameAccount(meant[0]!, account),
    }));
  }

  async #renewed(stale: string | undefined, claims: string | undefined): Promise<CachedToken> {
    const { clientId } = this.#registration();
    let reason: GraphError;
    try {
      // Nobody waits for a person while holding the lock: polling can take 15 minutes.
      const renewedByOther = () => {
        const other = claims ? undefined : this.#cached();
        return other && other.secret !== stale ? other : undefined;
      };
      return await this.#cache.renewing(
        this.#options.http.signal,
        renewedByOther,
        () => this.#silent(stale !== undefined, claims),
      );
    } catch (error) {
      if (!(error instanceof GraphError) || !needsPerson(error)) throw error;
      reason = error;
    }
    const { interact } = this.#options;
    if (!interact) throw reason;
    await this.#cache.checkWritable(this.#options.http.signal);
    if (reason.code !== "notSignedIn") this.#options.notice(`${reason.message} (${reason.code})`);
    return await this.#byPerson(interact, clientId, claims ?? reason.claims);
  }

  async #silent(forceRefresh: boolean, claims: string | undefined): Promise<CachedToken> {
    const app = this.#account() && await this.#app({ mustWrite: false });
    const account = app && await this.#msalAccount(app);
    if (!account) throw notSignedIn(this.#options.settings.account, this.#accounts());
    const result = await explainMsal(() =>
      app.acquireTokenSilent({
        account,
        scopes: this.#scopes(),
        forceRefresh,
        ...(claims === undefined ? {} : { claims }),
      })
    );
    return tokenOf(result);
  }

  async #byPerson(
    interact: Interaction,
    clientId: string,
    claims: string | undefined,
  ): Promise<CachedToken> {
    const app = await this.#app({ mustWrite: false });
    const { http: { signal }, settings: { account: loginHint } } = this.#options;
    const request = { scopes: this.#scopes(), claims, loginHint };
    const result = await explainMsal(() => interact(app, request, signal));
    this.#checkAccount(result, clientId);
    return this.#checkScopes(tokenOf(result));
  }

  /** The service may grant less than it was asked for; what follows would be refused, and asked for again each time. */
  #checkScopes(token: CachedToken): CachedToken {
    const missing = this.#wanted.filter((scope) => !token.scopes.some((granted) => covers(granted, scope)));
    if (missing.length === 0) return token;
    throw new GraphError("refused", `signed in, but without the permission ${missing.join(" ")}`, {
      code: "missingScopes",
      hint:
        "add it to the app registration (README, Register an app), or sign in with an account that may use it",
    });
  }

  #checkAccount(result: Msal.AuthenticationResult | null, clientId: string): void {
    const { account } = this.#options.settings;
    const signedIn = result?.account?.username;
    if (account && signedIn && signedIn.toLowerCase() !== account.toLowerCase()) {
      throw usageError(
        `signed in as ${signedIn}, but ${account} was asked for`,
        `sign in again as ${account}, or leave out --account (app ${clientId})`,
        "otherAccount",
      );
    }
  }

  #cached(): CachedToken | undefined {
    const account = this.#account();
    const { clientId, environment } = this.#registration();
    return account && this.#cache.find({ clientId, environment, account, scopes: this.#wanted });
  }

  /** The one account that is meant; several without `--account` are an error, never a guess. */
  #account(): CachedAccount | undefined {
    const meant = this.#meant();
    if (meant.length <= 1) return meant[0];
    const names = meant.map(({ username, realm }) => `${username} (tenant ${realm})`);
    const several = new Set(meant.map(({ username }) => username.toLowerCase())).size > 1;
    throw usageError(
      `several accounts are signed in: ${names.join(", ")}`,
      several ? "choose one with --account or GRAPH_ACCOUNT" : "choose one with --tenant or GRAPH_TENANT_ID",
      "ambiguousAccount",
    );
  }

  #meant(): CachedAccount[] {
    const { tenantId } = this.#registration();
    const wanted = this.#options.settings.account?.toLowerCase();
    return this.#accounts().filter((account) =>
      isOfTenant(account, tenantId) && (wanted === undefined || account.username.toLowerCase() === wanted)
    );
  }

  #accounts(): CachedAccount[] {
    const { clientId, environment } = this.#registration();
    return this.#cache.accounts(clientId, environment);
  }

  async #msalAccount(app: Msal.PublicClientApplication): Promise<Msal.AccountInfo | undefined> {
    const meant = this.#account();
    const accounts = meant ? await explainMsal(() => app.getTokenCache().getAllAccounts()) : [];
    const account = accounts.find(({ homeAccountId }) => homeAccountId === meant?.homeAccountId);
    // Without the tenant of the entry MSAL hands out the token of the home tenant for another one.
    return account && meant && { ...account, tenantId: meant.realm };
  }

  /** Permissions for sites do not exist for personal accounts, and asking for them fails (graph-protocol 13.5). */
  get #wanted(): readonly string[] {
    const { tenantId } = this.#registration();
    const isPersonal = tenantId.toLowerCase() === "consumers" ||
      this.#account()?.realm.toLowerCase() === PERSONAL_TENANT;
    return this.#options.scopes.filter((scope) => !(isPersonal && scope.startsWith("Sites.")));
  }

  /** Full names outside of the global cloud, where short ones may not be resolved. */
  #scopes(): string[] {
    const { cloud } = this.#options.settings;
    return this.#wanted.map((scope) => cloud === "global" ? scope : `${CLOUDS[cloud].apiOrigin}/${scope}`);
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
        networkClient: authNetwork(AuthError, { http, knownOrigin, loginOrigin: settings.loginOrigin }),
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

function isSameAccount(one: CachedAccount, other: CachedAccount): boolean {
  return one.homeAccountId === other.homeAccountId && one.realm === other.realm;
}

/** Whether a person could help: a new sign-in, or consent. */
function needsPerson(error: GraphError): boolean {
  return error.kind === "signInNeeded" || error.has("consent_required") ||
    error.has("interaction_required") || error.code === "AADSTS65001";
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
