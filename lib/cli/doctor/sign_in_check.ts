/**
 * The sign-in: its account, its permissions, and whether Graph accepts it. No token is refreshed for this.
 *
 * @module
 */
import type { User } from "../../graph/types.ts";
import { matchesTenant } from "../../auth/accounts.ts";
import {
  type CacheContent,
  type CachedToken,
  findAppToken,
  listAccounts,
  listTokens,
  scopeIncludes,
} from "../../auth/cache_content.ts";
import { readAppCredential } from "../../auth/credentials.ts";
import { type Access, decodeClaims, openStaticTokenSession, SCOPES } from "../../auth/session.ts";
import { CLOUDS } from "../../clouds.ts";
import { GraphError, isGraphError, usageError } from "../../errors.ts";
import { formatDuration, formatUtc } from "../../format.ts";
import { GraphClient } from "../../graph/client.ts";
import { hasId } from "../../json.ts";
import type { HttpClient } from "../../http/client.ts";
import { toGraphError } from "../../local/local_error.ts";
import type { AppCredentialSetting, Settings } from "../../settings.ts";
import { commandName } from "../program.ts";
import { type Diagnosis, fail, failWith, ok, warn } from "./finding.ts";

/** Scripts refresh a token that is valid for less than this. */
const MIN_LIFE_MS = 300_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The service ends a sign-in that is unused for this long (PROTOCOL 13.3). */
const MAX_UNUSED_DAYS = 90;
const WARN_DAYS = 14;
const WHOAMI = commandName("whoami");

/** A drive of the account, which tells where its content is stored. */
export interface DriveHosts {
  webUrl?: string | null;
  driveType?: string | null;
}

/** What is known of the sign-in without asking Graph. */
interface SignIn {
  diagnosis: Diagnosis;
  /** Access tokens that are valid now, the one that lives longest first; `undefined`: there is nothing to ask Graph. */
  tokens?: readonly UsableToken[];
}

type UsableToken = Pick<CachedToken, "secret" | "scopes">;

/** Checks the sign-in in the cache, or the credential that takes its place. */
export async function checkSignIn(
  http: HttpClient,
  settings: Settings,
  content: CacheContent | undefined,
): Promise<{ diagnoses: Diagnosis[]; drive?: DriveHosts | undefined }> {
  try {
    const { diagnosis, tokens } = await findSignIn(settings, content, http.now());
    if (!tokens) return { diagnoses: [diagnosis] };
    const graph = await askGraph(http, settings, tokens);
    return { diagnoses: [diagnosis, graph.diagnosis], drive: graph.drive };
  } catch (error) {
    if (isGraphError(error) && error.kind === "interrupted") throw error;
    return { diagnoses: [failWith("sign-in", toGraphError(error))] };
  }
}

async function findSignIn(
  settings: Settings,
  content: CacheContent | undefined,
  now: number,
): Promise<SignIn> {
  const { accessToken, appCredential, clientId, tenantId } = settings;
  if (accessToken !== undefined) return await accessTokenSignIn(settings, accessToken, now);
  if (appCredential) return await appSignIn(settings, appCredential, content, now);
  if (content && clientId && tenantId) return cachedSignIn(settings, content, now);
  return { diagnosis: warn("sign-in", "not checked", "fix the findings above first") };
}

async function accessTokenSignIn(settings: Settings, secret: string, now: number): Promise<SignIn> {
  const { username = "unknown user", scopes, expiresAt } = await openStaticTokenSession(secret).info();
  const who = `${username}, GRAPH_ACCESS_TOKEN`;
  if (expiresAt !== undefined && expiresAt <= now) {
    const hint = `get a new token, or unset the variable and sign in with: ${WHOAMI}`;
    return { diagnosis: fail("sign-in", "signInNeeded", `${who} expired at ${formatUtc(expiresAt)}`, hint) };
  }
  const validity = expiresAt === undefined
    ? ""
    : ` valid until ${formatUtc(expiresAt)}, for ${formatDuration((expiresAt - now) / 1000)}`;
  return { diagnosis: describe(who + validity, settings, scopes), tokens: [{ secret, scopes }] };
}

/** Only a real run can tell whether Graph accepts an app: no permission lets an app ask for itself. */
async function appSignIn(
  { clientId, tenantId, cloud }: Settings,
  credential: AppCredentialSetting,
  content: CacheContent | undefined,
  now: number,
): Promise<SignIn> {
  const { cacheEnvironment: environment } = CLOUDS[cloud];
  await readAppCredential(credential);
  const token = content && clientId && tenantId
    ? findAppToken(content, { clientId, environment, tenantId }, now)
    : undefined;
  const { roles } = token ? decodeClaims(token.secret) : {};
  const who = `app-only, with the ${credential.kind} of ${credential.variable}`;
  if (Array.isArray(roles)) return { diagnosis: ok("sign-in", `${who}; permissions: ${roles.join(" ")}`) };
  const hint = `get one with: ${WHOAMI}`;
  return { diagnosis: warn("sign-in", `${who}; permissions are unknown without a token`, hint) };
}

function cachedSignIn(settings: Settings, content: CacheContent, now: number): SignIn {
  const { clientId = "", tenantId = "", cloud, account: wanted } = settings;
  const { cacheEnvironment: environment } = CLOUDS[cloud];
  const [account, ...others] = listAccounts(content, { clientId, environment }).filter((account) =>
    matchesTenant(account, tenantId) &&
    (wanted === undefined || account.username.toLowerCase() === wanted.toLowerCase())
  );
  if (!account) {
    const who = wanted === undefined ? "not signed in" : `${wanted} is not signed in`;
    const hint = `sign in once, in a terminal, with: ${WHOAMI}`;
    return { diagnosis: fail("sign-in", "signInNeeded", who, hint) };
  }
  if (others.length > 0) {
    const names = [account, ...others].map(({ username }) => username).join(", ");
    throw usageError(`several accounts are signed in: ${names}`, undefined, "ambiguousAccount");
  }
  const cached = listTokens(content, { clientId, environment, account });
  const tokens = cached.filter(({ expiresAt }) => expiresAt - now > MIN_LIFE_MS);
  // The service does not say how long a refresh token lives; each refresh brings an access token, which dates it.
  const days = (now - Math.max(0, ...cached.map(({ keptAt }) => keptAt))) / DAY_MS;
  const ago = days < 2 ? `${Math.round(days * 24)} h` : `${Math.round(days)} days`;
  const who = `${account.username}, tenant ${account.realm}, last refreshed ${ago} ago`;
  const left = Math.floor(MAX_UNUSED_DAYS - days);
  if (left <= 0) {
    const hint = `sign in again with: ${WHOAMI}`;
    return { diagnosis: fail("sign-in", "signInNeeded", `${who}; it has probably expired`, hint), tokens };
  }
  const scopes = [...new Set(cached.flatMap(({ scopes }) => scopes))];
  if (left > WARN_DAYS) return { diagnosis: describe(who, settings, scopes), tokens };
  const detail = `${who}; expires in about ${left} days`;
  return {
    diagnosis: describe(detail, settings, scopes, `refresh it weekly with: ${WHOAMI} --no-prompt`),
    tokens,
  };
}

/** Compares the granted permissions with what scripts need; they stay granted when the token that names them expires. */
function describe(
  who: string,
  { site, drive }: Settings,
  scopes: readonly string[],
  ...hints: string[]
): Diagnosis {
  const details = [who, scopes.length === 0 ? "permissions are unknown" : `permissions: ${scopes.join(" ")}`];
  if (scopes.length === 0) {
    hints.push("a sign-in shows them; tokens of personal accounts do not");
  } else {
    const reach = site === undefined && drive === undefined ? "own" : "all";
    const uses: [Access, string][] = [["read", "ls and get"], ["write", "put and put-large"]];
    for (const [access, scripts] of uses) {
      const missing = SCOPES[access][reach].filter((scope) =>
        !scopes.some((granted) => scopeIncludes(granted, scope))
      );
      if (missing.length > 0) details.push(`${scripts} will request ${missing.join(" ")}`);
    }
    if (details.length > 2) hints.push("without consent so far, run the script once in a terminal");
  }
  const detail = details.join("; ");
  return hints.length === 0 ? ok("sign-in", detail) : warn("sign-in", detail, hints.join("; "));
}

async function askGraph(
  http: HttpClient,
  { apiOrigin, accessToken }: Settings,
  tokens: readonly UsableToken[],
): Promise<{ diagnosis: Diagnosis; drive?: DriveHosts | undefined }> {
  const withScope = (wanted: string) =>
    tokens.find(({ scopes }) => scopes.some((granted) => scopeIncludes(granted, wanted)));
  const graphWith = ({ secret }: UsableToken) =>
    new GraphClient(http, apiOrigin, {
      token: (refresh) =>
        refresh ? Promise.reject(refusedError(accessToken !== undefined)) : Promise.resolve(secret),
    });
  const token = withScope("User.Read") ?? tokens[0];
  if (!token) {
    const detail = "Graph was not asked: no access token is valid, and none is refreshed here";
    return { diagnosis: warn("sign-in", detail, `prove the sign-in with: ${WHOAMI} --no-prompt`) };
  }
  const reader = withScope("Files.Read");
  const drive = () => reader && findDrive(graphWith(reader));
  try {
    const user = await graphWith(token).requestJson<User>("/me", {
      what: "who is signed in",
      accepts: hasId,
    });
    const who = `${user.displayName ?? "(no name)"} <${user.userPrincipalName ?? user.id}>`;
    return { diagnosis: ok("sign-in", `Graph accepts the token of ${who}`), drive: await drive() };
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    const mayReadUser = token.scopes.length === 0 || withScope("User.Read");
    if (error.status !== 403 || mayReadUser) return { diagnosis: failWith("sign-in", error) };
    const detail = "Graph accepts the token, which may not read its user (no User.Read)";
    return { diagnosis: ok("sign-in", detail), drive: await drive() };
  }
}

/** Not every account has a drive; the check of hosts says that it knows no storage host. */
async function findDrive(graph: GraphClient): Promise<DriveHosts | undefined> {
  try {
    return await graph.requestJson<DriveHosts>("/me/drive?$select=webUrl,driveType", {
      what: "your OneDrive",
    });
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    return undefined;
  }
}

function refusedError(isReady: boolean): GraphError {
  const what = isReady ? "GRAPH_ACCESS_TOKEN" : "the cached token";
  const hint = isReady
    ? `get a new token for Microsoft Graph, or unset the variable and sign in with: ${WHOAMI}`
    : `refresh it, or sign in again, with: ${WHOAMI}`;
  return new GraphError("signInNeeded", `Graph does not accept ${what}`, { code: "tokenRefused", hint });
}
