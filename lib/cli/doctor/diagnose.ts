/**
 * `whoami --check`: five read-only checks of what scripts need. It never signs in, refreshes no token and writes no file.
 *
 * @module
 */
import { HttpClient, type HttpOptions } from "../../http/client.ts";
import type { SettingName } from "../../settings.ts";
import { checkCache } from "./cache_check.ts";
import { checkClock } from "./clock_check.ts";
import type { Diagnosis } from "./finding.ts";
import { checkHosts } from "./hosts_check.ts";
import { checkSettings } from "./settings_check.ts";
import { checkSignIn } from "./sign_in_check.ts";

export { findingLine, worstFailure } from "./finding.ts";

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
