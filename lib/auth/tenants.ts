/**
 * Which tenant a domain is.
 *
 * @module
 */
import { type EntraErrorBody, toSignInError } from "./aadsts.ts";
import { jsonObject } from "./cache_content.ts";
import { GraphError } from "../errors.ts";
import type { HttpClient } from "../http/client.ts";

/**
 * Asks the sign-in service, without a sign-in (https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc).
 * A cached token says which tenant it is of, but not what that tenant's domains are.
 *
 * @throws {GraphError} `usage` when there is no such tenant.
 */
export async function resolveTenantId(
  domain: string,
  http: HttpClient,
  loginOrigin: string,
): Promise<string> {
  const answer = await http.send({
    method: "GET",
    url: `${loginOrigin}/${domain.toLowerCase()}/v2.0/.well-known/openid-configuration`,
    retry: "idempotent",
  });
  const body = jsonObject(await answer.text()) ?? {};
  if (typeof body.error === "string") {
    throw toSignInError(body as unknown as EntraErrorBody, answer.status);
  }
  const id = /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/v2\.0\/?$/i.exec(String(body.issuer ?? ""))
    ?.[1];
  if (id) return id.toLowerCase();
  throw new GraphError(
    answer.status >= 500 || answer.status === 429 ? "unavailable" : "failed",
    `sign-in: the service does not say which tenant ${domain} is`,
    { code: "invalidAnswer", hint: "set GRAPH_TENANT_ID to the tenant's id", status: answer.status },
  );
}
