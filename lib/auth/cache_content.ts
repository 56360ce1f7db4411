/**
 * The content of a token cache, in MSAL's own format, and the fast path over it: a cached access token that is still good
 * is used without loading MSAL, which costs about 100 ms.
 *
 * @module
 */

/** Renew when less than this is left; MSAL uses the same. */
const MIN_LIFE_SECONDS = 300;
const SECTIONS = ["Account", "IdToken", "AccessToken", "RefreshToken", "AppMetadata"] as const;

type Entry = Record<string, unknown>;
type Section = Record<string, Entry>;

/** What MSAL keeps. */
export type CacheContent = Partial<Record<typeof SECTIONS[number], Section>>;

/** An account of the cache, by MSAL's names. */
export interface CachedAccount {
  homeAccountId: string;
  /** Tenant of the tokens; for a guest another one than that of the account itself. */
  realm: string;
  username: string;
  name: string | undefined;
}

/** An access token of the cache. */
export interface CachedToken {
  secret: string;
  scopes: string[];
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** What is looked for in the cache. */
export interface TokenQuery {
  clientId: string;
  /** MSAL's name of the cloud: `login.windows.net` for the global one. */
  environment: string;
  account: CachedAccount;
  /** Of the API; two clouds share their sign-in, and so the names of their accounts, but no tokens. */
  apiOrigin: string;
  /** Without the origin of the API. */
  scopes: readonly string[];
}

/** Fields of entries that MSAL works with as texts. Times may be numbers: some of its siblings write them so. */
const TEXTS = [
  ..."home_account_id environment credential_type client_id secret realm target token_type family_id".split(
    " ",
  ),
  ..."local_account_id username authority_type name client_info nativeAccountId".split(" "),
  ..."userAssertionHash requestedClaims requestedClaimsHash keyId".split(" "),
];
const TIMES = ["cached_at", "expires_on", "extended_expires_on", "refresh_on"];

/** The content of a cache, or `undefined` when MSAL could not live with it. */
export function parseCacheContent(value: Record<string, unknown>): CacheContent | undefined {
  for (const name of SECTIONS) {
    const section = value[name];
    if (section === undefined) continue;
    if (!isObject(section) || !Object.values(section).every(isEntry)) return undefined;
  }
  // A file of some other program is JSON too.
  const known = Object.keys(value).some((name) => (SECTIONS as readonly string[]).includes(name));
  return known || Object.keys(value).length === 0 ? value : undefined;
}

/** The signed-in accounts of one client in one cloud. */
export function listAccounts(content: CacheContent, clientId: string, environment: string): CachedAccount[] {
  // Accounts are not bound to a client in MSAL's format; refresh tokens are.
  const ours = new Set(
    Object.values(content.RefreshToken ?? {})
      .filter((entry) => entry.client_id === clientId && entry.environment === environment)
      .map((entry) => entry.home_account_id),
  );
  const tokens = [...Object.values(content.IdToken ?? {}), ...Object.values(content.AccessToken ?? {})]
    .filter((entry) => entry.client_id === clientId && entry.environment === environment);
  const found = new Map<string, CachedAccount>();
  for (const entry of Object.values(content.Account ?? {})) {
    if (entry.environment !== environment || !ours.has(entry.home_account_id)) continue;
    // The realm of the account itself is the tenant that the person comes from, not the one of a guest's tokens.
    const realms = tokens.filter((token) => token.home_account_id === entry.home_account_id)
      .map(({ realm }) => String(realm));
    for (const realm of realms.length > 0 ? realms : [String(entry.realm)]) {
      const homeAccountId = String(entry.home_account_id);
      found.set(`${homeAccountId} ${realm}`, {
        homeAccountId,
        realm,
        username: String(entry.username ?? ""),
        name: typeof entry.name === "string" ? entry.name : undefined,
      });
    }
  }
  return [...found.values()];
}

/** The content without these accounts of one client in one cloud; what is another client's stays. */
export function withoutAccounts(
  content: CacheContent,
  clientId: string,
  environment: string,
  accounts: readonly CachedAccount[],
): CacheContent {
  const gone = new Set<unknown>(accounts.map(({ homeAccountId }) => homeAccountId));
  const kept = (section: Section | undefined, isGone: (entry: Entry) => boolean): Section =>
    Object.fromEntries(Object.entries(section ?? {}).filter(([, entry]) => !isGone(entry)));
  const ours = (entry: Entry) =>
    entry.client_id === clientId && entry.environment === environment && gone.has(entry.home_account_id);
  const RefreshToken = kept(content.RefreshToken, ours);
  const others = new Set(
    Object.values(RefreshToken).filter((entry) => entry.environment === environment)
      .map((entry) => entry.home_account_id),
  );
  return {
    ...content,
    RefreshToken,
    AccessToken: kept(content.AccessToken, ours),
    IdToken: kept(content.IdToken, ours),
    Account: kept(
      content.Account,
      (entry) =>
        entry.environment === environment && gone.has(entry.home_account_id) &&
        !others.has(entry.home_account_id),
    ),
  };
}

/** The content without anything of one client in one cloud, also what belongs to no account, as tokens of an app do. */
export function withoutClient(content: CacheContent, clientId: string, environment: string): CacheContent {
  const accounts = Object.values(content.Account ?? {}).map((entry) => ({
    homeAccountId: String(entry.home_account_id),
    realm: String(entry.realm),
    username: "",
    name: undefined,
  }));
  const { RefreshToken, AccessToken, IdToken, ...rest } = withoutAccounts(
    content,
    clientId,
    environment,
    accounts,
  );
  const kept = (section: Section | undefined): Section =>
    Object.fromEntries(
      Object.entries(section ?? {}).filter(([, entry]) =>
        entry.client_id !== clientId || entry.environment !== environment
      ),
    );
  return {
    ...rest,
    RefreshToken: kept(RefreshToken),
    AccessToken: kept(AccessToken),
    IdToken: kept(IdToken),
  };
}

/**
 * A token that is good for five more minutes. Anything odd about an entry leaves it to MSAL.
 *
 * @param now Milliseconds since 1970.
 */
export function findToken(content: CacheContent, query: TokenQuery, now: number): CachedToken | undefined {
  const seconds = now / 1000;
  for (const entry of Object.values(content.AccessToken ?? {})) {
    if (isForOther(entry, query.apiOrigin)) continue;
    const scopes = String(entry.target ?? "").split(" ").map(shortScope);
    const wanted = query.scopes.every((scope) => scopes.some((granted) => scopeIncludes(granted, scope)));
    if (
      wanted && entry.client_id === query.clientId && entry.environment === query.environment &&
      entry.home_account_id === query.account.homeAccountId && entry.realm === query.account.realm &&
      typeof entry.secret === "string" && entry.secret !== "" &&
      Number(entry.cached_at) <= seconds + 1 && // MSAL rounds to the nearest second
      Number(entry.expires_on) - MIN_LIFE_SECONDS > seconds &&
      !(Number(entry.refresh_on) <= seconds) && !entry.requestedClaims
    ) {
      return { secret: entry.secret, scopes, expiresAt: Number(entry.expires_on) * 1000 };
    }
  }
  return undefined;
}

/** A token that may have expired, and when it was kept. */
export interface StoredToken extends CachedToken {
  /** Milliseconds since 1970. */
  keptAt: number;
}

/** All access tokens of an account, expired ones too, the one that lives longest first. */
export function listTokens(content: CacheContent, query: Omit<TokenQuery, "scopes">): StoredToken[] {
  return Object.values(content.AccessToken ?? {})
    .filter((entry) =>
      entry.client_id === query.clientId && entry.environment === query.environment &&
      entry.home_account_id === query.account.homeAccountId && entry.realm === query.account.realm &&
      typeof entry.secret === "string" && entry.secret !== "" && !isForOther(entry, query.apiOrigin)
    )
    .map((entry) => ({
      secret: String(entry.secret),
      scopes: String(entry.target ?? "").split(" ").filter(Boolean).map(shortScope),
      expiresAt: Number(entry.expires_on) * 1000 || 0,
      keptAt: Number(entry.cached_at) * 1000 || 0,
    }))
    .toSorted((a, b) => b.expiresAt - a.expiresAt);
}

/** A token of an app by itself that is good for five more minutes. */
export function findAppToken(
  content: CacheContent,
  { tenantId, ...app }: Omit<TokenQuery, "account" | "scopes"> & { tenantId: string },
  now: number,
): CachedToken | undefined {
  const account = { homeAccountId: "", realm: tenantId.toLowerCase(), username: "", name: undefined };
  const own = Object.entries(content.AccessToken ?? {}).filter(([, entry]) => !entry.home_account_id)
    // A tenant may be given in any case.
    .map((
      [key, entry],
    ) => [key, { ...entry, home_account_id: "", realm: String(entry.realm).toLowerCase() }]);
  const query = { ...app, account, scopes: [".default"] };
  return findToken({ AccessToken: Object.fromEntries(own) }, query, now);
}

/** `Files.ReadWrite.All` is good for all that `Files.Read` is. MSAL keeps one of two tokens whose scopes overlap. */
export function scopeIncludes(granted: string, wanted: string): boolean {
  const least = wanted.toLowerCase();
  const writing = least.replace(".read", ".readwrite");
  return [least, `${least}.all`, writing, `${writing}.all`].includes(granted.toLowerCase());
}

/** National clouds and some answers write scopes with the origin of the API in front. */
export function shortScope(scope: string): string {
  return scope.replace(/^https:\/\/[^/]+\//, "");
}

/** Whether the scopes of a token name another API than this one; short ones name none. */
function isForOther({ target }: Entry, apiOrigin: string): boolean {
  const named = String(target ?? "").split(" ").filter((scope) => scope.startsWith("https://"));
  return named.some((scope) => !scope.startsWith(`${apiOrigin}/`));
}

/** A text as a JSON object; `undefined` when it is none. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // told by who asked
  }
}

function isEntry(value: unknown): boolean {
  if (!isObject(value)) return false;
  const is = (names: readonly string[], ...types: string[]) =>
    names.every((name) => [...types, "undefined"].includes(typeof (value[name] ?? undefined)));
  return is(TEXTS, "string") && is(TIMES, "string", "number");
}

function isObject(value: unknown): value is Record<string, Entry> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
