/**
 * Whether the hosts of the service can be reached, and what time it is there. Nothing that is sent carries a token.
 *
 * @module
 */
import { type EntraErrorBody, toSignInError } from "../../auth/aadsts.ts";
import { type GraphError, isGraphError } from "../../errors.ts";
import type { HttpClient } from "../../http/client.ts";
import { type HttpResponse, requestIdOf } from "../../http/response.ts";
import type { Settings } from "../../settings.ts";
import { isLoopback } from "../../clouds.ts";
import { StorageClient } from "../../graph/storage.ts";
import { type Diagnosis, fail, failure, ok, warn } from "./finding.ts";
import { networkFinding } from "./network_failure.ts";

const WARN_CLOCK_MS = 60_000;
const FAIL_CLOCK_MS = 300_000;
/** Content of personal accounts; their `webUrl` names another host (PROTOCOL 15). */
const PERSONAL_STORAGE = "my.microsoftpersonalcontent.com";

/** What a drive tells of where its content is. */
export interface DriveFacts {
  webUrl?: string | null;
  driveType?: string | null;
}

/** An answer with its body, or why there is none. */
interface Probe {
  answer: Pick<HttpResponse, "status" | "headers"> | undefined;
  text: string;
  error: GraphError | undefined;
  ms: number;
  /** How much the clock of the service is ahead; `undefined` when it does not tell. */
  aheadMs: number | undefined;
}

/** Asks sign-in and Graph for what anybody may ask them; then judges the clock by their answers. */
export async function checkHosts(http: HttpClient, settings: Settings): Promise<Diagnosis[]> {
  const { loginOrigin, apiOrigin, tenantId } = settings;
  const [login, graph] = await Promise.all([
    probe(http, `${loginOrigin}/${tenantId ?? "common"}/v2.0/.well-known/openid-configuration`),
    probe(http, `${apiOrigin}/v1.0/`),
  ]);
  return [
    loginFinding(login, new URL(loginOrigin).host),
    graphFinding(graph, new URL(apiOrigin).host),
    clockFinding([login, graph]),
  ];
}

/** Asks the storage hosts that are known; there may be none. */
export async function checkStorage(
  http: HttpClient,
  settings: Settings,
  ownHosts: boolean,
  drive: DriveFacts | undefined,
): Promise<Diagnosis[]> {
  const hosts = storageHosts(http, settings, ownHosts, drive);
  if (hosts.length === 0) {
    const hint =
      "run this again when a script has read a drive, or set GRAPH_SITE_HOST; allow these hosts on TCP 443";
    return [warn("storage", `not asked: which of ${settings.storageHosts.join(", ")} is not known`, hint)];
  }
  return await Promise.all(hosts.map(async (host) => {
    const { answer, error, ms } = await probe(http, `${schemeOf(host)}//${host}/`);
    if (error) return networkFinding("storage", error);
    const detail = `${host} answers (HTTP ${answer!.status}, ${Math.round(ms)} ms)`;
    return answer!.status >= 500
      ? fail("storage", "unavailable", detail, "try again later")
      : ok("storage", detail);
  }));
}

function storageHosts(
  http: HttpClient,
  settings: Settings,
  ownHosts: boolean,
  drive: DriveFacts | undefined,
): string[] {
  const client = new StorageClient(http, settings.storageHosts);
  const isStorage = (host: string) => {
    try {
      client.check(`${schemeOf(host)}//${host}/`);
      return true;
    } catch (error) {
      if (!isGraphError(error)) throw error;
      return false; // a host of web pages, or none at all
    }
  };
  const told = [
    drive?.webUrl && URL.canParse(drive.webUrl) ? new URL(drive.webUrl).host : undefined,
    drive?.driveType === "personal" ? PERSONAL_STORAGE : undefined,
    settings.siteHost,
    settings.site?.includes(".") ? settings.site.replace(/^https?:\/\//, "").split("/")[0] : undefined,
    ...(ownHosts ? settings.storageHosts.filter((host) => !host.includes("*")) : []),
  ];
  return [...new Set(told)].filter((host) => host !== undefined && isStorage(host)) as string[];
}

function schemeOf(host: string): "http:" | "https:" {
  return isLoopback(host.replace(/:\d+$/, "")) ? "http:" : "https:";
}

async function probe(http: HttpClient, url: string): Promise<Probe> {
  const started = http.now();
  const none = { answer: undefined, text: "", aheadMs: undefined };
  try {
    const answer = await http.send({ method: "GET", url, retry: "never" });
    const ended = http.now();
    const date = Date.parse(answer.headers.get("date") ?? "");
    const text = await answer.text();
    const aheadMs = Number.isNaN(date) ? undefined : date - (started + ended) / 2;
    return { answer, text, error: undefined, ms: ended - started, aheadMs };
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    return { ...none, error, ms: http.now() - started };
  }
}

function loginFinding({ answer, text, error, ms }: Probe, host: string): Diagnosis {
  if (error || !answer) return networkFinding("login", error!);
  const { status } = answer;
  const detail = `${host} answers (HTTP ${status}, ${Math.round(ms)} ms)`;
  if (status === 429 || status >= 500) return fail("login", "unavailable", detail, "try again later");
  const body = jsonOf(text);
  if (typeof body.error === "string") {
    return failure("login", toSignInError(body as unknown as EntraErrorBody, status));
  }
  if (status === 200 && typeof body.token_endpoint === "string") return ok("login", detail);
  return fail(
    "login",
    "unavailable",
    `${detail}, but not as the sign-in service does`,
    "a proxy or the sign-in page of your network may have answered; check HTTPS_PROXY and GRAPH_LOGIN_ORIGIN",
  );
}

function graphFinding({ answer, error, ms }: Probe, host: string): Diagnosis {
  if (error || !answer) return networkFinding("graph", error!);
  const { status, headers } = answer;
  const detail = `${host} answers (HTTP ${status}, ${Math.round(ms)} ms)`;
  if (status === 429 || status >= 500) return fail("graph", "unavailable", detail, "try again later");
  if (requestIdOf(headers)) return ok("graph", detail);
  return fail(
    "graph",
    "unavailable",
    `${detail}, but not as Microsoft Graph does`,
    "a proxy or the sign-in page of your network may have answered; check HTTPS_PROXY and GRAPH_API_ORIGIN",
  );
}

/** The nearest of the clocks counts: an answer that a proxy kept is from an earlier time. */
function clockFinding(probes: readonly Probe[]): Diagnosis {
  const told = probes.map(({ aheadMs }) => aheadMs).filter((ms) => ms !== undefined);
  const [nearest] = told.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  if (nearest === undefined) {
    return warn("clock", "not compared: no host told its time", "see the findings about the hosts");
  }
  const seconds = Math.round(Math.abs(nearest) / 1000);
  const hint = "set the clock of this machine, best by NTP (timedatectl set-ntp true on many systems)";
  // The header has whole seconds, so that less than two says nothing.
  if (seconds < 2) return ok("clock", "agrees with the service's");
  const detail = `${seconds} s ${nearest > 0 ? "behind" : "ahead of"} the service's`;
  if (seconds > FAIL_CLOCK_MS / 1000) return fail("clock", "usage", detail, hint);
  return seconds > WARN_CLOCK_MS / 1000 ? warn("clock", detail, hint) : ok("clock", detail);
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {}; // a page of something in between, which the caller tells
  }
}
