/** Errors of the sign-in service (PROTOCOL 13.4): exit code, kind, cause and hint. */

import { assertEquals, assertMatch } from "../assert.ts";
import { AADSTS, toSignInError } from "../../lib/auth/aadsts.ts";
import { withHint } from "../../lib/cli/hints.ts";

/** The numbers of PROTOCOL 13.4 in order, except those whose service message suffices. */
const DOCUMENTED = `
7000218 700025 65001 65004 90094 90095 650052 650056 650057 65005 50076 50074 50079 50072 50078
50097 53000 53001 50129 50005 50131 53003 530032 530035 530034 50199 50034 50020 51004 16000 50014
50059 50128 90019 50057 50053 50055 50126 50105 50194 90130 9002332 500208 700016 700011 90002 90038
70016 70018 70019 70020 70008 700082 700084 50173 70043 50089 50132 50133 70000 70011
500021 500022 500212 500213 50196 90033 50033 90024 90006
`.trim().split(/\s+/).map(Number);

const GOLDEN = `
16000 | 5 refused | the account is not in this tenant | use another account, set GRAPH_TENANT_ID to the account's tenant, or ask to be invited as a guest
50005 | 5 refused | the organization requires a known or compliant device, which a device code cannot prove | try a browser on a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50011 | 5 refused | the app registration lacks the redirect address of the browser sign-in | App registrations > your app > Authentication > Add a platform > Mobile and desktop applications: add http://localhost
50014 | 5 refused | the account is not in this tenant | use another account, set GRAPH_TENANT_ID to the account's tenant, or ask to be invited as a guest
50020 | 5 refused | the account is not in this tenant | use another account, set GRAPH_TENANT_ID to the account's tenant, or ask to be invited as a guest
50033 | 8 unavailable | the sign-in service is temporarily unavailable | run the same command again
50034 | 5 refused | the account is not in this tenant | use another account, set GRAPH_TENANT_ID to the account's tenant, or ask to be invited as a guest
50053 | 5 refused | the account is disabled or locked, or its password is wrong or expired | fix it at https://mysignins.microsoft.com, or ask your administrator
50055 | 5 refused | the account is disabled or locked, or its password is wrong or expired | fix it at https://mysignins.microsoft.com, or ask your administrator
50057 | 5 refused | the account is disabled or locked, or its password is wrong or expired | fix it at https://mysignins.microsoft.com, or ask your administrator
50059 | 2 usage | the request names no tenant | set GRAPH_TENANT_ID to the tenant's id
50072 | 4 signInNeeded | multi-factor authentication is needed, failed or must be set up | sign in again with: scripts/whoami.ts
50074 | 4 signInNeeded | multi-factor authentication is needed, failed or must be set up | sign in again with: scripts/whoami.ts
50076 | 4 signInNeeded | multi-factor authentication is needed, failed or must be set up | sign in again with: scripts/whoami.ts
50078 | 4 signInNeeded | multi-factor authentication is needed, failed or must be set up | sign in again with: scripts/whoami.ts
50079 | 4 signInNeeded | multi-factor authentication is needed, failed or must be set up | sign in again with: scripts/whoami.ts
50089 | 4 signInNeeded | the sign-in was revoked | sign in again with: scripts/whoami.ts
50097 | 5 refused | the organization requires a known or compliant device, which a device code cannot prove | try a browser on a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50105 | 5 refused | the account is not assigned to the app | ask your administrator to assign it: Enterprise applications > the app > Users and groups
50126 | 5 refused | the account is disabled or locked, or its password is wrong or expired | fix it at https://mysignins.microsoft.com, or ask your administrator
50128 | 2 usage | the request names no tenant | set GRAPH_TENANT_ID to the tenant's id
50129 | 5 refused | the organization requires a known or compliant device, which a device code cannot prove | try a browser on a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50131 | 5 refused | the organization requires a known or compliant device, which a device code cannot prove | try a browser on a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50132 | 4 signInNeeded | the sign-in was revoked | sign in again with: scripts/whoami.ts
50133 | 4 signInNeeded | the sign-in was revoked | sign in again with: scripts/whoami.ts
50173 | 4 signInNeeded | the sign-in was revoked | sign in again with: scripts/whoami.ts
50194 | 2 usage | the app does not accept accounts of this type | use the tenant id of the app; organizations or consumers only where the registration allows them
50196 | 8 unavailable | the sign-in service received the same request too often | wait some minutes, then run it again
50199 | 4 signInNeeded | the sign-in was not completed in the browser | sign in again with: scripts/whoami.ts
51004 | 5 refused | the account is not in this tenant | use another account, set GRAPH_TENANT_ID to the account's tenant, or ask to be invited as a guest
53000 | 5 refused | the organization requires a known or compliant device, which a device code cannot prove | try a browser on a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
53001 | 5 refused | the organization requires a known or compliant device, which a device code cannot prove | try a browser on a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
53003 | 5 refused | a Conditional Access policy blocks this sign-in, perhaps one against device codes | if it is against device codes, try: scripts/whoami.ts --sign-in browser; otherwise ask your administrator to look at the sign-in log, tab Conditional Access, for the correlation id (for the administrator)
65001 | 5 refused | the app lacks consent for this permission | run the same command in a terminal and consent there; if the page asks for an administrator, ask yours to grant admin consent on the app's API permissions page
65004 | 5 refused | you declined the consent or the sign-in | run it again and accept, if you trust the app
65005 | 5 refused | the app registration lacks permissions on Microsoft Graph, or the service is not enabled | App registrations > your app > API permissions: add the delegated Microsoft Graph permissions that the README lists
70000 | 4 signInNeeded | the sign-in was revoked | sign in again with: scripts/whoami.ts
70008 | 4 signInNeeded | the sign-in expired because it was not used for too long | sign in again with: scripts/whoami.ts
70011 | 2 usage | this account does not have one of the permissions that were asked for | for a personal Microsoft account set GRAPH_TENANT_ID=consumers, since those have no sites; otherwise report it, with the correlation id
70016 | 4 signInNeeded | the sign-in was not completed in the browser | sign in again with: scripts/whoami.ts
70018 | 4 signInNeeded | the code expired or was refused | start again with: scripts/whoami.ts; if the browser showed 53003, a policy forbids device codes: ask your administrator
70019 | 4 signInNeeded | the code expired or was refused | start again with: scripts/whoami.ts; if the browser showed 53003, a policy forbids device codes: ask your administrator
70020 | 4 signInNeeded | the code expired or was refused | start again with: scripts/whoami.ts; if the browser showed 53003, a policy forbids device codes: ask your administrator
70021 | 5 refused | the app does not trust this federated token | App registrations > your app > Certificates & secrets > Federated credentials: compare issuer, subject and audience, with their case, to those of the token
70043 | 4 signInNeeded | the organization requires a new sign-in at regular intervals (sign-in frequency) | sign in again with: scripts/whoami.ts
90002 | 2 usage | there is no such tenant in this cloud | check GRAPH_TENANT_ID; a tenant of a national cloud needs GRAPH_CLOUD (usgov, usdod or china) as well
90006 | 8 unavailable | the sign-in service is temporarily unavailable | run the same command again
90019 | 2 usage | the request names no tenant | set GRAPH_TENANT_ID to the tenant's id
90024 | 8 unavailable | the sign-in service is temporarily unavailable | run the same command again
90033 | 8 unavailable | the sign-in service is temporarily unavailable | run the same command again
90038 | 2 usage | there is no such tenant in this cloud | check GRAPH_TENANT_ID; a tenant of a national cloud needs GRAPH_CLOUD (usgov, usdod or china) as well
90094 | 5 refused | an administrator must consent to the app | ask for admin consent: Entra admin center > Enterprise applications > the app > Permissions
90095 | 5 refused | an administrator must consent to the app | ask for admin consent: Entra admin center > Enterprise applications > the app > Permissions
90130 | 2 usage | the app does not accept accounts of this type | use the tenant id of the app; organizations or consumers only where the registration allows them
500021 | 5 refused | a security policy of an organization blocks this sign-in | ask your administrator, with the correlation id
500022 | 5 refused | a security policy of an organization blocks this sign-in | ask your administrator, with the correlation id
500113 | 5 refused | the app registration lacks the redirect address of the browser sign-in | App registrations > your app > Authentication > Add a platform > Mobile and desktop applications: add http://localhost
500200 | 2 usage | the app does not accept accounts of this type | use the tenant id of the app; organizations or consumers only where the registration allows them
500208 | 2 usage | the app does not accept accounts of this type | use the tenant id of the app; organizations or consumers only where the registration allows them
500212 | 5 refused | a security policy of an organization blocks this sign-in | ask your administrator, with the correlation id
500213 | 5 refused | a security policy of an organization blocks this sign-in | ask your administrator, with the correlation id
530032 | 5 refused | a security policy of an organization blocks this sign-in | ask your administrator, with the correlation id
530034 | 5 refused | a security policy of an organization blocks this sign-in | ask your administrator, with the correlation id
530035 | 5 refused | a security policy of an organization blocks this sign-in | ask your administrator, with the correlation id
650052 | 5 refused | the app registration lacks permissions on Microsoft Graph, or the service is not enabled | App registrations > your app > API permissions: add the delegated Microsoft Graph permissions that the README lists
650056 | 5 refused | the app registration lacks permissions on Microsoft Graph, or the service is not enabled | App registrations > your app > API permissions: add the delegated Microsoft Graph permissions that the README lists
650057 | 5 refused | the app registration lacks permissions on Microsoft Graph, or the service is not enabled | App registrations > your app > API permissions: add the delegated Microsoft Graph permissions that the README lists
700011 | 2 usage | the tenant does not know the app | check GRAPH_CLIENT_ID, GRAPH_TENANT_ID and GRAPH_CLOUD against the app's Overview page
700016 | 2 usage | the tenant does not know the app | check GRAPH_CLIENT_ID, GRAPH_TENANT_ID and GRAPH_CLOUD against the app's Overview page
700024 | 1 failed | the certificate's signature or the federated token is not valid at this time | correct the clock of this machine, or let the platform issue a new token
700025 | 5 refused | the app is a public client, but a secret or certificate was sent | remove the secret or certificate from the settings, or use the client id of the app registration that it belongs to
700027 | 5 refused | the certificate is not one of the app's, or has expired | App registrations > your app > Certificates & secrets > Certificates: upload its public part, or that of a new one
700030 | 5 refused | the certificate is not one of the app's, or has expired | App registrations > your app > Certificates & secrets > Certificates: upload its public part, or that of a new one
700082 | 4 signInNeeded | the sign-in expired because it was not used for too long | sign in again with: scripts/whoami.ts
700084 | 4 signInNeeded | the sign-in expired because it was not used for too long | sign in again with: scripts/whoami.ts
700211 | 5 refused | the app does not trust this federated token | App registrations > your app > Certificates & secrets > Federated credentials: compare issuer, subject and audience, with their case, to those of the token
700212 | 5 refused | the app does not trust this federated token | App registrations > your app > Certificates & secrets > Federated credentials: compare issuer, subject and audience, with their case, to those of the token
700213 | 5 refused | the app does not trust this federated token | App registrations > your app > Certificates & secrets > Federated credentials: compare issuer, subject and audience, with their case, to those of the token
900023 | 2 usage | there is no such tenant in this cloud | check GRAPH_TENANT_ID; a tenant of a national cloud needs GRAPH_CLOUD (usgov, usdod or china) as well
7000215 | 5 refused | the client secret is not one of the app's, or has expired | App registrations > your app > Certificates & secrets: make a new secret, and use its Value (not its Secret ID)
7000218 | 5 refused | the app registration does not allow public client flows | Entra admin center > App registrations > your app > Authentication > Settings: set Allow public client flows to Yes, save, then sign in again
7000222 | 5 refused | the client secret is not one of the app's, or has expired | App registrations > your app > Certificates & secrets: make a new secret, and use its Value (not its Secret ID)
7002137 | 5 refused | the app does not trust this federated token | App registrations > your app > Certificates & secrets > Federated credentials: compare issuer, subject and audience, with their case, to those of the token
7002138 | 5 refused | the app does not trust this federated token | App registrations > your app > Certificates & secrets > Federated credentials: compare issuer, subject and audience, with their case, to those of the token
9002313 | 4 signInNeeded | the sign-in is no longer valid | sign in again with: scripts/whoami.ts
9002331 | 2 usage | the app does not accept accounts of this type | use the tenant id of the app; organizations or consumers only where the registration allows them
9002332 | 2 usage | the app does not accept accounts of this type | use the tenant id of the app; organizations or consumers only where the registration allows them
`.trim().split("\n");

Deno.test("toSignInError() reports what happened, and what to do next", () => {
  const numbers = [...AADSTS.keys()].filter((key) => typeof key === "number");
  const lines = numbers.toSorted((one, other) => one - other).map((number) => {
    const error = withHint(toSignInError({ error: "invalid_grant", error_codes: [number] }), "whoami");
    const why = error.message.replace("sign-in: ", "");
    return `${number} | ${error.exitCode} ${error.kind} | ${why} | ${error.hint}`;
  });
  assertEquals(lines, GOLDEN);
});

Deno.test("AADSTS explains every documented number", () => {
  assertEquals(DOCUMENTED.filter((number) => !AADSTS.has(number)), []);
  assertEquals(DOCUMENTED.length, new Set(DOCUMENTED).size);
});

Deno.test("toSignInError() finds the number in the description where error_codes is missing", () => {
  const error = toSignInError({
    error: "invalid_grant",
    error_description: "AADSTS50173: revoked.\r\nTrace ID: x",
  });
  assertEquals([error.code, error.exitCode], ["AADSTS50173", 4]);
});

Deno.test("toSignInError() quotes the service for an unknown number", () => {
  const error = toSignInError({
    error: "invalid_request",
    error_description: "AADSTS1234567: Something new.\r\nTrace ID: secret-looking",
    error_codes: [1234567],
    correlation_id: "c0ffee",
    timestamp: "2026-01-02 03:04:05Z",
  }, 400);
  assertEquals([error.kind, error.code, error.requestId, error.date, error.status], [
    "failed",
    "AADSTS1234567",
    "c0ffee",
    "2026-01-02T03:04:05Z",
    400,
  ]);
  assertEquals(error.message, "sign-in: the sign-in service refused: AADSTS1234567: Something new.");
  assertMatch(error.hint!, /login\.microsoftonline\.com\/error/);
});

Deno.test("toSignInError() uses the OAuth error where the number is unknown", () => {
  const exits = [
    ["invalid_grant", 4],
    ["consent_required", 5],
    ["interaction_required", 4],
    ["temporarily_unavailable", 8],
    ["access_denied", 5],
    ["expired_token", 4],
    ["authorization_declined", 5],
  ] as const;
  for (const [error, exit] of exits) {
    assertEquals(toSignInError({ error, error_codes: [7654321] }).exitCode, exit, error);
  }
});
