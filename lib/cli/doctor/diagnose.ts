/**
 * `whoami --check`: five read-only checks of what scripts need. It never signs in, refreshes no token and writes no file.
 *
 * @module
 */
import { type CacheContent, listAccounts } from "../../auth/cache_content.ts";
import { loadKey } from "../../auth/encryption.ts";
import { readTokenCache } from "../../auth/token_cache.ts";
import { CLOUDS } from "../../clouds.ts";
import type { FailureKind } from "../../errors.ts";
import { formatSize } from "../../format.ts";
import { HttpClient, type HttpOptions } from "../../http/client.ts";
import { toGraphError } from "../../local/local_error.ts";
import type { SettingName, Settings } from "../../settings.ts";
import { commandName } from "../program.ts";
import { type Diagnosis, fail, failWith, type Finding, ok, warn } from "./finding.ts";
import { checkHosts } from "./hosts_check.ts";
import { checkSettings, NO_HOME } from "./settings_check.ts";
import { checkSignIn } from "./sign_in_check.ts";

/** Shorter than for transfers: a monitor should not wait for minutes. */
const MAX_WAIT_MS = 30_000;

/** What is checked. */
export interface DiagnoseOptions {
  /** Settings given on the command line. */
  settingOptions: Partial<Record<SettingName, string>>;
  env: (name: string) => string | undefined;
  http: HttpOptions;
}

/**
 * Runs all checks, each whatever the others found.
 *
 * @throws {GraphError} `interrupted`.
 */
export async function* diagnose(
  { settingOptions, env, http: options }: DiagnoseOptions,
): AsyncGenerator<Diagnosis> {
  // Each with its own deadline: a silent host must not fail the next check.
  const graphHttp = new HttpClient({ maxWaitMs: MAX_WAIT_MS, ...options });
  const hostsHttp = new HttpClient({ maxWaitMs: MAX_WAIT_MS, ...options });
  const { diagnoses, settings } = await checkSettings(settingOptions, env);
  yield* diagnoses;
  const cache = await checkCache(settings);
  yield cache.diagnosis;
  const signIn = await checkSignIn(graphHttp, settings, cache.content);
  yield* signIn.diagnoses;
  const hosts = await checkHosts(hostsHttp, settings, { env, drive: signIn.drive });
  yield* hosts.diagnoses;
  yield checkClock(hosts.clockOffsetsMs);
}

/** Kinds of failure from the worst; those that are not listed come last. */
const SEVERITY: readonly FailureKind[] = ["signInNeeded", "refused", "unavailable", "usage"];

/** The worst of several failures, which decides the exit code; `undefined` without any. */
export function worstFailure(failures: ReadonlySet<FailureKind>): FailureKind | undefined {
  return SEVERITY.find((kind) => failures.has(kind)) ?? (failures.size > 0 ? "failed" : undefined);
}

/** A finding on one line: `fail sign-in  not signed in; sign in with: …`. */
export function findingLine({ check, status, detail, hint }: Finding): string {
  const next = hint === null ? "" : `; ${hint}`;
  return `${status.padEnd(5)}${check.padEnd("settings".length)}  ${detail}${next}`;
}

/** Reads the token cache; its content is `undefined` where it cannot be read. */
async function checkCache(
  settings: Settings,
): Promise<{ diagnosis: Diagnosis; content?: CacheContent }> {
  const { accessToken, tokenCache: path, tokenCacheKey, clientId } = settings;
  if (accessToken !== undefined) return { diagnosis: ok("cache", "not used: GRAPH_ACCESS_TOKEN is set") };
  if (!clientId || path.startsWith(NO_HOME)) {
    return { diagnosis: warn("cache", "not checked", "fix the settings first") };
  }
  try {
    const key = tokenCacheKey && await loadKey(tokenCacheKey);
    const { state, content } = await readTokenCache(path, key);
    return { diagnosis: await describeCache(settings, state, content), content };
  } catch (error) {
    return { diagnosis: failWith("cache", toGraphError(error)) };
  }
}

async function describeCache(
  { tokenCache: path, tokenCacheKey: key, clientId = "", cloud, appCredential }: Settings,
  state: "absent" | "plaintext" | "encrypted",
  content: CacheContent,
): Promise<Diagnosis> {
  const whoami = commandName("whoami");
  if (state === "absent") {
    const detail = `${path} does not exist`;
    if (appCredential) return ok("cache", `${detail} yet`);
    return fail("cache", "signInNeeded", detail, `sign in once, in a terminal, with: ${whoami}`);
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
  const hint = `${key.variable} is set: the next sign-in or refresh encrypts the file, not its backups`;
  return warn("cache", detail, hint);
}

const CLOCK_WARN_SECONDS = 60;
const CLOCK_FAIL_SECONDS = 300;

/**
 * Compares the clocks of the services with ours. The smallest offset counts, because a proxy may repeat an old response.
 *
 * @param offsetsMs How far each service is ahead of this machine.
 */
function checkClock(offsetsMs: readonly number[]): Diagnosis {
  const [offsetMs] = offsetsMs.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  if (offsetMs === undefined) return warn("clock", "not checked", "fix the findings about hosts first");
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  if (seconds < 2) return ok("clock", "agrees with the service"); // the service's time has whole seconds
  const detail = `${seconds} s ${offsetMs > 0 ? "behind" : "ahead of"} the service`;
  const hint = "set the clock of this machine, best by NTP (on many systems: timedatectl set-ntp true)";
  if (seconds > CLOCK_FAIL_SECONDS) return fail("clock", "usage", detail, hint);
  return seconds > CLOCK_WARN_SECONDS ? warn("clock", detail, hint) : ok("clock", detail);
}
