/**
 * The content of a token cache, in MSAL's own format. A cached access token that is still valid is found here without
 * loading MSAL, which costs about 100 ms.
 *
 * @module
 */
import { isJsonObject } from "../json.ts";

/** A token with less than this left is renewed; MSAL uses the same. */
export const MIN_LIFE_MS = 300_000;
const SECTIONS = ["Account", "IdToken", "AccessToken", "RefreshToken", "AppMetadata"] as const;

type Entry = Record<string, unknown>;
type Section = Record<string, Entry>;

/** The sections of a cache that the library knows. */
export type CacheContent = Partial<Record<typeof SECTIONS[number], Section>>;

/** An app registration in one cloud. */
export interface Registration {
  clientId: string;
  tenantId: string;
  /** MSAL's name of the cloud: `login.windows.net` for the global one. */
  environment: string;
}

type CacheClient = Pick<Registration, "clientId" | "environment">;

/** An account in the cache, with MSAL's names. */
export interface CachedAccount {
  homeAccountId: string;
  /** Tenant of the tokens; for a guest not the tenant of the account itself. */
  realm: string;
  username: string;
  name: string | undefined;
}

export interface CachedToken {
  secret: string;
  scopes: string[];
  /** Milliseconds since 1970. */
  expiresAt: number;
}

type AccountQuery = CacheClient & { account: Pick<CachedAccount, "homeAccountId" | "realm"> };

/** Checks the content of a cache; `undefined` when MSAL could not work with it. */
export function parseCacheContent(value: Record<string, unknown> | undefined): CacheContent | undefined {
  if (!value) return undefined;
  const known = SECTIONS.filter((name) => value[name] !== undefined);
  if (Object.keys(value).length > 0 && known.length === 0) return undefined; // JSON of another program
  const isSection = (section: unknown) => isJsonObject(section) && Object.values(section).every(isJsonObject);
  return known.every((name) => isSection(value[name])) ? value : undefined;
}

/** Lists the signed-in accounts, once per tenant for which there are tokens. */
export function listAccounts(content: CacheContent, client: CacheClient): CachedAccount[] {
  const signedIn = new Set(entriesOf(content.RefreshToken, client).map((entry) => entry.home_account_id));
  const tokens = entriesOf(content.IdToken, client).filter((entry) => signedIn.has(entry.home_account_id));
  return tokens.map(({ home_account_id: id, realm }) => {
    const accounts = Object.values(content.Account ?? {}); // bound to no client in MSAL's format
    const { username = "", name } = accounts.find((entry) => entry.home_account_id === id) ?? {};
    return {
      homeAccountId: String(id),
      realm: String(realm),
      username: String(username),
      name: typeof name === "string" ? name : undefined,
    };
  });
}

/** Removes all entries of an account, also those of other apps in the same file. */
export function withoutAccount(content: CacheContent, { homeAccountId }: CachedAccount): CacheContent {
  const left: CacheContent = {};
  for (const name of SECTIONS) {
    const entries = Object.entries(content[name] ?? {});
    left[name] = Object.fromEntries(entries.filter(([, entry]) => entry.home_account_id !== homeAccountId));
  }
  return left;
}

function entriesOf(section: Section | undefined, client: CacheClient): Entry[] {
  return Object.values(section ?? {}).filter((entry) =>
    entry.client_id === client.clientId && entry.environment === client.environment
  );
}

/** Finds a token that is valid for five more minutes. */
export function findToken(
  content: CacheContent,
  query: AccountQuery & { scopes: readonly string[] },
  now: number,
): CachedToken | undefined {
  return listTokens(content, query).find(({ scopes, expiresAt }) =>
    expiresAt - MIN_LIFE_MS > now &&
    query.scopes.every((wanted) => scopes.some((granted) => scopeIncludes(granted, wanted)))
  );
}

/** Finds an app-only token, which belongs to no account, that is valid for five more minutes. */
export function findAppToken(
  content: CacheContent,
  { tenantId: realm, ...query }: Registration,
  now: number,
): CachedToken | undefined {
  return findToken(content, { ...query, account: { homeAccountId: "", realm }, scopes: [".default"] }, now);
}

/** Lists all access tokens of an account, expired ones too, the one that lives longest first; `keptAt` in milliseconds. */
export function listTokens(
  content: CacheContent,
  { account, ...client }: AccountQuery,
): (CachedToken & { keptAt: number })[] {
  return entriesOf(content.AccessToken, client).filter((entry) =>
    (entry.home_account_id ?? "") === account.homeAccountId &&
    String(entry.realm).toLowerCase() === account.realm.toLowerCase() && entry.secret
  ).map((entry) => ({
    secret: String(entry.secret),
    scopes: String(entry.target ?? "").split(" ").filter(Boolean).map(shortScope),
    expiresAt: Number(entry.expires_on) * 1000 || 0,
    keptAt: Number(entry.cached_at) * 1000 || 0,
  })).toSorted((a, b) => b.expiresAt - a.expiresAt);
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
