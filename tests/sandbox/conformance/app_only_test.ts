import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { Buffer } from "node:buffer";
import { sign } from "node:crypto";
import { type Sandbox, startSandbox } from "../mod.ts";
import { assertError, graphOf, type Reply, send } from "./testing.ts";
import { assertEntraError, poll, post, start } from "./testing_login.ts";
import { failure, unattendedClient } from "./testing_msal.ts";

const DEFAULT = "https://graph.microsoft.com/.default";
const REQUEST = { scopes: [DEFAULT] };

function payload(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString());
}

function credentials(sandbox: Sandbox, form: Record<string, string>, tenant?: string): Promise<Reply> {
  return post(
    sandbox,
    "token",
    { grant_type: "client_credentials", client_id: sandbox.app.clientId, scope: DEFAULT, ...form },
    tenant,
  );
}

/** Graph's status for the token. */
async function getRootSiteStatus(sandbox: Sandbox, token: string | undefined): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await send(`${sandbox.apiOrigin}/v1.0/sites/root`, { headers })).status;
}

Deno.test("MSAL: an app signs in with a secret and gets a token with roles and no user", async () => {
  await using sandbox = await startSandbox();
  const client = unattendedClient(sandbox, { clientSecret: sandbox.app.clientSecret });
  const result = await client.acquireTokenByClientCredential(REQUEST);
  const claims = payload(result!.accessToken);
  assertEquals(claims["roles"], ["Files.ReadWrite.All", "Sites.ReadWrite.All"]);
  assertEquals([claims["idtyp"], claims["scp"], claims["oid"]], ["app", undefined, undefined]);
  assertEquals([result!.account, await getRootSiteStatus(sandbox, result!.accessToken)], [null, 200]);
  assertEquals((await client.acquireTokenByClientCredential(REQUEST))!.fromCache, true);
  const { json } = await credentials(sandbox, { client_secret: sandbox.app.clientSecret });
  assertEquals(Object.keys(json).sort(), ["access_token", "expires_in", "ext_expires_in", "token_type"]);
});

Deno.test("MSAL: an app signs in with a certificate, by either thumbprint", async () => {
  await using sandbox = await startSandbox();
  const certificate = sandbox.app.newCertificate();
  for (
    const thumbprintField of [{ thumbprintSha256: certificate.thumbprintSha256 }, {
      thumbprint: certificate.thumbprint,
    }]
  ) {
    const clientCertificate = {
      ...thumbprintField,
      privateKey: certificate.privateKey,
      x5c: certificate.certificate,
    };
    const client = unattendedClient(sandbox, { clientCertificate });
    const result = await client.acquireTokenByClientCredential(REQUEST);
    assertEquals(await getRootSiteStatus(sandbox, result!.accessToken), 200);
  }
});

Deno.test("MSAL: each wrong credential has its own error", async () => {
  await using sandbox = await startSandbox();
  const { app } = sandbox;
  const [certificate, other] = [app.newCertificate(), app.newCertificate()];
  const expired = app.newCertificate({ from: new Date("2020-01-01"), until: new Date("2021-01-01") });
  const wrong: [Parameters<typeof unattendedClient>[1], string][] = [
    [{ clientSecret: "guessed" }, "AADSTS7000215"],
    [{ clientSecret: app.addSecret(-1) }, "AADSTS7000222"],
    [
      { clientCertificate: { thumbprintSha256: "AB".repeat(32), privateKey: certificate.privateKey } },
      "AADSTS700027",
    ],
    [
      { clientCertificate: { thumbprintSha256: certificate.thumbprintSha256, privateKey: other.privateKey } },
      "AADSTS700027",
    ],
    [
      { clientCertificate: { thumbprintSha256: expired.thumbprintSha256, privateKey: expired.privateKey } },
      "AADSTS700027",
    ],
  ];
  for (const [auth, number] of wrong) {
    const { errorCode, message } = await failure(
      unattendedClient(sandbox, auth).acquireTokenByClientCredential(REQUEST),
    );
    assertEquals(errorCode, "invalid_client");
    assertStringIncludes(message, number);
  }
  assertEquals(sandbox.requests.map((request) => request.status), [401, 401, 401, 401, 401]);
});

Deno.test("app-only sign-in requires the .default scope, one tenant and a credential", async () => {
  await using sandbox = await startSandbox();
  const client_secret = sandbox.app.clientSecret;
  const requestToken = (scope: string, tenant?: string) =>
    credentials(sandbox, { client_secret, scope }, tenant);
  assertEntraError(
    await requestToken("https://graph.microsoft.com/Files.Read.All"),
    400,
    "invalid_scope",
    1002012,
  );
  assertEntraError(await requestToken("User.Read"), 400, "invalid_scope", 1002012);
  assertEntraError(await requestToken(""), 400, "invalid_request", 900144);
  assertEntraError(await requestToken("https://fabrikam.test/.default"), 400, "invalid_resource", 500011);
  assertEntraError(await requestToken(DEFAULT, "common"), 400, "invalid_request", 50059);
  assertEntraError(await requestToken(DEFAULT, "northwindtraders.com"), 400, "unauthorized_client", 700016);
  assertEquals((await requestToken(DEFAULT, "contoso.com")).status, 200);
  assertEntraError(await credentials(sandbox, {}), 401, "invalid_client", 7000218);
  const client_id = sandbox.env["GRAPH_CLIENT_ID"]!;
  assertEntraError(await credentials(sandbox, { client_id }), 401, "invalid_client", 7000216);
  assertEntraError(await credentials(sandbox, { client_id, client_secret }), 401, "invalid_client", 700025);
  assertEquals((await start(sandbox, { client_id: sandbox.app.clientId })).status, 200);
});

Deno.test("app with a credential must present it with device codes and authorization codes too", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0, pendingPolls: 0 });
  const client = unattendedClient(sandbox, { clientSecret: sandbox.app.clientSecret });
  const request = { scopes: ["User.Read"], redirectUri: "http://localhost" };
  const code = async () => {
    const url = new URL(await client.getAuthCodeUrl(request));
    url.searchParams.set("response_mode", "query");
    return new URL((await send(url.href)).headers.get("location")!).searchParams.get("code")!;
  };
  const result = await client.acquireTokenByCode({ ...request, code: await code() });
  assertEquals(result!.account!.username, "AdeleV@contoso.com");
  const clientIdOnly = { client_id: sandbox.app.clientId };
  const grant = { grant_type: "authorization_code", redirect_uri: request.redirectUri };
  const withoutCredential = await post(sandbox, "token", { ...clientIdOnly, ...grant, code: await code() });
  assertEntraError(withoutCredential, 401, "invalid_client", 7000218);
  const device_code = (await start(sandbox, clientIdOnly)).json.device_code;
  assertEntraError(await poll(sandbox, device_code, clientIdOnly), 401, "invalid_client", 7000218);
  const withSecret = { ...clientIdOnly, client_secret: sandbox.app.clientSecret };
  assertEquals((await poll(sandbox, device_code, withSecret)).status, 200);
});

Deno.test("token endpoint accepts client id and secret as HTTP Basic", async () => {
  await using sandbox = await startSandbox();
  const url = `${sandbox.loginOrigin}/contoso.com/oauth2/v2.0/token`;
  const pair = `${sandbox.app.clientId}:${encodeURIComponent(sandbox.app.clientSecret)}`;
  const reply = await send(url, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(pair)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: DEFAULT }),
  });
  assertEquals(reply.status, 200, reply.text);
});

Deno.test("token endpoint checks each claim of an assertion", async () => {
  await using sandbox = await startSandbox();
  const certificate = sandbox.app.newCertificate();
  const now = Math.floor(Date.now() / 1000);
  const aud = `${sandbox.loginOrigin}/${sandbox.env["GRAPH_TENANT_ID"]}/oauth2/v2.0/token`;
  const right = {
    aud,
    iss: sandbox.app.clientId,
    sub: sandbox.app.clientId,
    jti: "1",
    nbf: now,
    exp: now + 600,
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const x5t = Buffer.from(certificate.thumbprint, "hex").toString("base64url");
  const assertion = (claims: object, header: object = { alg: "RS256", x5t }) => {
    const text = `${part(header)}.${part(claims)}`;
    return `${text}.${sign("sha256", Buffer.from(text), certificate.privateKey).toString("base64url")}`;
  };
  const redeemAssertion = (
    client_assertion: string,
    type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  ) => credentials(sandbox, { client_assertion, client_assertion_type: type });
  assertEquals((await redeemAssertion(assertion(right))).status, 200);
  assertEquals(
    (await redeemAssertion(
      assertion({ ...right, aud: aud.replace(/^http:\/\/[^/]+/, "https://login.microsoftonline.com") }),
    )).status,
    200,
  );
  const { jti: _, ...withoutId } = right;
  const wrong: [string, number][] = [
    [assertion({ ...right, aud: "https://graph.microsoft.com" }), 700023],
    [assertion({ ...right, iss: "another app" }), 700021],
    [assertion({ ...right, exp: now - 301 }), 700024],
    [assertion({ ...right, nbf: now + 600 }), 700024],
    [assertion(withoutId), 50027],
    [assertion(right, { alg: "none", x5t }), 5002738],
    [assertion(right, { alg: "PS256", x5t }), 700027],
    [assertion(right, { alg: "RS256" }), 700027],
    [`${assertion(right).slice(0, -4)}AAAA`, 700027],
    ["not.a.token", 50027],
    ["nothing", 50027],
  ];
  for (const [text, number] of wrong) {
    assertEntraError(await redeemAssertion(text), 401, "invalid_client", number);
  }
  assertEntraError(await redeemAssertion(assertion(right), "else"), 401, "invalid_client", 7000218);
});

Deno.test("MSAL: an app signs in with a token of another platform that it trusts", async () => {
  await using sandbox = await startSandbox();
  const { app } = sandbox;
  const signIn = (clientAssertion: string) =>
    unattendedClient(sandbox, { clientAssertion }).acquireTokenByClientCredential(REQUEST);
  const { accessToken } = (await signIn(app.newFederatedToken()))!;
  assertEquals([payload(accessToken)["idtyp"], await getRootSiteStatus(sandbox, accessToken)], ["app", 200]);
  const now = Date.now() / 1000;
  const wrong: [string, string][] = [
    [app.newFederatedToken({ iss: "https://token.other.example" }), "AADSTS700211"],
    [app.newFederatedToken({ aud: "https://graph.microsoft.com" }), "AADSTS700212"],
    [app.newFederatedToken({ sub: "repo:contoso/reports:pull_request" }), "AADSTS700213"],
    [app.newFederatedToken({ exp: now - 3600 }), "AADSTS700024"],
    [`${app.newFederatedToken().slice(0, -4)}AAAA`, "AADSTS50013"],
  ];
  for (const [token, number] of wrong) {
    const { errorCode, message } = await failure(signIn(token));
    assertEquals(errorCode, "invalid_client");
    assertStringIncludes(message, number);
  }
});

Deno.test("app-only token reads and writes within its permissions, and has no /me", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox, { appOnly: true });
  for (const path of ["/me", "/me/drive", "/me/drive/root/children", "/me/joinedTeams"]) {
    const reply = await graph("GET", path);
    assertError(reply, 400, "BadRequest");
    assertStringIncludes(reply.json.error.message, "only valid with delegated authentication flow");
  }
  assertEquals((await graph("GET", "/sites")).json.value.length, 4, "without a search: for apps only");
  const site = (await graph("GET", "/sites/contoso.sharepoint.com:/sites/Marketing")).json;
  assertEquals((await graph("GET", `/sites/${site.id}/drives`)).status, 200);
  const file = `/drives/${sandbox.tenant.drive("Marketing").id}/root:/app.txt:`;
  const created = await graph("PUT", `${file}/content`, "x");
  assertEquals([created.status, created.json.createdBy.user], [201, undefined]);
  assertEquals(created.json.createdBy.application.id, sandbox.app.clientId);
  assertEquals((await graph("GET", `/drives/${sandbox.tenant.drive("megan").id}/root/children`)).status, 200);
  assertError(await graph("GET", "/users/adelev@contoso.com"), 403, "Authorization_RequestDenied");
  assertEquals((await graph("GET", "/users/adelev@contoso.com/drive")).status, 200);
  assertError(await graph("GET", `/drives/${sandbox.tenant.drive("robin").id}`), 403, "accessDenied");
  const reader = graphOf(sandbox, { appOnly: true, scopes: ["Sites.Read.All"] });
  assertError(await reader("PUT", `${file}/content`, "y"), 403, "accessDenied");
  assertEquals((await reader("GET", file)).status, 200);
  sandbox.app.roles = [];
  const none = await credentials(sandbox, { client_secret: sandbox.app.clientSecret });
  assertEquals([
    payload(none.json.access_token)["roles"],
    await getRootSiteStatus(sandbox, none.json.access_token),
  ], [
    undefined,
    403,
  ]);
  assert(sandbox.tenant.secrets().includes(sandbox.app.clientSecret));
});
