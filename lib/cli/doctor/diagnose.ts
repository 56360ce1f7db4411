/**
 * The doctor: looks at everything that a script needs, and changes nothing. It signs nobody in, renews no token and makes
 * no file; what it sends only reads.
 *
 * @module
 */
import { HttpClient, type HttpOptions } from "../../http/client.ts";
import type { SettingName } from "../../settings.ts";
import { checkCache } from "./cache_check.ts";
import type { Diagnosis } from "./finding.ts";
import { checkHosts, checkStorage } from "./hosts_check.ts";
import { checkDeno, checkUnfinished } from "./local_check.ts";
import { checkMe } from "./me_check.ts";
import { checkProxy } from "./proxy_check.ts";
import { checkSettings } from "./settings_check.ts";
import { checkSignIn } from "./sign_in_check.ts";

export { findingLine, worstFailure as worst } from "./finding.ts";

/** A monitor should not wait for minutes; the transfers do. */
const MAX_WAIT_MS = 30_000;

/** How to look. */
export interface DiagnoseOptions {
  /** Settings given on the command line. */
  flags: Partial<Record<SettingName, string>>;
  http: HttpOptions;
  env?: (name: string) => string | undefined;
}

/**
 * Makes all checks, each whatever the others found.
 *
 * @throws {GraphError} `interrupted`.
 */
export async function* diagnose(options: DiagnoseOptions): AsyncGenerator<Diagnosis> {
  const env = options.env ?? ((name) => Deno.env.get(name));
  const { diagnoses, settings, foldersKnown, ownStorageHosts } = await checkSettings(options.flags, env);
  yield* diagnoses;
  yield checkDeno(Deno.version.deno);
  const cache = await checkCache(settings, foldersKnown);
  yield cache.diagnosis;
  const signIn = await checkSignIn(settings, cache.content, (options.http.now ?? Date.now)());
  yield* signIn.diagnoses;
  yield* await checkUnfinished(settings, foldersKnown);
  yield checkProxy(env);
  const http = new HttpClient({ maxWaitMs: MAX_WAIT_MS, ...options.http });
  yield* await checkHosts(http, settings);
  const me = await checkMe(http, settings, signIn);
  yield me.diagnosis;
  yield* await checkStorage(http, settings, ownStorageHosts, me.drive);
}
