import { assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { Buffer } from "node:buffer";
import { type Sandbox, startSandbox } from "../mod.ts";
import { type Reply, send } from "./testing.ts";
import { assertEntraError, refresh, signIn, start } from "./testing_login.ts";
import { failure, publicClient, unattendedClient } from "./testing_msal.ts";

const CAPABLE = { access_token: { xms_cc: { values: ["cp1"] } } };
const SCOPES = ["User.Read"];

function me(sandbox: Sandbox, token: string): Promise<Reply> {
  return send(`${sandbox.apiOrigin}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
}

/** The decoded claims of a 401 response. */
function decodeClaims(reply: Reply): string {
  assertEquals([reply.status, reply.json.error.code], [401, "InvalidAuthenticationToken"]);
  assertStringIncludes(reply.json.error.message, "TokenCreatedWithOutdatedPolicies");
  const header = reply.headers.get("www-authenticate")!;
  assertMatch(header, /^Bearer realm="", authorization_uri="http[^"]+", error="insufficient_claims", /);
  return Buffer.from(/claims="([^"]+)"/.exec(header)![1]!, "base64").toString();
}

Deno.test("MSAL: refreshing a challenged token with the claims satisfies the challenge for later refreshes", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0 });
  const client = publicClient(sandbox, { clientCapabilities: ["cp1"] });
  const first = await client.acquireTokenByDeviceCode({ scopes: SCOPES, deviceCodeCallback: () => {} });
  const account = first!.account!;
  assertEquals((await me(sandbox, first!.accessToken)).status, 200);
  sandbox.challenge();
  const claims = decodeClaims(await me(sandbox, first!.accessToken));
  const refreshedWithoutClaims = await client.acquireTokenSilent({
    account,
    scopes: SCOPES,
    forceRefresh: true,
  });
  decodeClaims(await me(sandbox, refreshedWithoutClaims.accessToken));
  const renewed = await client.acquireTokenSilent({ account, scopes: SCOPES, claims });
  assertEquals((await me(sandbox, renewed.accessToken)).status, 200);
  const later = await client.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
  assertEquals(
    (await me(sandbox, later.accessToken)).status,
    200,
    "the session still satisfies the challenge",
  );
  sandbox.challenge();
  assertEquals(
    decodeClaims(await me(sandbox, later.accessToken)) === claims,
    false,
    "each challenge is a new one",
  );
});

Deno.test("MSAL: a device code sign-in with the claims satisfies a challenge that requires the user", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0 });
  const client = publicClient(sandbox, { clientCapabilities: ["cp1"] });
  const request = { scopes: SCOPES, deviceCodeCallback: () => {} };
  const first = await client.acquireTokenByDeviceCode(request);
  const account = first!.account!;
  sandbox.challenge("interaction_required");
  const claims = decodeClaims(await me(sandbox, first!.accessToken));
  const refused = await failure(client.acquireTokenSilent({ account, scopes: SCOPES, claims }));
  assertEquals([refused.name, refused.errorCode], ["InteractionRequiredAuthError", "interaction_required"]);
  const withoutClaims = await client.acquireTokenByDeviceCode({
    scopes: SCOPES,
    deviceCodeCallback: () => {},
  });
  decodeClaims(await me(sandbox, withoutClaims!.accessToken));
  const signedInAgain = await client.acquireTokenByDeviceCode({
    scopes: SCOPES,
    deviceCodeCallback: () => {},
    claims,
  });
  assertEquals((await me(sandbox, signedInAgain!.accessToken)).status, 200);
  const renewed = await client.acquireTokenSilent({
    account: signedInAgain!.account!,
    scopes: SCOPES,
    forceRefresh: true,
  });
  assertEquals((await me(sandbox, renewed.accessToken)).status, 200);
});

Deno.test("MSAL: app-only tokens are challenged too", async () => {
  await using sandbox = await startSandbox();
  const auth = { clientSecret: sandbox.app.clientSecret, clientCapabilities: ["cp1"] };
  const client = unattendedClient(sandbox, auth);
  const request = { scopes: ["https://graph.microsoft.com/.default"] };
  const root = (token: string) =>
    send(`${sandbox.apiOrigin}/v1.0/sites/root`, { headers: { authorization: `Bearer ${token}` } });
  const first = await client.acquireTokenByClientCredential(request);
  assertEquals((await root(first!.accessToken)).status, 200);
  sandbox.challenge();
  const claims = decodeClaims(await root(first!.accessToken));
  const second = await client.acquireTokenByClientCredential({ ...request, claims });
  assertEquals((await root(second!.accessToken)).status, 200);
});

Deno.test("clients without cp1 are not challenged, and get short-lived tokens", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0 });
  const plain = await signIn(sandbox);
  const capable = await signIn(sandbox, { claims: JSON.stringify(CAPABLE) });
  assertEquals([plain.expires_in, capable.expires_in], [3599, 86_399]);
  const [issued, challengeable] = [sandbox.issueToken(), sandbox.issueToken({ challengeable: true })];
  sandbox.challenge("interaction_required");
  assertEquals((await me(sandbox, plain.access_token)).status, 200);
  assertEquals((await me(sandbox, issued)).status, 200);
  assertEquals((await refresh(sandbox, plain.refresh_token)).status, 200);
  decodeClaims(await me(sandbox, capable.access_token));
  decodeClaims(await me(sandbox, challengeable));
});

Deno.test("token endpoint rejects claims that are not a JSON object", async () => {
  await using sandbox = await startSandbox();
  for (const claims of ["x", "[]", "7", '{"access_token":[]}', btoa(JSON.stringify(CAPABLE))]) {
    assertEntraError(await start(sandbox, { claims }), 400, "invalid_request", 9002313);
  }
});
