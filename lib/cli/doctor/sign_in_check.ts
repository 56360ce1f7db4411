/**
 * The sign-in: its account, its permissions, and whether Graph accepts it. No token is refreshed for this.
 *
 * @module
 */
import type { User } from "../../graph/types.ts";
import { notSignedInError, selectAccount } from "../../auth/accounts.ts";
import {
  type CacheContent,
  listAccounts,
  listTokens,
  MIN_LIFE_MS,
  scopeIncludes,
} from "../../auth/cache_content.ts";
import { readAppCredential } from "../../auth/credentials.ts";
import {
  type Access,
  fixedToken,
  openStaticTokenSession,
  SCOPES,
  type TokenSource,
} from "../../auth/session.ts";
import { CLOUDS } from "../../clouds.ts";
import { GraphError } from "../../errors.ts";
import { formatUtc } from "../../format.ts";
import { GraphClient } from "../../graph/client.ts";
import type { HttpClient } from "../../http/client.ts";
import type { Settings } from "../../settings.ts";
import { commandName } from "../program.ts";
import type { Passed } from "./diagnose.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The service ends a sign-in that is unused for this long (PROTOCOL 13.3). */
const MAX_UNUSED_DAYS = 90;
const WARN_DAYS = 14;
const WHOAMI = commandName("whoami");
const REJECTED = new GraphError("signInNeeded", "Graph does not accept the cached token", {
  code: "tokenRefused",
  hint: `refresh it, or sign in again, with: ${WHOAMI}`,
});

/**
 * Checks the sign-in in the cache, or the credential that takes its place.
 *
 * @throws {GraphError} When scripts could not use it.
 */
export async function checkSignIn(
  http: HttpClient,
  settings: Settings,
  content: CacheContent,
): Promise<Passed> {
  const { accessToken, appCredential } = settings;
  if (accessToken !== undefined) return await checkAccessToken(http, settings, accessToken);
  if (!appCredential) return await checkUser(http, settings, content);
  // Only a real run can tell whether Graph accepts an app: no permission lets an app ask for itself.
  const { kind, variable } = appCredential;
  await readAppCredential(appCredential);
  return { detail: `app-only, with the ${kind} of ${variable}; its permissions are shown by: ${WHOAMI}` };
}

async function checkAccessToken(http: HttpClient, settings: Settings, token: string): Promise<Passed> {
  const session = openStaticTokenSession(token);
  const { username = "unknown user", scopes, expiresAt } = await session.info();
  const until = expiresAt === undefined ? "" : ` valid until ${formatUtc(expiresAt)}`;
  const details = [`${username}, GRAPH_ACCESS_TOKEN${until}`, permissions(settings, scopes)];
  if (mayReadUser(scopes)) details.push(await askGraph(http, settings, session));
  return { detail: details.join("; ") };
}

async function checkUser(http: HttpClient, settings: Settings, content: CacheContent): Promise<Passed> {
  const { clientId = "", tenantId: tenant = "", cloud, account: wanted } = settings;
  const { cacheEnvironment: environment } = CLOUDS[cloud];
  const accounts = listAccounts(content, { clientId, environment });
  const account = selectAccount(accounts, { tenant, wanted });
  if (!account) throw notSignedInError(accounts, { tenant, wanted });

  const tokens = listTokens(content, { clientId, environment, account });
  // The service does not say how long a refresh token lives; each refresh brings an access token, which dates it.
  const days = (http.now() - Math.max(0, ...tokens.map(({ keptAt }) => keptAt))) / DAY_MS;
  const left = Math.floor(MAX_UNUSED_DAYS - days);
  const ago = days < 2 ? `${Math.round(days * 24)} h` : `${Math.round(days)} days`;
  const who = `${account.username}, tenant ${account.realm}, last refreshed ${ago} ago`;
  if (left <= 0) {
    throw new GraphError("signInNeeded", `${who}; it has probably expired`, { code: "unused" });
  }
  const token = tokens.find(({ expiresAt, scopes }) =>
    expiresAt - http.now() > MIN_LIFE_MS && mayReadUser(scopes)
  );
  const proof = token
    ? await askGraph(http, settings, fixedToken(token.secret, REJECTED)) // not refreshed here
    : "Graph was not asked: no valid token has User.Read, and none is refreshed here";
  const hint = left <= WARN_DAYS
    ? `it expires in about ${left} days: refresh it weekly with: ${WHOAMI} --no-prompt`
    : token
    ? undefined
    : `prove the sign-in with: ${WHOAMI} --no-prompt`;
  const granted = permissions(settings, tokens.flatMap(({ scopes }) => scopes));
  return { detail: `${who}; ${granted}; ${proof}`, hint };
}

/** What is granted, and what scripts will ask for; permissions stay granted when the token that names them expires. */
function permissions({ site, drive }: Settings, scopes: readonly string[]): string {
  if (scopes.length === 0) return "permissions are unknown"; // tokens of personal accounts do not name them
  const reach = site === undefined && drive === undefined ? "own" : "all";
  const uses: [Access, string][] = [["read", "ls and get"], ["write", "put and put-large"]];
  const missing = uses.flatMap(([access, scripts]) => {
    const needed = SCOPES[access][reach].filter((scope) =>
      !scopes.some((granted) => scopeIncludes(granted, scope))
    );
    return needed.length === 0 ? [] : `; ${scripts} will request ${needed.join(" ")}`;
  });
  return `permissions: ${[...new Set(scopes)].join(" ")}${missing.join("")}`;
}

/** Whether Graph can be asked with such a token. Unknown permissions may include this one. */
function mayReadUser(scopes: readonly string[]): boolean {
  return scopes.length === 0 || scopes.some((granted) => scopeIncludes(granted, "User.Read"));
}

async function askGraph(http: HttpClient, { apiOrigin }: Settings, source: TokenSource): Promise<string> {
  const graph = new GraphClient(http, apiOrigin, source);
  const user = await graph.requestJson<User>("/me", {
    what: "who is signed in",
    retry: "never",
  });
  return `Graph accepts the token of ${user.displayName ?? "(no name)"} <${
    user.userPrincipalName ?? user.id
  }>`;
}
