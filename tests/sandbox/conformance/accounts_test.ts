import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { Buffer } from "node:buffer";
import { startSandbox } from "../mod.ts";
import { assertError, graphOf, send } from "./testing.ts";
import { assertEntraError, poll, post, signIn, start } from "./testing_login.ts";
import { browse, failure, nameOf, publicClient } from "./testing_msal.ts";

const PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad";
const ANY_ACCOUNT = { signInAudience: "AzureADandPersonalMicrosoftAccount", pollIntervalSeconds: 0 } as const;

function payload(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString());
}

Deno.test("MSAL: each user has a separate /me and drive", async () => {
  await using sandbox = await startSandbox(ANY_ACCOUNT);
  const drives = new Set<string>();
  for (
    const [key, name] of [["adele", "Adele Vance"], ["megan", "Megan Bowen"], [
      "robin",
      "Robin Hale",
    ]] as const
  ) {
    sandbox.user.signIn(key);
    const result = await publicClient(sandbox, {}, "common").acquireTokenByDeviceCode({
      scopes: ["User.Read", "Files.Read"],
      deviceCodeCallback: () => {},
    });
    assertEquals(await nameOf(sandbox, result), name);
    const headers = { authorization: `Bearer ${result!.accessToken}` };
    drives.add((await send(`${sandbox.apiOrigin}/v1.0/me/drive`, { headers })).json.id);
  }
  assertEquals([...drives], ["adele", "megan", "robin"].map((name) => sandbox.tenant.drive(name).id));
});

Deno.test("MSAL: a personal account signs in at /consumers, on the page for personal accounts (PROTOCOL 1c)", async () => {
  await using sandbox = await startSandbox(ANY_ACCOUNT);
  sandbox.user.as = "robin";
  const client = publicClient(sandbox, {}, "consumers");
  const result = await client.acquireTokenByDeviceCode({
    scopes: ["User.Read", "Files.ReadWrite"],
    deviceCodeCallback: async ({ userCode, verificationUri }) => {
      assertEquals(verificationUri, `${sandbox.loginOrigin}/link`);
      const form = { code: userCode, person: "robin", decision: "approve" };
      await send(verificationUri, { method: "POST", body: new URLSearchParams(form) });
    },
  });
  assertEquals([result!.tenantId, result!.account!.username], [PERSONAL_TENANT, "robin.hale@outlook.com"]);
  assertEquals(
    result!.account!.homeAccountId,
    `00000000-0000-0000-0a5f-3c9e17d2b846.${PERSONAL_TENANT}`,
  );
  assert(result!.accessToken.startsWith("EwB"), "no JWT");
  const renewed = await client.acquireTokenSilent({
    account: result!.account!,
    scopes: ["User.Read", "Files.ReadWrite"],
    forceRefresh: true,
  });
  assertEquals(await nameOf(sandbox, renewed), "Robin Hale");
});

Deno.test("work-only scopes fail for a personal account: immediately at /consumers, after the sign-in at /common", async () => {
  await using sandbox = await startSandbox({ ...ANY_ACCOUNT, pendingPolls: 0 });
  const scope = "User.Read Sites.Read.All";
  assertEntraError(await start(sandbox, { scope }, "consumers"), 400, "invalid_scope", 70011);
  sandbox.user.signIn("robin");
  const { json } = await start(sandbox, { scope }, "common");
  const token = { grant_type: "device_code", device_code: json.device_code };
  const client_id = sandbox.env["GRAPH_CLIENT_ID"]!;
  assertEntraError(
    await post(sandbox, "token", { client_id, ...token }, "common"),
    400,
    "invalid_scope",
    70011,
  );
  const interactive = await failure(
    publicClient(sandbox, {}, "common").acquireTokenInteractive({
      scopes: ["Sites.Read.All"],
      openBrowser: async (url) => void await browse(url),
    }),
  );
  assertEquals(interactive.errorCode, "invalid_scope");
  sandbox.user.signIn("adele");
  const worker = (await start(sandbox, { scope }, "common")).json.device_code;
  const form = { client_id, grant_type: "device_code", device_code: worker };
  assertEquals((await post(sandbox, "token", form, "common")).status, 200);
});

Deno.test("signInAudience determines which authorities an app may use", async () => {
  const expected: [
    NonNullable<Parameters<typeof startSandbox>[0]>["signInAudience"],
    (number | undefined)[],
  ][] = [
    ["AzureADMyOrg", [undefined, 50194, 50194, 9002332, 9002332, 700016]],
    ["AzureADMultipleOrgs", [undefined, undefined, undefined, 9002332, 9002332, undefined]],
    ["AzureADandPersonalMicrosoftAccount", [
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]],
    ["PersonalMicrosoftAccount", [9002331, 9002331, 9002331, undefined, undefined, 9002331]],
  ];
  const tenants = [
    "contoso.com",
    "common",
    "organizations",
    "consumers",
    PERSONAL_TENANT,
    "northwindtraders.com",
  ];
  for (const [signInAudience, numbers] of expected) {
    await using sandbox = await startSandbox({ signInAudience: signInAudience! });
    const found = [];
    for (const tenant of tenants) {
      found.push((await start(sandbox, { scope: "User.Read" }, tenant)).json.error_codes?.[0]);
    }
    assertEquals(found, numbers, signInAudience);
  }
});

Deno.test("sign-in page rejects an account of another audience, and the app keeps polling", async () => {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 0 });
  sandbox.user.signIn("robin");
  const { user_code, device_code } = (await start(sandbox)).json;
  assertEquals((await poll(sandbox, device_code)).json.error, "authorization_pending");
  const page = await send(`${sandbox.loginOrigin}/devicelogin`, {
    method: "POST",
    body: new URLSearchParams({ code: user_code, person: "robin", decision: "approve" }),
  });
  assertStringIncludes(page.text, "AADSTS500200: ");
  sandbox.user.approve(user_code, "megan");
  await poll(sandbox, device_code);
  assertEquals((await poll(sandbox, device_code)).status, 200);
  await using anyAccount = await startSandbox(ANY_ACCOUNT);
  const code = (await start(anyAccount, { scope: "User.Read" }, "consumers")).json.user_code;
  assertStringIncludes(
    String(await failure(Promise.resolve().then(() => anyAccount.user.approve(code)))),
    "does not exist",
  );
});

Deno.test("polling requires the tenant that issued the code", async () => {
  await using sandbox = await startSandbox({ ...ANY_ACCOUNT, approve: true, pendingPolls: 0 });
  const { device_code } = (await start(sandbox, { scope: "User.Read" }, "common")).json;
  assertEntraError(await poll(sandbox, device_code), 400, "bad_verification_code", 70018);
});

Deno.test("MSAL: a guest has one home account, an account in each tenant, and no OneDrive here (PROTOCOL 1d, L4)", async () => {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 0 });
  sandbox.user.signIn("dana");
  const result = await publicClient(sandbox).acquireTokenByDeviceCode({
    scopes: ["User.Read", "Files.Read.All", "Sites.Read.All"],
    deviceCodeCallback: () => {},
  });
  const account = result!.account!;
  assertEquals(account.tenantId, sandbox.env["GRAPH_TENANT_ID"]);
  assert(!account.homeAccountId.endsWith(account.tenantId), "home is elsewhere");
  const claims = payload(result!.idToken);
  assert(claims["oid"] !== account.homeAccountId.split(".")[0]);
  assertStringIncludes(String(claims["idp"]), "sts.windows.net");
  const headers = { authorization: `Bearer ${result!.accessToken}` };
  const graph = (path: string) => send(`${sandbox.apiOrigin}/v1.0${path}`, { headers });
  const me = (await graph("/me?$select=userPrincipalName,userType,mail,mySite")).json;
  assertEquals([me.userType, me.mail, me.mySite], ["Guest", "dana@northwindtraders.com", undefined]);
  assertStringIncludes(me.userPrincipalName, "#EXT#");
  assertEquals(
    (await graph(`/users/${encodeURIComponent(me.userPrincipalName)}`)).json.displayName,
    "Dana Lee",
  );
  assertError(await graph("/me/drive"), 404, "ResourceNotFound");
  assertEquals((await graph("/sites/contoso.sharepoint.com:/sites/TestTeam")).status, 200);
  assertError(await graph("/sites/contoso.sharepoint.com:/sites/Marketing"), 403, "accessDenied");
});

Deno.test("guest at /organizations signs in to the home tenant without SharePoint, and can switch to contoso (PROTOCOL 2.3b)", async () => {
  await using sandbox = await startSandbox({ signInAudience: "AzureADMultipleOrgs", pollIntervalSeconds: 0 });
  sandbox.user.signIn("dana");
  const client = publicClient(sandbox, {}, "organizations");
  const scopes = ["User.Read", "Files.Read.All"];
  const home = await client.acquireTokenByDeviceCode({ scopes, deviceCodeCallback: () => {} });
  const headers = { authorization: `Bearer ${home!.accessToken}` };
  const graph = (path: string) => send(`${sandbox.apiOrigin}/v1.0${path}`, { headers });
  assertEquals((await graph("/me")).json.userPrincipalName, "dana@northwindtraders.com");
  for (const path of ["/me/drive", "/me/drives", "/sites/root", `/drives/${sandbox.tenant.drive("me").id}`]) {
    const reply = await graph(path);
    assertError(reply, 400, "BadRequest");
    assertStringIncludes(reply.json.error.message, "SPO license");
  }
  const tenantId = sandbox.env["GRAPH_TENANT_ID"]!;
  const there = await client.acquireTokenSilent({
    account: { ...home!.account!, tenantId },
    scopes,
    authority: `https://login.microsoftonline.com/${tenantId}`,
  });
  assertEquals([there.fromCache, there.tenantId], [false, tenantId]);
});

Deno.test("policy errors appear in the browser or in the response to a poll (PROTOCOL A3)", async () => {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 0, pendingPolls: 0 });
  sandbox.user.signIn("adele");
  sandbox.user.stopAt(53003);
  const silent = (await start(sandbox)).json.device_code;
  assertEntraError(await poll(sandbox, silent), 400, "authorization_pending", 70016);
  sandbox.user.stopAt(53003, "app");
  const blocked = (await start(sandbox)).json.device_code;
  assertEntraError(await poll(sandbox, blocked), 400, "access_denied", 53003);
  sandbox.user.stopAt(undefined);
  assert((await signIn(sandbox)).access_token);
});

Deno.test("Graph rejects sites, groups and teams for personal accounts (PROTOCOL 2.3c)", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox, { as: "robin" });
  for (
    const path of [
      "/sites/root",
      "/sites?search=x",
      "/me/joinedTeams",
      "/teams/x/channels",
      "/groups/x/drive",
    ]
  ) {
    assertError(await graph("GET", path), 400, "BadRequest");
  }
  const me = (await graph("GET", "/me")).json;
  assertEquals([me.id, me.userPrincipalName], ["0a5f3c9e17d2b846", "robin.hale@outlook.com"]);
  assertError(await graph("GET", `/drives/${sandbox.tenant.drive("Documents").id}`), 403, "accessDenied");
  const adele = graphOf(sandbox);
  assertError(await adele("GET", `/drives/${sandbox.tenant.drive("robin").id}`), 403, "accessDenied");
});
