/**
 * What is known of the sign-in without asking anybody: account, access token, permissions, and how long it has been used.
 *
 * @module
 */
import { isDomain, matchesTenant } from "../../auth/accounts.ts";
import { StaticTokenSession } from "../../auth/static_token.ts";
import {
  type CacheContent,
  type CachedAccount,
  listAccounts,
  listTokens,
  scopeIncludes,
  type StoredToken,
} from "../../auth/cache_content.ts";
import { CLOUDS } from "../../clouds.ts";
import { commandName } from "../hints.ts";
import { type Access, SCOPES } from "../../auth/scopes.ts";
import { toGraphError } from "../../local/local_error.ts";
import type { Settings } from "../../settings.ts";
import { formatDuration } from "../../format.ts";
import { checkApp } from "./app_check.ts";
import { type Diagnosis, fail, failure, ok, warn } from "./finding.ts";

/** Scripts renew a token when less than this is left of it. */
const MIN_LIFE_MS = 300_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The service ends a sign-in that is not used for so long (PROTOCOL 13.3). */
const LIFE_UNUSED_DAYS = 90;
const DAYS_TO_WARN = 14;
const SCRIPT_ACCESS: Record<string, Access> = {
  whoami: "identity",
  ls: "read",
  get: "read",
  put: "write",
  "put-large": "write",
};
const SIGN_IN = `sign in once, in a terminal, with: ${commandName("whoami")}`;

/** An access token, and what it is good for; no scopes: it does not tell. */
export type UsableToken = { secret: string; scopes: readonly string[] };

/** The sign-in as far as it is known. */
export interface CheckedSignIn {
  diagnoses: Diagnosis[];
  /** An access token that is good by the clock of this machine; one with this permission, if there is one. */
  tokenFor(scope: string): UsableToken | undefined;
  /** Delegated permissions that have been granted. */
  scopes: readonly string[];
}

/** What {@linkcode checkSignIn} looks at. */
type Known = { tokens: readonly StoredToken[]; account: CachedAccount | undefined };

/** Checks the sign-in of the cache, or the token that takes its place. */
export async function checkSignIn(
  settings: Settings,
  content: CacheContent | undefined,
  now: number,
): Promise<CheckedSignIn> {
  if (settings.accessToken !== undefined) return await checkReadyToken(settings, settings.accessToken, now);
  const { clientId, tenantId, cloud, appCredential } = settings;
  if (appCredential) return await checkApp(settings, appCredential, content, now);
  if (!content || !clientId || !tenantId) return notKnown("mend the findings above first");
  const { diagnosis, account } = chosenAccount(settings, content);
  const { cacheEnvironment: environment, apiOrigin } = CLOUDS[cloud];
  const tokens = account ? listTokens(content, { clientId, environment, account, apiOrigin }) : [];
  const known = { tokens, account };
  const scopes = [...new Set(tokens.flatMap(({ scopes }) => scopes))];
  return {
    diagnoses: [diagnosis, keptToken(known, now), ...granted(scopes, settings), renewal(known, now)],
    tokenFor: (scope) => {
      const alive = tokens.filter((token) => isGood(token, now));
      return alive.find(({ scopes }) => scopes.some((granted) => scopeIncludes(granted, scope))) ?? alive[0];
    },
    scopes,
  };
}

async function checkReadyToken(settings: Settings, secret: string, now: number): Promise<CheckedSignIn> {
  try {
    const { username, scopes, expiresAt } = await new StaticTokenSession(secret).info();
    const expired = expiresAt !== undefined && expiresAt <= now;
    const until = expiresAt === undefined ? "it does not tell how long it is good" : lifeOf(expiresAt, now);
    return {
      diagnoses: [
        ok("account", `${username ?? "unknown"}, by GRAPH_ACCESS_TOKEN`),
        expired
          ? fail(
            "token",
            "signInNeeded",
            `GRAPH_ACCESS_TOKEN: ${until}`,
            `get a new one, or unset it and ${SIGN_IN}`,
          )
          : ok("token", `GRAPH_ACCESS_TOKEN: ${until}`),
        ...granted(scopes, settings),
        ok("renewal", "GRAPH_ACCESS_TOKEN is not renewed by these scripts"),
      ],
      tokenFor: () => ({ secret, scopes }),
      scopes,
    };
  } catch (error) {
    const { diagnoses, ...nothing } = notKnown("mend GRAPH_ACCESS_TOKEN first");
    const bad = failure("token", toGraphError(error));
    return { diagnoses: diagnoses.map((said) => said.finding.check === "token" ? bad : said), ...nothing };
  }
}

function notKnown(hint: string): CheckedSignIn {
  const checks = ["account", "token", "scopes", "renewal"];
  return {
    diagnoses: checks.map((check) => warn(check, "not known", hint)),
    tokenFor: () => undefined,
    scopes: [],
  };
}

/** As a sign-in chooses: by tenant and name, and never one of several by a guess. */
function chosenAccount(
  settings: Settings,
  content: CacheContent,
): { diagnosis: Diagnosis; account: CachedAccount | undefined } {
  const { clientId, tenantId = "", cloud, account: wanted } = settings;
  const all = clientId
    ? listAccounts(content, { clientId, environment: CLOUDS[cloud].cacheEnvironment })
    : [];
  // Which tenant a domain is only the service knows: then all accounts may be meant.
  const meant = all.filter((account) =>
    (isDomain(tenantId) || matchesTenant(account, tenantId)) &&
    (wanted === undefined || account.username.toLowerCase() === wanted.toLowerCase())
  );
  const [account, ...others] = meant;
  if (account && others.length > 0) {
    const names = meant.map(({ username }) => username).join(", ");
    const hint = "choose one with --account or GRAPH_ACCOUNT";
    return {
      diagnosis: fail("account", "usage", `several are signed in: ${names}`, hint),
      account: undefined,
    };
  }
  if (account) {
    return { diagnosis: ok("account", `${account.username}, tenant ${account.realm}`), account };
  }
  const who = wanted === undefined ? "nobody is" : `${wanted} is not`;
  return { diagnosis: fail("account", "signInNeeded", `${who} signed in here`, SIGN_IN), account: undefined };
}

function isGood({ expiresAt }: StoredToken, now: number): boolean {
  return expiresAt - now > MIN_LIFE_MS;
}

function keptToken({ tokens, account }: Known, now: number): Diagnosis {
  if (!account) return warn("token", "none, for want of an account", SIGN_IN);
  const best = tokens.find((token) => isGood(token, now));
  if (best) return ok("token", lifeOf(best.expiresAt, now));
  const last = tokens[0] ? lifeOf(tokens[0].expiresAt, now) : "none is kept";
  return ok("token", `${last}; the next script that needs one renews it`);
}

function lifeOf(expiresAt: number, now: number): string {
  const time = new Date(expiresAt).toISOString().replace(/\.\d+Z$/, "Z");
  return expiresAt <= now
    ? `expired at ${time}`
    : `good until ${time}, for ${formatDuration((expiresAt - now) / 1000)}`;
}

/** What was granted stays granted when the token that says so has expired. */
function granted(scopes: readonly string[], settings: Settings): Diagnosis[] {
  if (scopes.length === 0) {
    const hint = "they are known after a sign-in; the token of a personal account does not tell them";
    return [warn("scopes", "not known", hint)];
  }
  const allDrives = settings.site !== undefined || settings.drive !== undefined;
  const scripts = Object.entries(SCRIPT_ACCESS).map(([script, access]) => {
    const check = `scopes-${script}`;
    const missing = (place: "own" | "all") =>
      SCOPES[access][place].filter((scope) => !scopes.some((granted) => scopeIncludes(granted, scope)));
    const says = (place: "own" | "all") => {
      const lacking = missing(place);
      return lacking.length === 0 ? "granted" : `asks for ${lacking.join(" ")}`;
    };
    const detail = access === "identity"
      ? says("own")
      : `own OneDrive: ${says("own")}; other drives: ${says("all")}`;
    if (missing(allDrives ? "all" : "own").length === 0) return ok(check, detail);
    return warn(
      check,
      detail,
      "if nobody has consented yet, the first run needs a person: run it once in a terminal",
    );
  });
  return [ok("scopes", `of all tokens in the cache: ${scopes.join(" ")}`), ...scripts];
}

/** Nothing tells how long a refresh token lives; each renewal brings a new one, and a new access token to see it by. */
function renewal({ tokens, account }: Known, now: number): Diagnosis {
  const lastMs = Math.max(0, ...tokens.map(({ keptAt }) => keptAt));
  if (!account || lastMs === 0) {
    return warn("renewal", "not known: no access token is kept", `find out with: ${commandName("whoami")}`);
  }
  const days = (now - lastMs) / DAY_MS;
  const left = Math.floor(LIFE_UNUSED_DAYS - days);
  const detail = `last renewed ${ago(days)}; by estimate the sign-in ends ${
    left > 0 ? `in ${left} days` : "about now"
  } without use (policies of the organisation may end it before)`;
  if (left <= 0) {
    return fail("renewal", "signInNeeded", detail, `sign in again with: ${commandName("whoami")}`);
  }
  if (left > DAYS_TO_WARN) return ok("renewal", detail);
  return warn("renewal", detail, `keep it alive with: ${commandName("whoami")} --no-prompt, weekly`);
}

function ago(days: number): string {
  const hours = Math.max(0, Math.round(days * 24));
  return hours < 48 ? `${hours} h ago` : `${Math.round(days)} days ago`;
}
