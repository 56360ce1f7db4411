/** The metadata that MSAL requests before it trusts an unknown host. */

import { jsonResponse, type ServiceResponse } from "../messages.ts";
import type { State } from "../state.ts";
import { type Authority, issuerTenant } from "./authorities.ts";

/** `GET /{tenant}/v2.0/.well-known/openid-configuration` */
export function openidConfiguration(state: State, authority: Authority): ServiceResponse {
  const segment = authority.kind === "tenant" ? authority.tenantId : authority.kind;
  const base = `${state.origins.login}/${segment}`;
  return jsonResponse(200, {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: `${state.origins.login}/${issuerTenant(authority)}/v2.0`,
    request_uri_parameter_supported: false,
    userinfo_endpoint: "https://graph.microsoft.com/oidc/userinfo",
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "name", "oid", "preferred_username", "tid", "ver"],
    tenant_region_scope: "EU",
    cloud_instance_name: "microsoftonline.com",
    msgraph_host: "graph.microsoft.com",
  });
}

/** `GET /common/discovery/instance` */
export function instanceDiscovery(state: State): ServiceResponse {
  const { tenantId } = state.tenant.directory;
  const host = new URL(state.origins.login).host;
  return jsonResponse(200, {
    tenant_discovery_endpoint: `${state.origins.login}/${tenantId}/v2.0/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}
