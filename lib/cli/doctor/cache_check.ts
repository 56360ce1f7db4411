/**
 * The token cache as it lies there: whose it is, who may read it, whether it opens, and who is in it.
 *
 * @module
 */
import { type CacheContent, listAccounts } from "../../auth/cache_content.ts";
import { CLOUDS } from "../../clouds.ts";
import { commandName } from "../hints.ts";
import { toGraphError } from "../../local/local_error.ts";
import type { Settings } from "../../settings.ts";
import { formatSize } from "../../format.ts";
import { TokenCache } from "../../auth/token_cache.ts";
import { type Diagnosis, fail, failure, ok, warn } from "./finding.ts";

/** Looks at the token cache; its content is `undefined` where it could not be read. */
export async function checkCache(
  settings: Settings,
  foldersKnown: boolean,
): Promise<{ diagnosis: Diagnosis; content: CacheContent | undefined }> {
  const { accessToken, tokenCache: path, tokenCacheKey, clientId } = settings;
  if (accessToken !== undefined) {
    return { diagnosis: ok("cache", "not used: GRAPH_ACCESS_TOKEN is set"), content: {} };
  }
  if (!foldersKnown && !path.startsWith("/")) {
    const hint = "set HOME or GRAPH_SCRIPTS_HOME; cron jobs may lack them";
    return { diagnosis: fail("cache", "usage", "it is not known where it is", hint), content: undefined };
  }
  if (!clientId) {
    const detail = "not looked for: each app registration has a file of its own";
    return { diagnosis: warn("cache", detail, "mend the settings first"), content: undefined };
  }
  try {
    const cache = new TokenCache({
      path,
      key: tokenCacheKey,
      now: Date.now,
      lockTimeoutMs: 0,
      notice: () => {},
    }); // it says nothing when it is looked at
    const { state, content } = await cache.inspect();
    return { diagnosis: await judged(settings, state, content), content };
  } catch (error) {
    return { diagnosis: failure("cache", toGraphError(error)), content: undefined };
  }
}

async function judged(settings: Settings, state: string, content: CacheContent): Promise<Diagnosis> {
  const { tokenCache: path, tokenCacheKey: key, clientId, cloud } = settings;
  if (state === "absent" && settings.appCredential) {
    return ok("cache", `${path} does not exist yet; an app needs none to begin with`);
  }
  if (state === "absent") {
    return fail(
      "cache",
      "signInNeeded",
      `${path} does not exist`,
      `sign in once, in a terminal, with: ${commandName("whoami")}`,
    );
  }
  if (state === "unreadable") {
    return fail(
      "cache",
      "signInNeeded",
      `${path} could not be understood`,
      `sign in again with: ${commandName("whoami")}; the file will be set aside`,
    );
  }
  const { size, mode } = await Deno.stat(path);
  const accounts = clientId
    ? listAccounts(content, { clientId, environment: CLOUDS[cloud].cacheEnvironment })
    : [];
  const detail = [
    path,
    formatSize(size),
    ...(mode === null ? [] : [`mode ${(mode & 0o777).toString(8).padStart(4, "0")}`]),
    state === "encrypted" ? `encrypted, opened with the key of ${key?.variable}` : "in clear",
    `accounts: ${accounts.map(({ username }) => username).join(", ") || "none of this app"}`,
  ].join(", ");
  if (key && state === "plaintext") {
    return warn(
      "cache",
      detail,
      `${key.variable} is set: the next run that uses the cache encrypts it; copies in backups stay in clear`,
    );
  }
  return ok("cache", detail);
}
