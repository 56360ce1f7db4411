import { CryptoProvider } from "npm:@azure/msal-node@7.2.1";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { createHash } from "node:crypto";
import { type Sandbox, startSandbox } from "../mod.ts";
import { type Reply, send } from "./testing.ts";
import { assertEntraError, post, refresh } from "./testing_login.ts";
import { browse, failure, nameOf, publicClient, unattendedClient } from "./testing_msal.ts";

const VERIFIER = "a-verifier-of-the-least-length-that-is-allowed-";
const REDIRECT = "http://localhost:49152/";

/** The URL that a client opens in the browser. */
function address(sandbox: Sandbox, change: Record<string, string | undefined> = {}): string {
  const fields = {
    client_id: sandbox.env["GRAPH_CLIENT_ID"]!,
    response_type: "code",
    redirect_uri: REDIRECT,
    scope: "User.Read openid profile offline_access",
    state: "st&te=1",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
    code_challenge_method: "S256",
    ...change,
  };
  const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const tenant = sandbox.env["GRAPH_TENANT_ID"];
  return `${sandbox.loginOrigin}/${tenant}/oauth2/v2.0/authorize?${new URLSearchParams(given)}`;
}

/** The redirect of an authorize request, parsed. */
async function requestCode(sandbox: Sandbox, change: Record<string, string | undefined> = {}) {
  const reply = await send(address(sandbox, change));
  assertEquals(reply.status, 302, reply.text);
  const location = reply.headers.get("location")!;
  return { location, fields: new URL(location).searchParams };
}

function redeem(sandbox: Sandbox, code: string, change: Record<string, string> = {}): Promise<Reply> {
  return post(sandbox, "token", {
    client_id: sandbox.env["GRAPH_CLIENT_ID"]!,
    grant_type: "authorization_code",
    code,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    ...change,
  });
}

Deno.test("MSAL: acquireTokenInteractive signs in through the browser, then refreshes silently", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const client = publicClient(sandbox);
  const scopes = ["User.Read", "Files.Read"];
  let shown = "";
  const result = await client.acquireTokenInteractive({
    scopes,
    loginHint: "meganb@contoso.com",
    openBrowser: async (url) => void (shown = await browse(url)),
  });
  assertStringIncludes(shown, "Auth code was successfully acquired");
  assertEquals([result.account?.username, await nameOf(sandbox, result)], [
    "MeganB@contoso.com",
    "Megan Bowen",
  ]);
  const renewed = await client.acquireTokenSilent({ account: result.account!, scopes, forceRefresh: true });
  assertEquals(await nameOf(sandbox, renewed), "Megan Bowen");
});

Deno.test("MSAL: the account set by a test overrides login_hint", async () => {
  await using sandbox = await startSandbox();
  sandbox.user.signIn("adele");
  const result = await publicClient(sandbox).acquireTokenInteractive({
    scopes: ["User.Read"],
    loginHint: "MeganB@contoso.com",
    openBrowser: async (url) => void await browse(url),
  });
  assertEquals(result.account?.username, "AdeleV@contoso.com");
});

Deno.test("MSAL: declined and blocked sign-ins are server errors", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const signIn = () =>
    failure(
      publicClient(sandbox).acquireTokenInteractive({
        scopes: ["User.Read"],
        openBrowser: async (url) => void await browse(url),
      }),
    );
  sandbox.user.always = "decline";
  const declined = await signIn();
  assertEquals([declined.name, declined.errorCode], ["ServerError", "access_denied"]);
  assertStringIncludes(declined.message, "AADSTS65004");
  sandbox.user.always = "approve";
  sandbox.user.stopAt(53003);
  assertStringIncludes((await signIn()).message, "AADSTS53003");
  sandbox.user.stopAt(undefined);
  sandbox.user.stopAt(50076);
  assertEquals((await signIn()).errorCode, "interaction_required");
});

Deno.test("MSAL: getAuthCodeUrl and acquireTokenByCode sign in", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const client = publicClient(sandbox);
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const common = { scopes: ["User.Read"], redirectUri: REDIRECT };
  const url = await client.getAuthCodeUrl({
    ...common,
    codeChallenge: challenge,
    codeChallengeMethod: "S256",
  });
  const mode = new URL(url).searchParams.get("response_mode");
  const reply = await send(url);
  const code = mode === "form_post"
    ? /name="code" value="([^"]+)"/.exec(reply.text)![1]!
    : new URL(reply.headers.get("location")!).searchParams.get("code")!;
  const wrong = await failure(client.acquireTokenByCode({ ...common, code, codeVerifier: `${verifier}x` }));
  assertStringIncludes(wrong.message, "501481");
  const second = new URL(address(sandbox, { code_challenge: challenge }));
  const again = new URL((await send(second.href)).headers.get("location")!).searchParams.get("code")!;
  const result = await client.acquireTokenByCode({ ...common, code: again, codeVerifier: verifier });
  assertEquals(await nameOf(sandbox, result), "Adele Vance");
});

Deno.test("an authorization code works once, before it expires, with its verifier and redirect URI", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const code = async () => (await requestCode(sandbox)).fields.get("code")!;
  const first = await code();
  const { status, json } = await redeem(sandbox, first, { client_info: "1" });
  assertEquals([status, json.scope], [200, "User.Read openid profile"]);
  assert(json.id_token && json.client_info);
  assertEquals((await refresh(sandbox, json.refresh_token)).status, 200);
  assertEntraError(await redeem(sandbox, first), 400, "invalid_grant", 54005);
  const wrong = { code_verifier: VERIFIER.replace("least", "LEAST") };
  assertEntraError(await redeem(sandbox, await code(), wrong), 400, "invalid_grant", 501481);
  assertEntraError(
    await redeem(sandbox, await code(), { redirect_uri: "http://localhost:49153/" }),
    400,
    "invalid_grant",
    500112,
  );
  assertEntraError(await redeem(sandbox, "made up"), 400, "invalid_grant", 70000);
  assertEntraError(
    await redeem(sandbox, await code(), { client_secret: "x" }),
    401,
    "invalid_client",
    700025,
  );
  assert(sandbox.tenant.secrets().includes(first));
  await using expiring = await startSandbox({ approve: true, authorizationCodeLifeSeconds: 0 });
  const expiredCode = (await requestCode(expiring)).fields.get("code")!;
  assertEntraError(await redeem(expiring, expiredCode), 400, "invalid_grant", 70008);
});

Deno.test("authorize takes a request without a challenge, as apps that are no single-page apps send it (13.6a)", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const withoutChallenge = { code_challenge: undefined, code_challenge_method: undefined };
  const code = (await requestCode(sandbox, withoutChallenge)).fields.get("code")!;
  const form = { client_id: sandbox.env["GRAPH_CLIENT_ID"]!, grant_type: "authorization_code", code };
  assertEquals((await post(sandbox, "token", { ...form, redirect_uri: REDIRECT })).status, 200);
});

Deno.test("authorize reports request errors by redirect, with their state", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const wrong: [Record<string, string | undefined>, string, number][] = [
    [{ code_challenge_method: "plain" }, "invalid_request", 9002325],
    [{ code_challenge_method: undefined }, "invalid_request", 9002325],
    [{ code_challenge: "short" }, "invalid_request", 501491],
    [{ response_type: "token" }, "unsupported_response_type", 700051],
    [{ scope: "Files.Write" }, "invalid_scope", 70011],
    [{ prompt: "whatever" }, "invalid_request", 90023],
    [{ prompt: "none" }, "login_required", 50058],
    [{ claims: "no JSON" }, "invalid_request", 9002313],
  ];
  for (const [change, error, number] of wrong) {
    const { fields, location } = await requestCode(sandbox, change);
    assertEquals([fields.get("error"), fields.get("state"), fields.get("code")], [error, "st&te=1", null]);
    assertStringIncludes(fields.get("error_description")!, `AADSTS${number}: `);
    assert(location.startsWith(`${REDIRECT}?`));
  }
  assertStringIncludes(
    (await requestCode(sandbox, { response_mode: "fragment" })).location,
    `${REDIRECT}#code=`,
  );
});

Deno.test("authorize never redirects to an unregistered address", async () => {
  await using sandbox = await startSandbox({
    approve: true,
    redirectUris: ["https://a.test/x"],
  });
  const wrong: [Record<string, string>, number][] = [
    [{ redirect_uri: "http://127.0.0.1:49152/" }, 50011],
    [{ redirect_uri: "http://localhost:49152/else" }, 50011],
    [{ redirect_uri: "https://localhost:49152/" }, 50011],
    [{ redirect_uri: "https://a.test:444/x" }, 50011],
    [{ redirect_uri: "http://localhost.evil.test/" }, 50011],
    [{ redirect_uri: "http://user@localhost/" }, 50011],
    [{ redirect_uri: "" }, 900144],
    [{ client_id: crypto.randomUUID() }, 700016],
  ];
  for (const [change, number] of wrong) {
    const reply = await send(address(sandbox, change));
    assertEquals([reply.status, reply.headers.get("location")], [400, null]);
    assertStringIncludes(reply.text, `AADSTS${number}: `);
  }
  await requestCode(sandbox, { redirect_uri: "http://localhost" });
  await requestCode(sandbox, { redirect_uri: "https://a.test/x" });
  await requestCode(sandbox, {
    redirect_uri: "https://login.microsoftonline.com/common/oauth2/nativeclient",
  });
});

Deno.test("a confidential client redeems a code and its refresh token with its secret only (13.6a)", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const { clientId, clientSecret } = sandbox.app;
  const code = async () => (await requestCode(sandbox, { client_id: clientId })).fields.get("code")!;
  const form = { client_id: clientId, client_secret: clientSecret };
  const { status, json } = await redeem(sandbox, await code(), form);
  assertEquals([status, json.scope], [200, "User.Read openid profile"]);
  const renewal = { grant_type: "refresh_token", refresh_token: json.refresh_token };
  const renewed = await post(sandbox, "token", { ...form, ...renewal });
  assertEquals([renewed.status, renewed.json.scope], [200, "User.Read openid profile"]);
  assertEntraError(
    await redeem(sandbox, await code(), { client_id: clientId }),
    401,
    "invalid_client",
    7000218,
  );
  for (
    const [credential, number] of [[{}, 7000218], [{ client_secret: "wrong" }, 7000215]] as const
  ) {
    const refused = await post(sandbox, "token", { client_id: clientId, ...renewal, ...credential });
    assertEntraError(refused, 401, "invalid_client", number);
  }
  // The token belongs to the app that got it.
  assertEntraError(await refresh(sandbox, json.refresh_token), 400, "invalid_grant", 70000);
});

Deno.test("MSAL: a web app signs a user in and refreshes with an assertion", async () => {
  await using sandbox = await startSandbox({ approve: true });
  const { thumbprintSha256, privateKey } = sandbox.app.newCertificate();
  const client = unattendedClient(sandbox, { clientCertificate: { thumbprintSha256, privateKey } });
  const common = { scopes: ["User.Read"], redirectUri: REDIRECT };
  const code = (await requestCode(sandbox, { client_id: sandbox.app.clientId })).fields.get("code")!;
  const result = await client.acquireTokenByCode({ ...common, code, codeVerifier: VERIFIER });
  const { account } = result;
  const renewed = await client.acquireTokenSilent({ ...common, account: account!, forceRefresh: true });
  assertEquals(await nameOf(sandbox, renewed), "Adele Vance");
});

Deno.test("prompt=none uses the browser session and fails without one", async () => {
  await using sandbox = await startSandbox({ consented: ["User.Read"] });
  sandbox.user.signIn("megan");
  await requestCode(sandbox);
  sandbox.user.ignore();
  const silent = await requestCode(sandbox, { prompt: "none" });
  const { json } = await redeem(sandbox, silent.fields.get("code")!);
  assertEquals(json.scope, "User.Read openid profile");
  const more = await requestCode(sandbox, { prompt: "none", scope: "Files.Read" });
  assertEquals(more.fields.get("error"), "interaction_required");
});

Deno.test("sign-in page lists the accounts, and its buttons approve or decline", async () => {
  await using sandbox = await startSandbox();
  const url = address(sandbox, { login_hint: "meganb@contoso.com" });
  const page = await send(url);
  assertEquals(page.status, 200);
  assertMatch(page.text, /value="megan" checked/);
  assertStringIncludes(page.text, "<code>User.Read</code>");
  assertStringIncludes(
    page.headers.get("content-security-policy")!,
    "form-action 'self' http://localhost:49152;",
  );
  const press = (fields: Record<string, string>) =>
    send(url, { method: "POST", body: new URLSearchParams(fields) });
  const approved = await press({ person: "megan", decision: "approve" });
  assertEquals(new URL(approved.headers.get("location")!).searchParams.has("code"), true);
  const declined = new URL((await press({ decision: "decline" })).headers.get("location")!).searchParams;
  assertEquals([declined.get("error"), declined.get("error_subcode")], ["access_denied", "cancel"]);
  assertMatch((await press({ decision: "approve", person: "nobody" })).text, /Choose who signs in/);
  const robin = await press({ decision: "approve", person: "robin" });
  assertEquals(robin.status, 400);
  assertStringIncludes(robin.text, "AADSTS500200: ");
});
