/**
 * The content of a token cache, in MSAL's own format. A cached access token that is still valid is found here without
 * loading MSAL, which costs about 100 ms.
 *
 * @module
 */
import { isJsonObject } from "../json.ts";

/** A token with less than this left is renewed; MSAL uses the same. */
export const MIN_LIFE_MS = 300_000;
/** MSAL rounds times to the nearest second. */
const ROUNDING_MS = 1_000;
const SECTIONS = ["Account", "IdToken", "AccessToken", "RefreshToken", "AppMetadata"] as const;

type Entry = Record<string, unknown>;
type Section = Record<string, Entry>;

/** The sections of a cache that the library knows. */
export type CacheContent = Partial<Record<typeof SECTIONS[number], Section>>;

/** Whose entries are meant: one client in one cloud. */
export interface CacheClient {
  clientId: string;
  /** MSAL's name of the cloud: `login.windows.net` for the global one. */
  environment: string;
}

/** An account in the cache, with MSAL's names. */
export interface CachedAccount {
  homeAccountId: string;
  /** Tenant of the tokens; for a guest not the tenant of the account itself. */
  realm: string;
  username: string;
  name: string | undefined;
}

/** An access token in the cache. */
export interface CachedToken {
  secret: string;
  scopes: string[];
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** A cached token that may have expired. */
export interface StoredToken extends CachedToken {
  /** When it was stored, in milliseconds since 1970. */
  keptAt: number;
}

/** What to look for in the cache. */
export interface TokenQuery extends CacheClient {
  account: Pick<CachedAccount, "homeAccountId" | "realm">;
  /** Origin of the API: two clouds share their accounts, but no tokens. */
  apiOrigin: string;
  /** Without the origin of the API. */
  scopes: readonly string[];
}

/** Fields that MSAL expects to be strings. Some of its siblings write times as numbers. */
const STRINGS =
  `home_account_id environment credential_type client_id secret realm target token_type family_id
  local_account_id username authority_type name client_info nativeAccountId
  userAssertionHash requestedClaims requestedClaimsHash keyId`.split(/\s+/);
const TIMES = ["cached_at", "expires_on", "extended_expires_on", "refresh_on"];

/** Checks the content of a cache; `undefined` when MSAL could not work with it. */
export function parseCacheContent(value: Record<string, unknown>): CacheContent | undefined {
  const names = Object.keys(value);
  const known = SECTIONS.filter((name) => value[name] !== undefined);
  if (names.length > 0 && known.length === 0) return undefined; // JSON of another program
  return known.every((name) => isSection(value[name])) ? value : undefined;
}

function isSection(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).every(isEntry);
}

function isEntry(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const hasTypes = (names: readonly string[], ...types: string[]) =>
    names.every((name) => [...types, "undefined"].includes(typeof (value[name] ?? undefined)));
  return hasTypes(STRINGS, "string") && hasTypes(TIMES, "string", "number");
}

/** Lists the signed-in accounts, once per tenant for which there are tokens. */
export function listAccounts(content: CacheContent, client: CacheClient): CachedAccount[] {
  // In MSAL's format accounts are not bound to a client, but refresh tokens are.
  const signedIn = new Set(entriesOf(content.RefreshToken, client).map((entry) => entry.home_account_id));
  const tokens = [...entriesOf(content.IdToken, client), ...entriesOf(content.AccessToken, client)];
  const found = new Map<string, CachedAccount>();
  for (const entry of Object.values(content.Account ?? {})) {
    if (entry.environment !== client.environment || !signedIn.has(entry.home_account_id)) continue;
    const homeAccountId = String(entry.home_account_id);
    // The realm of the account is its home tenant; tokens of a guest have another one.
    const realms = tokens.filter((token) => token.home_account_id === entry.home_account_id)
      .map(({ realm }) => String(realm));
    for (const realm of realms.length > 0 ? realms : [String(entry.realm)]) {
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

/** Removes accounts and their tokens; entries of other clients stay. */
export function withoutAccounts(
  content: CacheContent,
  client: CacheClient,
  accounts: readonly CachedAccount[],
): CacheContent {
  const ids = new Set<unknown>(accounts.map(({ homeAccountId }) => homeAccountId));
  return removeEntries(content, client, (entry) => ids.has(entry.home_account_id));
}

/** Removes everything of a client, including app-only tokens, which belong to no account. */
export function withoutClient(content: CacheContent, client: CacheClient): CacheContent {
  return removeEntries(content, client, () => true);
}

function removeEntries(
  content: CacheContent,
  client: CacheClient,
  isGone: (entry: Entry) => boolean,
): CacheContent {
  const kept = (section: Section | undefined) =>
    filterSection(section, (entry) => !isOf(entry, client) || !isGone(entry));
  const RefreshToken = kept(content.RefreshToken);
  // An account stays while another client still has a refresh token for it.
  const used = new Set(
    Object.values(RefreshToken).filter(({ environment }) => environment === client.environment)
      .map((entry) => entry.home_account_id),
  );
  return {
    ...content,
    RefreshToken,
    AccessToken: kept(content.AccessToken),
    IdToken: kept(content.IdToken),
    Account: filterSection(
      content.Account,
      (entry) =>
        entry.environment !== client.environment || !isGone(entry) || used.has(entry.home_account_id),
    ),
  };
}

function filterSection(section: Section | undefined, keep: (entry: Entry) => boolean): Section {
  return Object.fromEntries(Object.entries(section ?? {}).filter(([, entry]) => keep(entry)));
}

function entriesOf(section: Section | undefined, client: CacheClient): Entry[] {
  return Object.values(section ?? {}).filter((entry) => isOf(entry, client));
}

function isOf(entry: Entry, { clientId, environment }: CacheClient): boolean {
  return entry.client_id === clientId && entry.environment === environment;
}

/**
 * Finds a token that is valid for five more minutes. An entry that is odd in any way is left to MSAL.
 *
 * @param now Milliseconds since 1970.
 */
export function findToken(content: CacheContent, query: TokenQuery, now: number): CachedToken | undefined {
  const entry = tokenEntries(content, query).find((entry) =>
    query.scopes.every((scope) => scopesOf(entry).some((granted) => scopeIncludes(granted, scope))) &&
    Number(entry.cached_at) * 1000 <= now + ROUNDING_MS &&
    Number(entry.expires_on) * 1000 - MIN_LIFE_MS > now &&
    !(Number(entry.refresh_on) * 1000 <= now) && !entry.requestedClaims
  );
  return entry && toStoredToken(entry);
}

/** Lists all access tokens of an account, expired ones too, the one that lives longest first. */
export function listTokens(content: CacheContent, query: Omit<TokenQuery, "scopes">): StoredToken[] {
  return tokenEntries(content, query).map(toStoredToken).toSorted((a, b) => b.expiresAt - a.expiresAt);
}

/** Finds an app-only token that is valid for five more minutes. */
export function findAppToken(
  content: CacheContent,
  { tenantId, ...query }: Omit<TokenQuery, "account" | "scopes"> & { tenantId: string },
  now: number,
): CachedToken | undefined {
  // App-only tokens have no account.
  const account = { homeAccountId: "", realm: tenantId };
  return findToken(content, { ...query, account, scopes: [".default"] }, now);
}

function tokenEntries(
  content: CacheContent,
  { account, apiOrigin, ...client }: Omit<TokenQuery, "scopes">,
): Entry[] {
  return entriesOf(content.AccessToken, client).filter((entry) =>
    (entry.home_account_id ?? "") === account.homeAccountId &&
    String(entry.realm).toLowerCase() === account.realm.toLowerCase() &&
    typeof entry.secret === "string" && entry.secret !== "" && !isForOtherApi(entry, apiOrigin)
  );
}

function toStoredToken(entry: Entry): StoredToken {
  return {
    secret: String(entry.secret),
    scopes: scopesOf(entry).map(shortScope),
    expiresAt: Number(entry.expires_on) * 1000 || 0,
    keptAt: Number(entry.cached_at) * 1000 || 0,
  };
}

/** Whether the scopes of a token name another API; short ones name none. */
function isForOtherApi(entry: Entry, apiOrigin: string): boolean {
  return scopesOf(entry).some((scope) => scope.startsWith("https://") && !scope.startsWith(`${apiOrigin}/`));
}

function scopesOf({ target }: Entry): string[] {
  return String(target ?? "").split(" ").filter(Boolean);
}

/**
 * Whether a granted scope covers a wanted one: `Files.ReadWrite.All` covers `Files.Read`, for example. This matters since
 * MSAL keeps only one of two tokens whose scopes overlap.
 */
export function scopeIncludes(granted: string, wanted: string): boolean {
  const read = wanted.toLowerCase();
  const write = read.replace(".read", ".readwrite");
  return [read, `${read}.all`, write, `${write}.all`].includes(shortScope(granted).toLowerCase());
}

/** Removes the origin of the API, which national clouds and some responses put in front. */
export function shortScope(scope: string): string {
  return scope.replace(/^https:\/\/[^/]+\//, "");
}
