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
import { type CachedAccount, type CachedToken, covers, shortScope } from "./cached_tokens.ts";
import { CLOUDS } from "./clouds.ts";
import { GraphError, usageError } from "./errors.ts";
import type { TokenSource } from "./graph.ts";
import type { Http } from "./http.ts";
import type { Interaction } from "./interaction.ts";
import { explainMsal, notSignedIn } from "./msal_error.ts";
import type { Settings } from "./settings.ts";
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
  /** Forgets the sign-in on this machine; `false` when nobody was signed in. */
  signOut(): Promise<boolean>;
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

  /** Forgets the account and its tokens on this machine; `false` when nobody was signed in. */
  async signOut(): Promise<boolean> {
    const app = await this.#app({ mustWrite: true });
    return await this.#cache.exclusively(this.#options.http.signal, async () => {
      const account = await this.#msalAccount(app);
      if (!account) return false;
      await app.getTokenCache().removeAccount(account);
      this.#current = undefined;
      return true;
    });
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
    if (!account) throw notSignedIn();
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
    const missing = this.#options.scopes.filter((scope) =>
      !token.scopes.some((granted) => covers(granted, scope))
    );
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
    return account && this.#cache.find({ clientId, environment, account, scopes: this.#options.scopes });
  }

  /** The one account that is meant; several without `--account` are an error, never a guess. */
  #account(): CachedAccount | undefined {
    const { clientId, tenantId, environment } = this.#registration();
    const wanted = this.#options.settings.account?.toLowerCase();
    const inTenant = this.#cache.accounts(clientId, environment).filter((account) =>
      !/^[0-9a-f-]{36}$/i.test(tenantId) || account.realm.toLowerCase() === tenantId.toLowerCase()
    );
    const meant = wanted === undefined
      ? inTenant
      : inTenant.filter((account) => account.username.toLowerCase() === wanted);
    if (meant.length <= 1) return meant[0];
    throw usageError(
      `several accounts are signed in: ${meant.map((account) => account.username).join(", ")}`,
      "choose one with --account or GRAPH_ACCOUNT",
      "ambiguousAccount",
    );
  }

  async #msalAccount(app: Msal.PublicClientApplication): Promise<Msal.AccountInfo | undefined> {
    const meant = this.#account();
    const accounts = meant ? await explainMsal(() => app.getTokenCache().getAllAccounts()) : [];
    const account = accounts.find(({ homeAccountId }) => homeAccountId === meant?.homeAccountId);
    // Without the tenant of the entry MSAL hands out the token of the home tenant for another one.
    return account && meant && { ...account, tenantId: meant.realm };
  }

  /** Full names outside of the global cloud, where short ones may not be resolved. */
  #scopes(): string[] {
    const { cloud } = this.#options.settings;
    return this.#options.scopes.map((scope) =>
      cloud === "global" ? scope : `${CLOUDS[cloud].apiOrigin}/${scope}`
    );
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
