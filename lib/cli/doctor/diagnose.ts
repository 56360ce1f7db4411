/**
 * `whoami --check`: five read-only checks of what scripts need. It never signs in, refreshes no token and writes no file.
 *
 * @module
 */
import type { CacheContent } from "../../auth/cache_content.ts";
import { loadKey } from "../../auth/encryption.ts";
import { readTokenCache } from "../../auth/token_cache.ts";
import { type FailureKind, type GraphError, usageError } from "../../errors.ts";
import { HttpClient, type HttpOptions } from "../../http/client.ts";
import { toGraphError } from "../../local/local_error.ts";
import {
  readSettings,
  type SettingDefinition,
  type SettingName,
  SETTINGS,
  type Settings,
} from "../../settings.ts";
import { NETWORK_VARIABLES } from "../grants.ts";
import { probeHosts } from "./hosts_check.ts";
import { checkSignIn } from "./sign_in_check.ts";

/** Shorter than for transfers: a monitor should not wait for minutes. */
const MAX_WAIT_MS = 30_000;

/** The five checks, in their order. */
export type Check = "settings" | "cache" | "sign-in" | "hosts" | "clock";

/** A finding, and the kind of failure that scripts will end with. */
interface Diagnosis {
  /** As `whoami --check --json` prints it. */
  finding: {
    check: Check;
    status: "ok" | "warn" | "fail";
    detail: string;
    /** What to do next; `null` with `ok`. */
    hint: string | null;
  };
  failure?: FailureKind;
}

/** What a check found; a hint makes it a warning. A check that fails throws. */
export interface Passed {
  detail: string;
  hint?: string | undefined;
}

interface DiagnoseOptions {
  settingOptions: Partial<Record<SettingName, string>>;
  env: (name: string) => string | undefined;
  http: HttpOptions;
  /** Adds to an error what to do next. */
  explain(error: GraphError): GraphError;
}

/**
 * Runs the checks. Without valid settings there is nothing else to check, and without a cache no sign-in.
 *
 * @throws {GraphError} `interrupted`.
 */
export async function* diagnose(
  { settingOptions, env, http, explain }: DiagnoseOptions,
): AsyncGenerator<Diagnosis> {
  const perform = performWith(explain);
  // Each with its own deadline: a silent host must not fail the next check.
  const openHttp = () => new HttpClient({ maxWaitMs: MAX_WAIT_MS, ...http });
  let settings: Settings | undefined;
  const read = await perform("settings", async () => {
    settings = await readSettings(settingOptions, env);
    return checkSettings(settings, settingOptions, env);
  });
  yield read;
  if (read.failure || !settings) return;
  const valid = settings;
  let content: CacheContent | undefined;
  yield await perform("cache", async () => {
    const cache = await checkCache(valid);
    content = cache.content;
    return cache;
  });
  if (content) {
    const cached = content;
    yield await perform("sign-in", () => checkSignIn(openHttp(), valid, cached));
  }
  const probes = await probeHosts(openHttp(), valid);
  const errors = probes.flatMap(({ error }) => error ?? []);
  const proxies = NETWORK_VARIABLES.filter((name) => env(name)); // their values can have passwords
  const detail = `${probes.map(({ host }) => host).join(", ")} can be reached; ` +
    (proxies.length > 0 ? `in force: ${proxies.join(", ")}` : "no proxy is set");
  if (errors.length === 0) yield await perform("hosts", () => ({ detail }));
  for (const error of errors) yield await perform("hosts", () => Promise.reject(error));
  const offsetsMs = probes.flatMap(({ offsetMs }) => offsetMs ?? []);
  if (offsetsMs.length > 0) yield await perform("clock", () => checkClock(offsetsMs));
}

/** A finding on one line: `fail sign-in  not signed in; sign in with: …`. */
export function findingLine({ check, status, detail, hint }: Diagnosis["finding"]): string {
  const next = hint === null ? "" : `; ${hint}`;
  return `${status.padEnd(5)}${check.padEnd("settings".length)}  ${detail}${next}`;
}

function performWith(explain: DiagnoseOptions["explain"]) {
  return async (check: Check, work: () => Promise<Passed> | Passed): Promise<Diagnosis> => {
    try {
      const { detail, hint = null } = await work();
      return { finding: { check, status: hint === null ? "ok" : "warn", detail, hint } };
    } catch (thrown) {
      const error = explain(toGraphError(thrown));
      const { kind, message, code, hint = "see the code and message", requestId } = error;
      if (kind === "interrupted") throw error;
      const details = requestId === undefined ? code : `${code}, request-id ${requestId}`;
      return { finding: { check, status: "fail", detail: `${message} (${details})`, hint }, failure: kind };
    }
  };
}

/** The settings that are shown; none of them is a secret. */
const SHOWN = ["cloud", "clientId", "tenantId", "account", "site", "siteHost", "drive", "apiOrigin"] as const;

/** Shows where settings come from; they have been read, and are valid. */
function checkSettings(
  settings: Settings,
  options: Partial<Record<SettingName, string>>,
  env: (name: string) => string | undefined,
): Passed {
  const missing = (["clientId", "tenantId"] as const).filter((name) => !settings[name]);
  if (missing.length > 0 && settings.accessToken === undefined) {
    throw usageError(
      `no app registration: ${missing.map((name) => SETTINGS[name].variable).join(" and ")} not set`,
      "set them to the ids of your app registration; README, Register an app, says how to make one",
      "noRegistration",
    );
  }
  const described = SHOWN.filter((name) => settings[name] !== undefined).map((name) => {
    const { flag, variable }: SettingDefinition = SETTINGS[name];
    const source = options[name] ? `--${flag}` : env(variable) ? "environment" : "config file or default";
    return `${name} ${settings[name]} (${source})`;
  });
  return { detail: described.join(", ") };
}

/** Reads the token cache; its content is empty where none is used. */
async function checkCache(settings: Settings): Promise<Passed & { content: CacheContent }> {
  const { accessToken, tokenCache: path, tokenCacheKey } = settings;
  if (accessToken !== undefined) return { detail: "not used: GRAPH_ACCESS_TOKEN is set", content: {} };
  const key = tokenCacheKey && await loadKey(tokenCacheKey);
  const { state, content } = await readTokenCache(path, key);
  if (state === "absent") return { detail: `${path} does not exist yet`, content };
  const hint = key && state === "plaintext"
    ? `${key.variable} is set: the next sign-in or refresh encrypts the file, not its backups`
    : undefined;
  return { detail: `${path}, ${state}`, hint, content };
}

/** Sign-in fails beyond this. */
const MAX_CLOCK_OFFSET_SECONDS = 300;

/**
 * Compares the clocks of the services with ours. The smallest offset counts, because a proxy may repeat an old response.
 *
 * @param offsetsMs How far each service is ahead of this machine.
 */
function checkClock(offsetsMs: readonly number[]): Passed {
  const [offsetMs = 0] = offsetsMs.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  if (seconds < 2) return { detail: "agrees with the service" }; // the service's time has whole seconds
  const detail = `${seconds} s ${offsetMs > 0 ? "behind" : "ahead of"} the service`;
  if (seconds <= MAX_CLOCK_OFFSET_SECONDS) return { detail };
  const hint = "set the clock of this machine, best by NTP (on many systems: timedatectl set-ntp true)";
  throw usageError(detail, hint, "wrongClock");
}
