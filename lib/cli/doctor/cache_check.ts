/**
 * The token cache: whether it can be read and decrypted, and whose it is.
 *
 * @module
 */
import { type CacheContent, listAccounts } from "../../auth/cache_content.ts";
import { loadKey } from "../../auth/encryption.ts";
import { readTokenCache } from "../../auth/token_cache.ts";
import { CLOUDS } from "../../clouds.ts";
import { formatSize } from "../../format.ts";
import { toGraphError } from "../../local/local_error.ts";
import type { Settings } from "../../settings.ts";
import { commandName } from "../hints.ts";
import { type Diagnosis, fail, failWith, ok, warn } from "./finding.ts";
import { NO_HOME } from "./settings_check.ts";

/** Reads the token cache; its content is `undefined` where it cannot be read. */
export async function checkCache(
  settings: Settings,
): Promise<{ diagnosis: Diagnosis; content: CacheContent | undefined }> {
  const { accessToken, tokenCache: path, tokenCacheKey, clientId } = settings;
  if (accessToken !== undefined) {
    return { diagnosis: ok("cache", "not used: GRAPH_ACCESS_TOKEN is set"), content: undefined };
  }
  if (!clientId || path.startsWith(NO_HOME)) {
    return { diagnosis: warn("cache", "not checked", "fix the settings first"), content: undefined };
  }
  try {
    const key = tokenCacheKey && await loadKey(tokenCacheKey);
    const { state, content } = await readTokenCache(path, key);
    return { diagnosis: await describe(settings, state, content), content };
  } catch (error) {
    return { diagnosis: failWith("cache", toGraphError(error)), content: undefined };
  }
}

async function describe(
  { tokenCache: path, tokenCacheKey: key, clientId = "", cloud, appCredential }: Settings,
  state: "absent" | "unreadable" | "plaintext" | "encrypted",
  content: CacheContent,
): Promise<Diagnosis> {
  if (state === "absent") {
    const detail = `${path} does not exist`;
    if (appCredential) return ok("cache", `${detail} yet`);
    return fail(
      "cache",
      "signInNeeded",
      detail,
      `sign in once, in a terminal, with: ${commandName("whoami")}`,
    );
  }
  if (state === "unreadable") {
    const hint = `sign in again with: ${commandName("whoami")}; the file will be moved aside`;
    return fail("cache", "signInNeeded", `${path} is not a token cache`, hint);
  }
  const { size, mode } = await Deno.stat(path);
  const accounts = listAccounts(content, { clientId, environment: CLOUDS[cloud].cacheEnvironment });
  const detail = [
    path,
    formatSize(size),
    ...(mode === null ? [] : [`mode ${(mode & 0o777).toString(8).padStart(4, "0")}`]),
    state === "encrypted" ? `encrypted with the key of ${key?.variable}` : "plaintext",
    `accounts: ${accounts.map(({ username }) => username).join(", ") || "none"}`,
  ].join(", ");
  if (!key || state === "encrypted") return ok("cache", detail);
  return warn(
    "cache",
    detail,
    `${key.variable} is set: the next sign-in or refresh encrypts the file, not its backups`,
  );
}
