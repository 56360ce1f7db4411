/**
 * Whether sign-in and Graph can be reached. No request carries a token.
 *
 * @module
 */
import { toSignInError } from "../../auth/aadsts.ts";
import { GraphError, isGraphError } from "../../errors.ts";
import type { HttpClient } from "../../http/client.ts";
import { type HttpResponse, requestIdOf } from "../../http/response.ts";
import { parseJsonObject } from "../../json.ts";
import type { Settings } from "../../settings.ts";

/** A host and its response; without an error it responds as the service does. */
interface Probe {
  host: string;
  offsetMs?: number;
  error?: GraphError;
}

/** Requests something public from sign-in and Graph. Storage is left to transfers, which may connect to it. */
export async function probeHosts(http: HttpClient, settings: Settings): Promise<Probe[]> {
  const { loginOrigin, apiOrigin, tenantId } = settings;
  return await Promise.all([
    probe(http, `${loginOrigin}/${tenantId ?? "common"}/v2.0/.well-known/openid-configuration`, isSignIn),
    probe(http, `${apiOrigin}/v1.0/`, ({ headers }) => requestIdOf(headers) !== undefined),
  ]);
}

/** @param isGenuine Distinguishes the service from a web page in its place. */
async function probe(
  http: HttpClient,
  url: string,
  isGenuine: (response: HttpResponse, body: string) => boolean,
): Promise<Probe> {
  const { host } = new URL(url);
  const startedAt = http.now();
  try {
    const response = await http.send({ method: "GET", url, retry: "never" });
    const offsetMs = Date.parse(response.headers.get("date") ?? "") - (startedAt + http.now()) / 2;
    const body = await response.text();
    const { status } = response;
    if (status === 429 || status >= 500 || !isGenuine(response, body)) {
      const message = `${host} responds with HTTP ${status}, not as the service does`;
      throw new GraphError("unavailable", message, { code: "invalidAnswer", hint: OTHER_SERVER });
    }
    return Number.isNaN(offsetMs) ? { host } : { host, offsetMs };
  } catch (error) {
    if (!isGraphError(error) || error.kind === "interrupted") throw error;
    return { host, error };
  }
}

const OTHER_SERVER =
  "try again later; if a proxy or the sign-in page of your network has responded, check HTTPS_PROXY and the GRAPH_*_ORIGIN settings";

/** Throws what the sign-in service reports, such as a tenant that does not exist. */
function isSignIn({ status }: HttpResponse, text: string): boolean {
  const body = parseJsonObject(text) ?? {};
  if (typeof body.error === "string") throw toSignInError(body, status);
  return typeof body.token_endpoint === "string";
}
