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
const OWN = { GRAPH_SITE: "" };

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
  assert(second !== first, "the token was not renewed");
  assertEquals((await session.info()).username, "AdeleV@contoso.com");
  assertEquals((await env.run("whoami", "--sign-out", "--account", "AdeleV@contoso.com")).code, 0);
  const error = await assertRejects(() => session.token({ refused: second }));
  assert(error instanceof GraphError && error.kind === "signInNeeded", String(error));
});

const loginRequests = (env: TestEnv) =>
  env.sandbox.requests.filter(({ service }) => service === "login").length;

Deno.test("a guest signs in once, and whoami prints the tenant of the token", async () => {
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
    "a guest is not at home there",
  );
  assertEquals((await list("--tenant", "contoso.com")).map((row) => row.chosen), [null, null, null]);
  assertEquals(env.sandbox.requests.length, before);
  const { stdout } = await env.run("whoami", "--accounts", "--account", "adelev@contoso.com");
  assertMatch(stdout, /^\* Adele Vance <AdeleV@contoso\.com> \(work, tenant 7d3c\S+\)$/m);
  assertMatch(stdout, /^ {2}Dana Lee .*guest from 3b9d\S+\)$/m);
});

Deno.test("several accounts without a choice are an error that names them; --account ignores case", async () => {
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

Deno.test("an account that is not signed in is an error with the signed-in ones and the command to run", async () => {
  await using env = await startTestEnv();
  const { code, stderr } = await env.run("ls", "--account", "megan@contoso.com");
  assertEquals(code, 4);
  assertMatch(
    stderr,
    /megan@contoso\.com is not signed in to \S+; signed in: AdeleV@contoso\.com; .*scripts\/whoami\.ts --account megan@contoso\.com/,
  );
});

Deno.test("a sign-in with another account than asked for is an error and is not kept", async () => {
  await using env = await startTestEnv();
  env.sandbox.user.signIn("dana");
  const { code, stderr } = await env.run("whoami", "--prompt", "--account", "MeganB@contoso.com");
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    "signed in as dana@northwindtraders.com, but MeganB@contoso.com was asked for",
  );
  assertEquals(jsonLines((await env.run("whoami", "--accounts", "--json")).stdout).length, 1);
  env.sandbox.revokeRefreshTokens();
  env.sandbox.expireAccessTokens();
  const renewal = await env.run("whoami", "--prompt");
  assertEquals(renewal.code, 2, "a run must not continue as another account");
});

Deno.test("whoami --sign-out removes one account or all, and other tokens stay", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "adele", CONTOSO);
  await signIn(env, "megan", CONTOSO, "--account", "MeganB@contoso.com");
  await signIn(env, "robin", "consumers");
  const refused = await env.run("whoami", "--sign-out", "--account", "nobody@contoso.com");
  assertEquals(refused.code, 2);
  assertMatch(refused.stderr, /nobody@contoso\.com is not signed in; signed in: AdeleV\S+, MeganB\S+, robin/);
  const one = await env.run("whoami", "--sign-out", "--account", "adelev@contoso.com", "--json");
  assertEquals(jsonLines(one.stdout), [{ signedOut: true, accounts: ["AdeleV@contoso.com"] }]);
  assertMatch((await env.run("whoami")).stdout, /^Megan Bowen/);
  const all = await env.run("whoami", "--sign-out", "--all");
  assertMatch(all.stdout, /signed out on this machine: MeganB@contoso\.com, robin\.hale@outlook\.com/);
  assertEquals((await env.run("whoami")).code, 4);
  assertEquals((await env.run("whoami", "--all")).code, 2);
});

Deno.test("whoami --sign-out leaves the entries of another app in the same file", async () => {
  await using env = await startTestEnv();
  const { cache: path } = jsonLines<{ cache: string }>((await env.run("whoami", "--json")).stdout)[0]!;
  const content = JSON.parse(await Deno.readTextFile(path));
  const [key, entry] = Object.entries<Record<string, string>>(content.RefreshToken)[0]!;
  const other = "00000000-1111-2222-3333-444444444444";
  content.RefreshToken[key.replace(entry.client_id!, other)] = { ...entry, client_id: other };
  await Deno.writeTextFile(path, JSON.stringify(content));
  assertEquals((await env.run("whoami", "--sign-out")).code, 0);
  const left = JSON.parse(await Deno.readTextFile(path));
  assertEquals(Object.values<{ client_id: string }>(left.RefreshToken).map((e) => e.client_id), [other]);
  assertEquals([Object.keys(left.Account).length, Object.keys(left.AccessToken).length], [1, 0]);
});

Deno.test("tokens of one tenant are never used for another, by id or domain", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "adele", CONTOSO);
  await signIn(env, "robin", "consumers");
  const signedIn = async (tenant: string) => {
    const { code, stdout } = await env.runWith({ env: { GRAPH_TENANT_ID: tenant } }, "whoami", "--json");
    return code === 0 ? jsonLines(stdout)[0]!.userPrincipalName : code;
  };
  assertEquals(await signedIn(CONTOSO), "AdeleV@contoso.com");
  assertEquals(await signedIn("contoso.com"), "AdeleV@contoso.com");
  assertEquals(await signedIn("northwindtraders.com"), 4);
  assertEquals(await signedIn(NORTHWIND), 4);
  assertEquals(await signedIn("organizations"), "AdeleV@contoso.com");
  assertEquals(await signedIn("consumers"), "robin.hale@outlook.com");
  assertEquals(await signedIn(PERSONAL), "robin.hale@outlook.com");
  assertEquals(await signedIn("common"), 2);
  assertEquals(await signedIn("nowhere.example"), 2);
});

Deno.test("a guest's two tenants have their own tokens", async () => {
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

Deno.test("a cache file shared with other clients and clouds does not expose their tokens", async () => {
  await using env = await startTestEnv();
  const variables = { GRAPH_TOKEN_CACHE: `${env.folder}/tokens.json` };
  assertEquals((await env.runWith({ env: variables }, "whoami", "--prompt")).code, 0);
  const other = "11111111-2222-4333-8444-555555555555";
  const before = env.sandbox.requests.length;
  assertEquals((await env.runWith({ env: variables }, "whoami", "--client-id", other)).code, 4);
  assertEquals((await env.runWith({ env: variables }, "whoami", "--cloud", "china")).code, 4);
  assertEquals(env.sandbox.requests.length, before, "nothing was sent");
});

Deno.test("a personal account is never asked for Sites.*, and has no sites", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "robin", "consumers");
  const file = await env.file("a.txt", "a");
  for (const tenant of ["consumers", "common"]) {
    const variables = { GRAPH_TENANT_ID: tenant };
    const listed = await env.runWith({ env: { ...variables, ...OWN } }, "ls", "--json", "Documents");
    assertEquals([listed.code, listed.stderr], [0, ""]);
    for (const args of [["ls"], ["ls", "site:contoso.sharepoint.com/sites/TestTeam"], ["put", file, "/"]]) {
      const [script, ...rest] = args as ["ls", ...string[]];
      const { code, stderr } = await env.runWith({ env: variables }, script, ...rest);
      assertEquals(code, 2, stderr);
      assertMatch(stderr, /a personal Microsoft account has no sites and no teams; leave out --site/);
    }
    const put = await env.runWith({ env: variables }, "put", file, `me:Documents/${tenant}.txt`);
    assertEquals([put.code, put.stderr], [0, ""]);
  }
  assertEquals(env.sandbox.requests.filter(({ path }) => path.includes("/sites")), []);
});

Deno.test("a personal account at common that needs sites gets the hint to use consumers", async () => {
  await using env = await startTestEnv(OPEN);
  env.sandbox.user.signIn("robin");
  const { code, stderr } = await env.runWith({ env: { GRAPH_TENANT_ID: "common" } }, "ls", "--prompt");
  assertEquals(code, 2);
  assertMatch(stderr, /set GRAPH_TENANT_ID=consumers.*AADSTS70011/);
});

Deno.test("drive ids of personal accounts are printed in one spelling (PROTOCOL N9)", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "robin", "consumers");
  const variables = { GRAPH_TENANT_ID: "consumers", ...OWN };
  const items = jsonLines((await env.runWith({ env: variables }, "ls", "-R", "--json")).stdout);
  const file = await env.file("a.txt", "a");
  const [put] = jsonLines(
    (await env.runWith({ env: variables }, "put", file, "Documents/", "--json")).stdout,
  );
  const ids = new Set([...items, put!].map(({ driveId }) => driveId));
  assert(items.length > 1);
  assertEquals([...ids], ["0a5f3c9e17d2b846"]);
  const byId = await env.runWith({ env: variables }, "ls", `id:${put!.driveId}/${put!.id}`);
  assertEquals([byId.code, byId.stdout], [0, "a.txt\n"]);
});

Deno.test("a tenant without SharePoint is an error with a hint about the tenant", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "dana", NORTHWIND);
  const variables = { GRAPH_TENANT_ID: NORTHWIND };
  for (const args of [["ls", "me:"], ["ls"], ["ls", "--sites"]] as ["ls", ...string[]][]) {
    const { code, stderr } = await env.runWith({ env: variables }, ...args, "--prompt");
    assertEquals(code, 3, stderr);
    assertMatch(stderr, /Tenant does not have a SPO license.*choose it with --tenant or GRAPH_TENANT_ID/);
  }
});

Deno.test("errors of the sign-in service are not taken for missing drives or sites", async () => {
  for (const location of ["me:", "site:contoso.sharepoint.com/sites/TestTeam"]) {
    await using env = await startTestEnv({ signIn: false });
    env.sandbox.addFault({
      service: "login",
      path: "/devicecode",
      times: "always",
      status: 400,
      body: { error: "invalid_scope", error_description: "AADSTS28002: no", error_codes: [28002] },
    });
    const { code, stderr } = await env.run("ls", "--prompt", location);
    assertEquals(code, 1);
    assertMatch(stderr, /^ls: sign-in: the sign-in service refused.*AADSTS28002/);
  }
});

Deno.test("further permissions are asked for in one line; unattended they are exit code 5", async () => {
  await using env = await startTestEnv({ consented: ["User.Read"] });
  const file = await env.file("a.txt", "a");
  const refused = await env.run("put", file, "me:a.txt");
  assertEquals(refused.code, 5);
  assertMatch(
    refused.stderr,
    /the app lacks consent for this permission: Files\.ReadWrite, to write files of your OneDrive; run the same command in a terminal/,
  );
  const asked = await env.run("put", "--prompt", file, "me:a.txt");
  assertEquals(asked.code, 0, asked.stderr);
  assertMatch(
    asked.stderr,
    /^put: to write files of your OneDrive, Files\.ReadWrite is needed: sign in and consent to it \(AADSTS65001\)\nTo sign in/,
  );
  assertEquals((await env.run("put", "--conflict", "replace", file, "me:a.txt")).stderr, "", "asked once");
});

Deno.test("app-only sign-in has no OneDrive: one line, and no request", async () => {
  await using env = await startTestEnv({ signIn: false });
  const secret = await env.file("secret", env.sandbox.app.clientSecret);
  if (Deno.build.os !== "windows") await Deno.chmod(secret, 0o600);
  const variables = { GRAPH_CLIENT_ID: env.sandbox.app.clientId, GRAPH_CLIENT_SECRET_FILE: secret };
  for (const [extra, ...args] of [[{}, "me:"], [OWN], [OWN, "--drives"]] as const) {
    const { code, stderr } = await env.runWith(
      { env: { ...variables, ...extra } },
      "ls",
      ...args as string[],
    );
    assertEquals(code, 2, stderr);
    assertMatch(stderr, /^ls: app-only sign-in has no OneDrive; address a library: site:HOST/);
  }
  assertEquals(env.sandbox.requests, []);
});
