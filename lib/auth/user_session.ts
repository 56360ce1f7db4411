/**
 * The sign-in of a user, kept in the token cache and renewed silently.
 *
 * @module
 */
import {
  type AccountInfo,
  type AccountSelector,
  isConsumers,
  isPersonal,
  notSignedInError,
  selectAccount,
  toAccountInfo,
} from "./accounts.ts";
import {
  type CachedAccount,
  type CachedToken,
  findToken,
  listAccounts,
  type Registration,
  withoutAccount,
} from "./cache_content.ts";
import type { Interaction } from "./interaction.ts";
import { callMsal, type Msal, openUserApp, registrationOf, tokenOf, tokenRequest } from "./msal.ts";
import {
  type Access,
  type AccountType,
  type AuthContext,
  type AuthSession,
  type Reach,
  REACH_SCOPES,
  SCOPES,
  type SessionInfo,
  type TokenRefresh,
} from "./session.ts";
import { type LockedCache, TokenCache, TokenRenewal } from "./token_cache.ts";
import { CLOUDS } from "../clouds.ts";
import { GraphError, isGraphError, usageError } from "../errors.ts";

interface UserSessionOptions extends AuthContext {
  access: Access;
  /** How the user signs in. @default not at all: a missing sign-in is an error */
  interact: Interaction | undefined;
}

export class UserSession implements AuthSession {
  readonly #options: UserSessionOptions;
  readonly #cache: TokenCache;
  readonly #tokens: TokenRenewal;
  readonly #reach = new Set<Reach>();
  /** The selected account, as of the last reading of the cache. */
  #account: CachedAccount | undefined;
  /** The account of the first token: another process may sign in another account meanwhile. */
  #first: CachedAccount | undefined;

  constructor(options: UserSessionOptions) {
    this.#options = options;
    this.#cache = new TokenCache(options);
    this.#tokens = new TokenRenewal({
      cache: this.#cache,
      find: () => this.#find(),
      acquire: (file, refresh) => this.#acquire(file, refresh),
      recover: (error, refresh) => this.#recover(error, refresh),
    });
  }

  async token(refresh?: TokenRefresh): Promise<string> {
    const { secret } = await this.#tokens.get(refresh);
    this.#first ??= this.#account;
    return secret;
  }

  async info(): Promise<SessionInfo> {
    const { current } = this.#tokens;
    if (!current) await this.#load();
    return {
      username: this.#account?.username,
      tenantId: this.#account?.realm,
      scopes: current?.scopes ?? [],
      expiresAt: current?.expiresAt,
      cache: this.#cache.path,
    };
  }

  include(reach: Reach): void {
    if (!this.#reach.has(reach)) this.#tokens.reset();
    this.#reach.add(reach);
  }

  async accounts(): Promise<AccountInfo[]> {
    const registration = this.#registration;
    await this.#cache.load();
    return toAccountInfo(listAccounts(this.#cache.last.content, registration), this.#selector);
  }

  async accountType(): Promise<AccountType> {
    if (isConsumers(this.#registration.tenantId)) return "personal";
    if (!this.#tokens.current) await this.token();
    return this.#account && isPersonal(this.#account) ? "personal" : "work";
  }

  /** Removes accounts and their tokens, in all tenants, from this machine; the service is not involved. */
  async signOut({ all = false }: { all?: boolean } = {}): Promise<string[]> {
    const selector = this.#selector;
    await using file = await this.#cache.lock();
    const { content } = this.#cache.last;
    const account = all ? undefined : selectAccount(this.#accounts, selector);
    const names = (all ? this.#accounts : account ? [account] : []).map(({ username }) => username);
    if (all) await file.remove(); // with app-only tokens, which belong to no account
    if (account) await file.write(JSON.stringify(withoutAccount(content, account)));
    this.#tokens.reset();
    this.#first = undefined;
    return [...new Set(names)];
  }

  async #load(): Promise<void> {
    await this.#cache.load();
    this.#selectAccount();
  }

  /** Selects the account; the session never changes it. */
  #selectAccount(): void {
    const first = this.#first;
    this.#account = first
      ? this.#accounts.find((account) =>
        account.homeAccountId === first.homeAccountId && account.realm === first.realm
      )
      : selectAccount(this.#accounts, this.#selector);
  }

  #find(): CachedToken | undefined {
    this.#selectAccount();
    const account = this.#account;
    const query = account && { ...this.#registration, account, scopes: this.#wantedScopes() };
    return query && findToken(this.#cache.last.content, query, this.#options.http.now());
  }

  async #acquire(file: LockedCache, refresh: TokenRefresh | undefined): Promise<CachedToken> {
    if (refresh?.again) {
      const why = "the service rejects the renewed sign-in as well";
      throw new GraphError("signInNeeded", why, { code: "claimsDemanded" });
    }
    const account = this.#account;
    if (!account) throw notSignedInError(this.#accounts, this.#selector);
    const { homeAccountId, realm: tenantId, username } = account;
    const { environment } = this.#registration;
    const app = await this.#openApp(file);
    const request = {
      ...tokenRequest(this.#requestedScopes(), refresh?.claims),
      account: { homeAccountId, environment, tenantId, username, localAccountId: "" },
      forceRefresh: refresh !== undefined,
    };
    return tokenOf(await callMsal(() => app.acquireTokenSilent(request)));
  }

  /** Asks the user, where that can help. */
  async #recover(error: unknown, refresh: TokenRefresh | undefined): Promise<CachedToken> {
    if (!isGraphError(error) || !canUserHelp(error)) throw error;
    const { interact, notice } = this.#options;
    const reason = needsConsent(error) ? error.withMessage(`${error.message}: ${this.#purpose}`) : error;
    if (!interact) throw reason;
    await (await this.#cache.lock())[Symbol.asyncDispose](); // before the user spends minutes on a sign-in that cannot be kept
    if (error.code !== "notSignedIn") notice(`${reason.message} (${error.code})`);
    return await this.#signIn(interact, refresh?.claims ?? error.claims);
  }

  get #purpose(): string {
    const { access } = this.#options;
    const files = this.#reach.size > 0 ? "files of sites and other drives" : "files of your OneDrive";
    return `${this.#wantedScopes().join(" ")}, to ${
      access === "identity" ? "show who is signed in" : `${access} ${files}`
    }`;
  }

  async #signIn(interact: Interaction, claims: string | undefined): Promise<CachedToken> {
    const { http: { signal }, settings: { account: wanted } } = this.#options;
    const app = await this.#openApp();
    const expected = wanted ?? (this.#first ?? this.#account)?.username;
    const request = tokenRequest(this.#requestedScopes(), claims);
    const result = await callMsal(() => interact(app, request, expected, signal));
    const actual = result?.account?.username;
    // A run must not continue as another account.
    if (expected && actual && actual.toLowerCase() !== expected.toLowerCase()) {
      const why = `signed in as ${actual}, but ${expected} was requested`;
      throw new GraphError("usage", why, { code: "otherAccount", subject: actual });
    }
    this.#selectAccount();
    return tokenOf(result);
  }

  /** Permissions without their API, and without those that personal accounts do not have (PROTOCOL 13.5). */
  #wantedScopes(): string[] {
    const account = this.#account;
    const personal = account ? isPersonal(account) : isConsumers(this.#registration.tenantId);
    const { [this.#options.access]: files } = SCOPES;
    const scopes = [
      ...files[this.#reach.size > 0 ? "all" : "own"],
      ...[...this.#reach].flatMap((reach) => REACH_SCOPES[reach]),
    ];
    return scopes.filter((scope) => !personal || !scope.startsWith("Sites."));
  }

  /** Full names outside of the global cloud, where short ones may not be resolved. */
  #requestedScopes(): string[] {
    const { cloud } = this.#options.settings;
    return this.#wantedScopes().map((scope) =>
      cloud === "global" ? scope : `${CLOUDS[cloud].apiOrigin}/${scope}`
    );
  }

  #openApp(file?: LockedCache): Promise<Msal.PublicClientApplication> {
    return openUserApp({ ...this.#options, registration: this.#registration, cache: this.#cache }, file);
  }

  get #selector(): AccountSelector {
    return { tenant: this.#registration.tenantId, wanted: this.#options.settings.account };
  }

  /** All accounts of this registration, as of the last reading of the cache. */
  get #accounts(): CachedAccount[] {
    return listAccounts(this.#cache.last.content, this.#registration);
  }

  get #registration(): Registration {
    const registration = registrationOf(this.#options.settings);
    if (registration) return registration;
    const why = "no app registration: GRAPH_CLIENT_ID or GRAPH_TENANT_ID is not set";
    throw usageError(why, REGISTER, "noRegistration");
  }
}

const REGISTER = [
  "register one, once:",
  "  1. https://entra.microsoft.com > App registrations > New registration; a name, Accounts in this organizational directory only, Register",
  "  2. Overview: copy Application (client) ID to GRAPH_CLIENT_ID and Directory (tenant) ID to GRAPH_TENANT_ID",
  "  3. Authentication > Settings: Allow public client flows: Yes, Save",
  "  4. API permissions: add the delegated Microsoft Graph permissions that the README lists for each script",
].join("\n");

/** Whether a new sign-in or consent could help. */
function canUserHelp(error: GraphError): boolean {
  return error.kind === "signInNeeded" || error.has("interaction_required") || needsConsent(error);
}

function needsConsent(error: GraphError): boolean {
  return error.has("consent_required") || error.has("AADSTS65001");
}
