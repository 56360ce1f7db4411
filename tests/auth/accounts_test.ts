/** Several accounts, tenants and types of accounts in one token cache. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "../assert.ts";
import { connect, type Connection } from "../../lib/connect.ts";
import { GraphError } from "../../lib/errors.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";
import type { UserKey } from "../sandbox/mod.ts";

const OPEN = { signIn: false, signInAudience: "AzureADandPersonalMicrosoftAccount" } as const;
const CONTOSO = "7d3c1f52-9b8e-4a60-8c1d-2f5e6a7b8c90";
const NORTHWIND = "3b9d5e71-0c42-4f6a-9d18-64e2a7c1f583";
const PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad";

async function signIn(env: TestEnv, as: UserKey, tenant: string, ...args: string[]): Promise<void> {
  env.sandbox.user.signIn(as);
  const variables = { GRAPH_TENANT_ID: tenant };
  const { code, stderr } = await env.runWith({ env: variables }, "whoami", "--prompt", ...args);
  assertEquals(code, 0, stderr);
}

/** A connection in this process, with the settings of the test environment. */
async function connectTo(env: TestEnv): Promise<Connection> {
  return await connect({ env: (name) => env.sandbox.env[name], notice: () => {} });
}

Deno.test("a session keeps the account of its first token or fails", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "adele", CONTOSO);
  const { session } = await connectTo(env);
  const first = await session.token();
  await signIn(env, "megan", CONTOSO, "--account", "MeganB@contoso.com");
  const second = await session.token({ refused: first });
  assert(second !== first, "the token was not refreshed");
  assertEquals((await session.info()).username, "AdeleV@contoso.com");
  assertEquals((await env.run("whoami", "--sign-out", "--account", "AdeleV@contoso.com")).code, 0);
  const error = await assertRejects(() => session.token({ refused: second }));
  assert(error instanceof GraphError && error.kind === "signInNeeded", String(error));
});

const loginRequests = (env: TestEnv) =>
  env.sandbox.requests.filter(({ service }) => service === "login").length;

Deno.test("whoami signs a guest in once and prints the tenant of the token", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "dana", CONTOSO);
  const before = loginRequests(env);
  const { code, stdout, stderr } = await env.run("whoami", "--json");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(jsonLines(stdout)[0]!.tenantId, CONTOSO);
  assertEquals(loginRequests(env), before);
  env.sandbox.expireAccessTokens();
  assertEquals(jsonLines((await env.run("whoami", "--json")).stdout)[0]!.tenantId, CONTOSO, "renewed");
});

Deno.test("whoami --accounts lists all accounts without a request and marks the selected one", async () => {
  await using env = await startTestEnv(OPEN);
  assertEquals((await env.run("whoami", "--accounts")).stdout, "");
  await signIn(env, "adele", CONTOSO);
  await signIn(env, "dana", CONTOSO, "--account", "dana@northwindtraders.com");
  await signIn(env, "robin", "consumers");
  const before = env.sandbox.requests.length;
  const list = async (...args: string[]) =>
    jsonLines((await env.run("whoami", "--accounts", "--json", ...args)).stdout);
  const rows = (await list()).map((row) => [row.userPrincipalName, row.kind, row.homeTenantId, row.chosen]);
  assertEquals(rows, [
    ["AdeleV@contoso.com", "work", null, false],
    ["dana@northwindtraders.com", "work", NORTHWIND, false],
    ["robin.hale@outlook.com", "personal", null, false],
  ]);
  const chosen = async (...args: string[]) =>
    (await list(...args)).filter((row) => row.chosen).map((row) => row.userPrincipalName);
  assertEquals(await chosen("--account", "adelev@CONTOSO.com"), ["AdeleV@contoso.com"]);
  assertEquals(await chosen("--tenant", "consumers"), ["robin.hale@outlook.com"]);
  assertEquals(
    await chosen("--tenant", "organizations"),
    ["AdeleV@contoso.com"],
    "the tenant is not the home tenant of the guest",
  );
  assertEquals(env.sandbox.requests.length, before);
  const { stdout } = await env.run("whoami", "--accounts", "--account", "adelev@contoso.com");
  assertMatch(stdout, /^\* Adele Vance <AdeleV@contoso\.com> \(work, tenant 7d3c\S+\)$/m);
  assertMatch(stdout, /^ {2}Dana Lee .*guest from 3b9d\S+\)$/m);
});

Deno.test("scripts name the accounts when several are signed in, and --account ignores case", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "adele", CONTOSO);
  await signIn(env, "megan", CONTOSO, "--account", "MeganB@contoso.com");
  for (const args of [["whoami"], ["ls"], ["whoami", "--sign-out"]] as const) {
    const [script, ...rest] = args;
    const { code, stderr } = await env.run(script, ...rest);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "several accounts are signed in: AdeleV@contoso.com, MeganB@contoso.com");
  }
  const { stdout } = await env.run("whoami", "--account", "meganb@CONTOSO.COM");
  assertMatch(stdout, /^Megan Bowen/);
});

Deno.test("scripts name the signed-in accounts and the command to run for an unknown account", async () => {
  await using env = await startTestEnv();
  const { code, stderr } = await env.run("ls", "--account", "megan@contoso.com");
  assertEquals(code, 4);
  assertMatch(
    stderr,
    /megan@contoso\.com is not signed in to this tenant; signed in: AdeleV@contoso\.com; .*scripts\/whoami\.ts --account megan@contoso\.com/,
  );
});

Deno.test("whoami does not continue as another account than requested", async () => {
  await using env = await startTestEnv();
  env.sandbox.user.signIn("dana");
  const { code, stderr } = await env.run("whoami", "--prompt", "--account", "MeganB@contoso.com");
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    "signed in as dana@northwindtraders.com, but MeganB@contoso.com was requested",
  );
  assertEquals((await env.run("whoami")).code, 2, "both accounts are signed in now");
  assertEquals((await env.run("whoami", "--sign-out", "--account", "dana@northwindtraders.com")).code, 0);
  env.sandbox.revokeRefreshTokens();
  env.sandbox.expireAccessTokens();
  const renewal = await env.run("whoami", "--prompt");
  assertEquals(renewal.code, 2, "a run must not continue as another account");
});

Deno.test("whoami --sign-out removes one account or all, and keeps other tokens", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "adele", CONTOSO);
  await signIn(env, "megan", CONTOSO, "--account", "MeganB@contoso.com");
  await signIn(env, "robin", "consumers");
  const none = await env.run("whoami", "--sign-out", "--account", "nobody@contoso.com", "--json");
  assertEquals(jsonLines(none.stdout), [{ signedOut: false, accounts: [] }]);
  const one = await env.run("whoami", "--sign-out", "--account", "adelev@contoso.com", "--json");
  assertEquals(jsonLines(one.stdout), [{ signedOut: true, accounts: ["AdeleV@contoso.com"] }]);
  assertMatch((await env.run("whoami")).stdout, /^Megan Bowen/);
  const all = await env.run("whoami", "--sign-out", "--all");
  assertMatch(all.stdout, /signed out on this machine: MeganB@contoso\.com, robin\.hale@outlook\.com/);
  assertEquals((await env.run("whoami")).code, 4);
  assertEquals((await env.run("whoami", "--all")).code, 2);
});

Deno.test("scripts never use tokens of one tenant for another", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "adele", CONTOSO);
  await signIn(env, "robin", "consumers");
  const signedIn = async (tenant: string) => {
    const { code, stdout } = await env.runWith({ env: { GRAPH_TENANT_ID: tenant } }, "whoami", "--json");
    return code === 0 ? jsonLines(stdout)[0]!.userPrincipalName : code;
  };
  assertEquals(await signedIn(CONTOSO), "AdeleV@contoso.com");
  assertEquals(await signedIn(NORTHWIND), 4);
  assertEquals(await signedIn("organizations"), "AdeleV@contoso.com");
  assertEquals(await signedIn("consumers"), "robin.hale@outlook.com");
  assertEquals(await signedIn(PERSONAL), "robin.hale@outlook.com");
  assertEquals(await signedIn("common"), 2);
  assertEquals(await signedIn("contoso.com"), 2, "a domain is no tenant id");
});

Deno.test("scripts keep separate tokens for each tenant of a guest", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "dana", CONTOSO);
  await signIn(env, "dana", NORTHWIND);
  const before = loginRequests(env);
  for (const tenant of [CONTOSO, NORTHWIND]) {
    const { stdout } = await env.run("whoami", "--json", "--tenant", tenant);
    assertEquals(jsonLines(stdout)[0]!.tenantId, tenant);
  }
  assertEquals(loginRequests(env), before);
});

Deno.test("scripts use no tokens of other clients or clouds in a shared cache file", async () => {
  await using env = await startTestEnv();
  const variables = { GRAPH_TOKEN_CACHE: `${env.folder}/tokens.json` };
  assertEquals((await env.runWith({ env: variables }, "whoami", "--prompt")).code, 0);
  const other = "11111111-2222-4333-8444-555555555555";
  const before = env.sandbox.requests.length;
  assertEquals((await env.runWith({ env: variables }, "whoami", "--client-id", other)).code, 4);
  assertEquals((await env.runWith({ env: variables }, "whoami", "--cloud", "china")).code, 4);
  assertEquals(env.sandbox.requests.length, before, "a request was sent");
});
