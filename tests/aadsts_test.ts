import { assertEquals, assertMatch } from "@std/assert";
import { AADSTS, explainSignIn } from "../lib/sign_in/aadsts.ts";

/** What a person reads for each code, with the exit code and who can mend it. */
const EXPLAINED = `
16000 exit 5 you: the account is not in this tenant -> use the right account or --tenant, or ask to be invited as a guest
28002 exit 1 app owner: the service does not know the permissions asked for; a personal account has none for sites -> with a personal account set GRAPH_TENANT_ID=consumers, and no site; otherwise report it, with the correlation id (for the app owner)
50005 exit 5 administrator: the organisation wants a known or compliant device, which a device code cannot prove -> try a browser of a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50011 exit 5 app owner: the app registration does not know the way back from the browser -> App registrations > your app > Authentication > Add a platform > Mobile and desktop applications: add http://localhost (for the app owner)
50014 exit 5 you: the account is not in this tenant -> use the right account or --tenant, or ask to be invited as a guest
50020 exit 5 you: the account is not in this tenant -> use the right account or --tenant, or ask to be invited as a guest
50033 exit 8 you: the sign-in service has a passing fault -> run the same command again
50034 exit 5 you: the account is not in this tenant -> use the right account or --tenant, or ask to be invited as a guest
50053 exit 5 administrator: the account is disabled or locked, or its password is wrong or expired -> mend it at https://mysignins.microsoft.com or ask your administrator (for the administrator)
50055 exit 5 administrator: the account is disabled or locked, or its password is wrong or expired -> mend it at https://mysignins.microsoft.com or ask your administrator (for the administrator)
50057 exit 5 administrator: the account is disabled or locked, or its password is wrong or expired -> mend it at https://mysignins.microsoft.com or ask your administrator (for the administrator)
50059 exit 2 you: the request names no tenant -> set GRAPH_TENANT_ID to the tenant's id or domain
50072 exit 4 you: multi-factor authentication is needed, failed or must be set up -> sign in again with: scripts/whoami.ts and complete it in the browser
50074 exit 4 you: multi-factor authentication is needed, failed or must be set up -> sign in again with: scripts/whoami.ts and complete it in the browser
50076 exit 4 you: multi-factor authentication is needed, failed or must be set up -> sign in again with: scripts/whoami.ts and complete it in the browser
50078 exit 4 you: multi-factor authentication is needed, failed or must be set up -> sign in again with: scripts/whoami.ts and complete it in the browser
50079 exit 4 you: multi-factor authentication is needed, failed or must be set up -> sign in again with: scripts/whoami.ts and complete it in the browser
50089 exit 4 you: the sign-in was revoked -> sign in again with: scripts/whoami.ts
50097 exit 5 administrator: the organisation wants a known or compliant device, which a device code cannot prove -> try a browser of a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50105 exit 5 administrator: the account is not assigned to the app -> Enterprise applications > the app > Users and groups: assign the account (for the administrator)
50126 exit 5 administrator: the account is disabled or locked, or its password is wrong or expired -> mend it at https://mysignins.microsoft.com or ask your administrator (for the administrator)
50128 exit 2 you: the request names no tenant -> set GRAPH_TENANT_ID to the tenant's id or domain
50129 exit 5 administrator: the organisation wants a known or compliant device, which a device code cannot prove -> try a browser of a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50131 exit 5 administrator: the organisation wants a known or compliant device, which a device code cannot prove -> try a browser of a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
50132 exit 4 you: the sign-in was revoked -> sign in again with: scripts/whoami.ts
50133 exit 4 you: the sign-in was revoked -> sign in again with: scripts/whoami.ts
50173 exit 4 you: the sign-in was revoked -> sign in again with: scripts/whoami.ts
50194 exit 2 you: the app does not take accounts of this kind -> use the tenant id of the app; organizations or consumers only where the registration allows them
50196 exit 8 you: the service saw the same request too often -> wait some minutes, then run it again
50199 exit 4 you: the confirmation page was not completed -> sign in again with: scripts/whoami.ts and press Continue in the browser
51004 exit 5 you: the account is not in this tenant -> use the right account or --tenant, or ask to be invited as a guest
53000 exit 5 administrator: the organisation wants a known or compliant device, which a device code cannot prove -> try a browser of a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
53001 exit 5 administrator: the organisation wants a known or compliant device, which a device code cannot prove -> try a browser of a managed device: scripts/whoami.ts --sign-in browser; otherwise ask for an exception for this app (for the administrator)
53003 exit 5 administrator: a Conditional Access policy blocks this sign-in; a policy against device code flow shows in the same way -> if it is against device codes, try: scripts/whoami.ts --sign-in browser; otherwise ask your administrator to look at the sign-in log, tab Conditional Access, for the correlation id (for the administrator)
65001 exit 5 you: nobody has consented to this permission for the app -> run the same command in a terminal and consent there; if the page wants an administrator, ask yours to grant admin consent on the app's API permissions page
65004 exit 5 you: you declined the consent -> run it again and accept, if you trust the app
65005 exit 5 app owner: the app registration lacks the permissions on Microsoft Graph, or the service is not enabled -> App registrations > your app > API permissions: add the delegated Microsoft Graph permissions of the README (for the app owner)
70000 exit 4 you: the sign-in was revoked -> sign in again with: scripts/whoami.ts
70008 exit 4 you: the sign-in expired because it was not used for too long -> sign in again with: scripts/whoami.ts; a daily run keeps it alive
70011 exit 1 app owner: the service does not know the permissions asked for; a personal account has none for sites -> with a personal account set GRAPH_TENANT_ID=consumers, and no site; otherwise report it, with the correlation id (for the app owner)
70018 exit 4 you: the code expired or was refused -> start again with: scripts/whoami.ts; if the code was still fresh, a policy may forbid device codes: look for 53003 on the browser page
70019 exit 4 you: the code expired or was refused -> start again with: scripts/whoami.ts; if the code was still fresh, a policy may forbid device codes: look for 53003 on the browser page
70020 exit 4 you: the code expired or was refused -> start again with: scripts/whoami.ts; if the code was still fresh, a policy may forbid device codes: look for 53003 on the browser page
70043 exit 4 you: the organisation demands a new sign-in every so often (sign-in frequency) -> sign in again with: scripts/whoami.ts
90002 exit 2 you: there is no such tenant -> check GRAPH_TENANT_ID and GRAPH_CLOUD
90006 exit 8 you: the sign-in service has a passing fault -> run the same command again
90019 exit 2 you: the request names no tenant -> set GRAPH_TENANT_ID to the tenant's id or domain
90024 exit 8 you: the sign-in service has a passing fault -> run the same command again
90033 exit 8 you: the sign-in service has a passing fault -> run the same command again
90038 exit 2 you: the tenant lives in another national cloud -> set GRAPH_CLOUD to usgov, usdod or china
90094 exit 5 administrator: an administrator must consent to the app -> ask for admin consent: Entra admin center > Enterprise applications > the app > Permissions (for the administrator)
90095 exit 5 administrator: an administrator must consent to the app -> ask for admin consent: Entra admin center > Enterprise applications > the app > Permissions (for the administrator)
90130 exit 2 you: the app does not take accounts of this kind -> use the tenant id of the app; organizations or consumers only where the registration allows them
500021 exit 5 administrator: tenant restrictions or cross-tenant access settings block this sign-in -> ask your administrator or your network's (for the administrator)
500022 exit 5 administrator: tenant restrictions or cross-tenant access settings block this sign-in -> ask your administrator or your network's (for the administrator)
500113 exit 5 app owner: the app registration does not know the way back from the browser -> App registrations > your app > Authentication > Add a platform > Mobile and desktop applications: add http://localhost (for the app owner)
500208 exit 2 you: the app does not take accounts of this kind -> use the tenant id of the app; organizations or consumers only where the registration allows them
500212 exit 5 administrator: tenant restrictions or cross-tenant access settings block this sign-in -> ask your administrator or your network's (for the administrator)
500213 exit 5 administrator: tenant restrictions or cross-tenant access settings block this sign-in -> ask your administrator or your network's (for the administrator)
530032 exit 5 administrator: a security policy of the organisation blocks this sign-in -> ask your administrator, with the correlation id (for the administrator)
530034 exit 5 administrator: delegated (partner) administration is blocked for suspicious activity -> ask an administrator of your home tenant (for the administrator)
530035 exit 5 administrator: a security policy of the organisation blocks this sign-in -> ask your administrator, with the correlation id (for the administrator)
650052 exit 5 app owner: the app registration lacks the permissions on Microsoft Graph, or the service is not enabled -> App registrations > your app > API permissions: add the delegated Microsoft Graph permissions of the README (for the app owner)
650056 exit 5 app owner: the app registration lacks the permissions on Microsoft Graph, or the service is not enabled -> App registrations > your app > API permissions: add the delegated Microsoft Graph permissions of the README (for the app owner)
650057 exit 5 app owner: the app registration lacks the permissions on Microsoft Graph, or the service is not enabled -> App registrations > your app > API permissions: add the delegated Microsoft Graph permissions of the README (for the app owner)
700011 exit 2 you: the tenant does not know the app -> check GRAPH_CLIENT_ID, GRAPH_TENANT_ID and GRAPH_CLOUD against the app's Overview page
700016 exit 2 you: the tenant does not know the app -> check GRAPH_CLIENT_ID, GRAPH_TENANT_ID and GRAPH_CLOUD against the app's Overview page
700022 exit 1 app owner: the service does not know the permissions asked for; a personal account has none for sites -> with a personal account set GRAPH_TENANT_ID=consumers, and no site; otherwise report it, with the correlation id (for the app owner)
700024 exit 1 you: the certificate's proof is not valid at this time -> set the clock of this machine right
700025 exit 5 you: the app is a public client, but a secret was sent -> remove the secret from the settings
700027 exit 5 app owner: the certificate is not one of the app's -> App registrations > your app > Certificates & secrets > Certificates: upload its public part (for the app owner)
700030 exit 5 app owner: the certificate is not one of the app's -> App registrations > your app > Certificates & secrets > Certificates: upload its public part (for the app owner)
700082 exit 4 you: the sign-in expired because it was not used for too long -> sign in again with: scripts/whoami.ts; a daily run keeps it alive
700084 exit 4 you: the sign-in expired because it was not used for too long -> sign in again with: scripts/whoami.ts; a daily run keeps it alive
7000215 exit 5 app owner: the client secret is not one of the app's -> App registrations > your app > Certificates & secrets: make a new secret, and put its Value (not its Secret ID) into the file (for the app owner)
7000218 exit 5 app owner: the app registration does not allow public client flows -> Entra admin center > App registrations > your app > Authentication > Settings: set Allow public client flows to Yes, save, then sign in again (for the app owner)
7000222 exit 5 app owner: the client secret has expired -> App registrations > your app > Certificates & secrets: make a new secret, and put its Value into the file (for the app owner)
9002332 exit 2 you: the app does not take accounts of this kind -> use the tenant id of the app; organizations or consumers only where the registration allows them
`;

Deno.test("each known AADSTS code says what happened, who can mend it, where, and what to run next", () => {
  const codes = [...AADSTS.keys()].toSorted((a, b) => a - b);
  const lines = codes.map((code) => {
    const error = explainSignIn({ error: "invalid_grant", error_codes: [code] }, 400);
    return `${code} exit ${error.exitCode} ${AADSTS.get(code)!.who}: ${
      error.message.replace("sign-in: ", "")
    } -> ${error.hint}`;
  });
  assertEquals(lines, EXPLAINED.trim().split("\n"));
});

Deno.test("the number is found in the description as well, and decides the words, not what happens next", () => {
  const described = explainSignIn({
    error: "interaction_required",
    error_description:
      "AADSTS50076: Due to a configuration change … you must use multi-factor authentication.",
    suberror: "basic_action",
  }, 400);
  assertEquals([described.code, described.kind], ["AADSTS50076", "signInNeeded"]);
  assertEquals(described.has("interaction_required") && described.has("basic_action"), true);
});

Deno.test("an unknown code shows what the service says, its correlation id and its time", () => {
  const error = explainSignIn({
    error: "server_oddity",
    error_description: "AADSTS99999: Something new.\r\nTrace ID: 1",
    error_codes: [99999],
    correlation_id: "2f6c1b8e-52d4-4c0a-9a37-0d6d1f0f7e21",
    timestamp: "2026-11-23 12:13:14Z",
  }, 400);
  assertEquals([error.code, error.exitCode, error.requestId, error.date], [
    "AADSTS99999",
    1,
    "2f6c1b8e-52d4-4c0a-9a37-0d6d1f0f7e21",
    "2026-11-23T12:13:14Z",
  ]);
  assertMatch(error.message, /AADSTS99999: Something new\.$/);
  assertMatch(error.hint!, /correlation id/);
});
