/**
 * The doctor: looks at everything that a script needs, and changes nothing. It signs nobody in, renews no token and makes
 * no file; what it sends only reads.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import { Http, type HttpOptions } from "../graph/http.ts";
import type { SettingName } from "../settings.ts";
import { checkCache } from "./cache_check.ts";
import type { Diagnosis } from "./finding.ts";
import { checkHosts, checkStorage } from "./hosts_check.ts";
import { checkDeno, checkUnfinished } from "./local_check.ts";
import { checkMe } from "./me_check.ts";
import { checkProxy } from "./proxy_check.ts";
import { checkSettings } from "./settings_check.ts";
import { checkSignIn } from "./sign_in_check.ts";

export { findingLine, worst } from "./finding.ts";

/** A monitor should not wait for minutes; the transfers do. */
const LONGEST_WAIT_MS = 10_000;
/** A host may accept a request and say nothing, or a byte a minute. */
const LONGEST_ASKING_MS = 60_000;

/** How to look. */
export interface DiagnoseOptions {
  /** Settings given on the command line. */
  flags: Partial<Record<SettingName, string>>;
  http: HttpOptions;
  env?: (name: string) => string | undefined;
  /** Longest time for each of the checks that ask the service, in milliseconds. @default 60_000 */
  longestMs?: number;
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
  yield* await inTime(options, (http) => checkHosts(http, settings));
  const me = await inTime(options, (http) => checkMe(http, settings, signIn));
  yield me.diagnosis;
  yield* await inTime(options, (http) => checkStorage(http, settings, ownStorageHosts, me.drive));
}

/** Asks over a transport that gives up with an error when the time is over. */
async function inTime<T>(
  { http, longestMs = LONGEST_ASKING_MS }: DiagnoseOptions,
  ask: (http: Http) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const error = new GraphError("unavailable", `no whole answer within ${Math.round(longestMs / 1000)} s`, {
    code: "timeout",
    hint: "try again later; a proxy or gateway may hold the answer back",
  });
  const timer = setTimeout(() => late.abort(error), longestMs);
  const signal = http.signal ? AbortSignal.any([http.signal, late.signal]) : late.signal;
  try {
    return await ask(new Http({ maxWaitMs: LONGEST_WAIT_MS, ...http, signal }));
  } finally {
    clearTimeout(timer);
  }
}
