/**
 * Whether the hosts of the service can be reached, directly or through a proxy. No request carries a token.
 *
 * @module
 */
import { toSignInError } from "../../auth/aadsts.ts";
import { CLOUDS, isLoopback } from "../../clouds.ts";
import { type GraphError, isGraphError } from "../../errors.ts";
import { StorageClient } from "../../graph/storage.ts";
import type { HttpClient } from "../../http/client.ts";
import { type HttpResponse, requestIdOf } from "../../http/response.ts";
import { parseJsonObject } from "../../json.ts";
import type { Settings } from "../../settings.ts";
import { type Diagnosis, fail, failWith, ok, warn } from "./finding.ts";
import type { DriveHosts } from "./sign_in_check.ts";

/** Stores the content of personal accounts; their `webUrl` names another host (PROTOCOL 15). */
const PERSONAL_STORAGE = "my.microsoftpersonalcontent.com";
const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
/** Variables that Deno's `fetch` obeys (PROTOCOL A8). */
const NETWORK_VARIABLES = [
  ...[...PROXIES, "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  "DENO_TLS_CA_STORE",
  "DENO_CERT",
];

/** A response with its body, or why there is none. */
type Probe =
  & { host: string; offsetMs?: number }
  & ({ response: HttpResponse; body: string } | { error: GraphError });

/** Requests something public from sign-in, Graph and the storage hosts that are known. */
export async function checkHosts(
  http: HttpClient,
  settings: Settings,
  { env, drive }: { env: (name: string) => string | undefined; drive: DriveHosts | undefined },
): Promise<{ diagnoses: Diagnosis[]; clockOffsetsMs: number[] }> {
  const { loginOrigin, apiOrigin, tenantId } = settings;
  const hosts = findStorageHosts(http, settings, drive);
  const [login, graph, ...storage] = await Promise.all([
    probe(http, `${loginOrigin}/${tenantId ?? "common"}/v2.0/.well-known/openid-configuration`),
    probe(http, `${apiOrigin}/v1.0/`),
    ...hosts.map((host) => probe(http, storageUrl(host))),
  ]);
  const diagnoses = [
    loginFinding(login!),
    serverFinding(graph!, ({ headers }) => requestIdOf(headers) !== undefined),
    ...storage.map((probe) => serverFinding(probe)),
  ];
  if (hosts.length === 0) {
    diagnoses.push(warn(
      "hosts",
      `storage was not checked: which of ${settings.storageHosts.join(", ")} is unknown`,
      "set GRAPH_SITE_HOST, or check again when a script has read a drive; allow these hosts on TCP 443",
    ));
  }
  const offsets = [login!, graph!].flatMap(({ offsetMs }) => offsetMs ?? []);
  return { diagnoses: [...proxyFindings(env), ...diagnoses], clockOffsetsMs: offsets };
}

async function probe(http: HttpClient, url: string): Promise<Probe> {
  const { host } = new URL(url);
  const startedAt = http.now();
  try {
    const response = await http.send({ method: "GET", url, retry: "never" });
    const date = Date.parse(response.headers.get("date") ?? "");
    const offsetMs = date - (startedAt + http.now()) / 2;
    const body = await response.text();
    return { host, response, body, ...(Number.isNaN(offsetMs) ? {} : { offsetMs }) };
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    return { host, error };
  }
}

/** The finding for one server; `isGenuine` distinguishes the service from a web page in its place. */
function serverFinding(probe: Probe, isGenuine: (response: HttpResponse) => boolean = () => true): Diagnosis {
  if ("error" in probe) return failWith("hosts", probe.error);
  const { host, response } = probe;
  const detail = `${host} answers with HTTP ${response.status}`;
  if (response.status === 429 || response.status >= 500) {
    return fail("hosts", "unavailable", detail, "try again later");
  }
  if (isGenuine(response)) return ok("hosts", detail);
  return fail(
    "hosts",
    "unavailable",
    `${detail}, but not as the service does`,
    "a proxy or the sign-in page of your network may have answered; check HTTPS_PROXY and the GRAPH_*_ORIGIN settings",
  );
}

function loginFinding(probe: Probe): Diagnosis {
  const body = "body" in probe ? parseJsonObject(probe.body) ?? {} : {};
  if ("response" in probe && typeof body.error === "string" && probe.response.status < 429) {
    return failWith("hosts", toSignInError(body, probe.response.status));
  }
  return serverFinding(probe, () => typeof body.token_endpoint === "string");
}

/** The storage hosts that the settings or the drive name. */
function findStorageHosts(http: HttpClient, settings: Settings, drive: DriveHosts | undefined): string[] {
  const { site, siteHost, storageHosts, cloud } = settings;
  const client = new StorageClient(http, storageHosts);
  const isStorage = (host: string) => {
    try {
      client.check(storageUrl(host));
      return true;
    } catch (error) {
      if (!isGraphError(error)) throw error;
      return false; // a host of web pages
    }
  };
  const isOwnList = storageHosts !== CLOUDS[cloud].storageHosts;
  const named = [
    URL.parse(drive?.webUrl ?? "")?.host,
    drive?.driveType === "personal" ? PERSONAL_STORAGE : undefined,
    siteHost,
    site?.includes(".") ? site.replace(/^https?:\/\//, "").split("/")[0] : undefined,
    ...(isOwnList ? storageHosts.filter((host) => !host.includes("*")) : []),
  ];
  return [...new Set(named)].filter((host): host is string => host !== undefined && isStorage(host));
}

function storageUrl(host: string): string {
  return `${isLoopback(host.replace(/:\d+$/, "")) ? "http" : "https"}://${host}/`;
}

/** The proxy and certificate variables that are set, without credentials. */
function proxyFindings(env: (name: string) => string | undefined): Diagnosis[] {
  try {
    const set = NETWORK_VARIABLES.flatMap((name) => {
      const value = env(name);
      if (!value) return [];
      return [`${name}=${PROXIES.includes(name.toUpperCase()) ? withoutCredentials(value) : value}`];
    });
    return set.length === 0 ? [] : [ok("hosts", set.join(", "))];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    const detail = "proxy settings were not read for lack of a Deno permission; requests obey them";
    return [warn("hosts", detail, `run it with --allow-env=${NETWORK_VARIABLES.join(",")}`)];
  }
}

function withoutCredentials(proxy: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`);
  if (!url) return "(not the address of a proxy)";
  return `${url.protocol}//${url.host}${url.username || url.password ? " (with credentials)" : ""}`;
}
