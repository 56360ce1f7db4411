/** Several accounts, tenants and kinds of accounts in one token cache. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "../assert.ts";
import { connect, type Connection } from "../../lib/connect.ts";
import { GraphError } from "../../lib/errors.ts";
import { SETTINGS } from "../../lib/settings.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";
import type { UserKey } from "../sandbox/mod.ts";

const OPEN = { signIn: false, signInAudience: "AzureADandPersonalMicrosoftAccount" } as const;
const CONTOSO = "7d3c1f52-9b8e-4a60-8c1d-2f5e6a7b8c90";
const NORTHWIND = "3b9d5e71-0c42-4f6a-9d18-64e2a7c1f583";
const PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad";
const OWN = { GRAPH_SITE: "" };

async function signIn(b: TestEnv, as: UserKey, tenant: string, ...args: string[]): Promise<void> {
  b.sandbox.person.signIn(as);
  const env = { GRAPH_TENANT_ID: tenant };
  const { code, stderr } = await b.runWith({ env }, "whoami", "--prompt", ...args);
  assertEquals(code, 0, stderr);
}

/** A connection in this process, with the settings of a bench. */
async function connectTo(b: TestEnv): Promise<Connection> {
  const settings = Object.fromEntries(
    Object.entries(SETTINGS).flatMap(([name, { variable }]) =>
      b.sandbox.env[variable] ? [[name, b.sandbox.env[variable]!]] : []
    ),
  );
  return await connect({ settings, showDeviceCode: null, notice: () => {} });
}

Deno.test("a connection that has begun as one person goes on as this one or not at all", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "adele", CONTOSO);
  const { session } = await connectTo(b);
  const first = await session.token();
  await signIn(b, "megan", CONTOSO, "--account", "MeganB@contoso.com");
  const second = await session.token({ claims: undefined, refused: first });
  assert(second !== first, "renewed, though another person has signed in as well");
  assertEquals((await session.facts()).username, "AdeleV@contoso.com");
  assertEquals((await b.run("whoami", "--sign-out", "--account", "AdeleV@contoso.com")).code, 0);
  const error = await assertRejects(() => session.token({ claims: undefined, refused: second }));
  assert(error instanceof GraphError && error.kind === "signInNeeded", String(error));
});

const loginRequests = (b: TestEnv) => b.sandbox.requests.filter(({ service }) => service === "login").length;

Deno.test("a guest signs in once, and whoami tells the tenant of the token", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "dana", CONTOSO);
  const before = loginRequests(b);
  const { code, stdout, stderr } = await b.run("whoami", "--json");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(jsonLines(stdout)[0]!.tenantId, CONTOSO);
  assertEquals(loginRequests(b), before);
  b.sandbox.expireAccessTokens();
  assertEquals(jsonLines((await b.run("whoami", "--json")).stdout)[0]!.tenantId, CONTOSO, "renewed");
});

Deno.test("whoami --accounts lists everybody without a request, and which one is meant", async () => {
  await using b = await startTestEnv(OPEN);
  assertEquals((await b.run("whoami", "--accounts")).stdout, "");
  await signIn(b, "adele", CONTOSO);
  await signIn(b, "dana", CONTOSO, "--account", "dana@northwindtraders.com");
  await signIn(b, "robin", "consumers");
  const before = b.sandbox.requests.length;
  const list = async (...args: string[]) =>
    jsonLines((await b.run("whoami", "--accounts", "--json", ...args)).stdout);
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
  assertEquals(b.sandbox.requests.length, before);
  const { stdout } = await b.run("whoami", "--accounts", "--account", "adelev@contoso.com");
  assertMatch(stdout, /^\* Adele Vance <AdeleV@contoso\.com> \(work, tenant 7d3c\S+\)$/m);
  assertMatch(stdout, /^ {2}Dana Lee .*guest from 3b9d\S+\)$/m);
});

Deno.test("several accounts and none chosen: an error that names them; --account chooses in any case", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "adele", CONTOSO);
  await signIn(b, "megan", CONTOSO, "--account", "MeganB@contoso.com");
  for (const args of [["whoami"], ["ls"], ["whoami", "--sign-out"]] as const) {
    const [script, ...rest] = args;
    const { code, stderr } = await b.run(script, ...rest);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "several accounts are signed in: AdeleV@contoso.com, MeganB@contoso.com");
  }
  const { stdout } = await b.run("whoami", "--account", "meganb@CONTOSO.COM");
  assertMatch(stdout, /^Megan Bowen/);
});

Deno.test("an account that is not signed in: who is, and the command that signs it in", async () => {
  await using b = await startTestEnv();
  const { code, stderr } = await b.run("ls", "--account", "megan@contoso.com");
  assertEquals(code, 4);
  assertMatch(
    stderr,
    /megan@contoso\.com is not signed in to \S+; signed in: AdeleV@contoso\.com; .*scripts\/whoami\.ts --account megan@contoso\.com/,
  );
});

Deno.test("who signs in as somebody else is told, and that sign-in is not kept", async () => {
  await using b = await startTestEnv();
  b.sandbox.person.signIn("dana");
  const { code, stderr } = await b.run("whoami", "--prompt", "--account", "MeganB@contoso.com");
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    "signed in as dana@northwindtraders.com, but MeganB@contoso.com was asked for",
  );
  assertEquals(jsonLines((await b.run("whoami", "--accounts", "--json")).stdout).length, 1);
  b.sandbox.revokeRefreshTokens();
  b.sandbox.expireAccessTokens();
  const renewal = await b.run("whoami", "--prompt");
  assertEquals(renewal.code, 2, "a run of one person does not go on as another");
});

Deno.test("signing out forgets one account or all of them, and the other tokens stay", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "adele", CONTOSO);
  await signIn(b, "megan", CONTOSO, "--account", "MeganB@contoso.com");
  await signIn(b, "robin", "consumers");
  const refused = await b.run("whoami", "--sign-out", "--account", "nobody@contoso.com");
  assertEquals(refused.code, 2);
  assertMatch(refused.stderr, /nobody@contoso\.com is not signed in; signed in: AdeleV\S+, MeganB\S+, robin/);
  const one = await b.run("whoami", "--sign-out", "--account", "adelev@contoso.com", "--json");
  assertEquals(jsonLines(one.stdout), [{ signedOut: true, accounts: ["AdeleV@contoso.com"] }]);
  assertMatch((await b.run("whoami")).stdout, /^Megan Bowen/);
  const all = await b.run("whoami", "--sign-out", "--all");
  assertMatch(all.stdout, /signed out on this machine: MeganB@contoso\.com, robin\.hale@outlook\.com/);
  assertEquals((await b.run("whoami")).code, 4);
  assertEquals((await b.run("whoami", "--all")).code, 2);
});

Deno.test("signing out leaves what another app keeps in the same file", async () => {
  await using b = await startTestEnv();
  const { cache: path } = jsonLines<{ cache: string }>((await b.run("whoami", "--json")).stdout)[0]!;
  const content = JSON.parse(await Deno.readTextFile(path));
  const [key, entry] = Object.entries<Record<string, string>>(content.RefreshToken)[0]!;
  const other = "00000000-1111-2222-3333-444444444444";
  content.RefreshToken[key.replace(entry.client_id!, other)] = { ...entry, client_id: other };
  await Deno.writeTextFile(path, JSON.stringify(content));
  assertEquals((await b.run("whoami", "--sign-out")).code, 0);
  const left = JSON.parse(await Deno.readTextFile(path));
  assertEquals(Object.values<{ client_id: string }>(left.RefreshToken).map((e) => e.client_id), [other]);
  assertEquals([Object.keys(left.Account).length, Object.keys(left.AccessToken).length], [1, 0]);
});

Deno.test("tokens of one tenant are never used for another, whatever the tenant is called", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "adele", CONTOSO);
  await signIn(b, "robin", "consumers");
  const signedIn = async (tenant: string) => {
    const { code, stdout } = await b.runWith({ env: { GRAPH_TENANT_ID: tenant } }, "whoami", "--json");
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
  await using b = await startTestEnv(OPEN);
  await signIn(b, "dana", CONTOSO);
  await signIn(b, "dana", NORTHWIND);
  const before = loginRequests(b);
  for (const tenant of [CONTOSO, NORTHWIND]) {
    const { stdout } = await b.run("whoami", "--json", "--tenant", tenant);
    assertEquals(jsonLines(stdout)[0]!.tenantId, tenant);
  }
  assertEquals(loginRequests(b), before);
});

Deno.test("a cache file that other clients and clouds share gives none of their tokens away", async () => {
  await using b = await startTestEnv();
  const env = { GRAPH_TOKEN_CACHE: `${b.folder}/tokens.json` };
  assertEquals((await b.runWith({ env }, "whoami", "--prompt")).code, 0);
  const other = "11111111-2222-4333-8444-555555555555";
  const before = b.sandbox.requests.length;
  assertEquals((await b.runWith({ env }, "whoami", "--client-id", other)).code, 4);
  assertEquals((await b.runWith({ env }, "whoami", "--cloud", "china")).code, 4);
  assertEquals(b.sandbox.requests.length, before, "nothing was sent");
});

Deno.test("a personal account is never asked for Sites.*, and has no sites", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "robin", "consumers");
  const file = await b.file("a.txt", "a");
  for (const tenant of ["consumers", "common"]) {
    const env = { GRAPH_TENANT_ID: tenant };
    const listed = await b.runWith({ env: { ...env, ...OWN } }, "ls", "--json", "Documents");
    assertEquals([listed.code, listed.stderr], [0, ""]);
    for (const args of [["ls"], ["ls", "site:contoso.sharepoint.com/sites/TestTeam"], ["put", file, "/"]]) {
      const [script, ...rest] = args as ["ls", ...string[]];
      const { code, stderr } = await b.runWith({ env }, script, ...rest);
      assertEquals(code, 2, stderr);
      assertMatch(stderr, /a personal Microsoft account has no sites and no teams; leave out --site/);
    }
    const put = await b.runWith({ env }, "put", file, `me:Documents/${tenant}.txt`);
    assertEquals([put.code, put.stderr], [0, ""]);
  }
  assertEquals(b.sandbox.requests.filter(({ path }) => path.includes("/sites")), []);
});

Deno.test("at common a personal account that is asked for sites is told to say consumers", async () => {
  await using b = await startTestEnv(OPEN);
  b.sandbox.person.signIn("robin");
  const { code, stderr } = await b.runWith({ env: { GRAPH_TENANT_ID: "common" } }, "ls", "--prompt");
  assertEquals(code, 2);
  assertMatch(stderr, /set GRAPH_TENANT_ID=consumers.*AADSTS70011/);
});

Deno.test("drive ids of personal accounts are printed in one spelling (PROTOCOL N9)", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "robin", "consumers");
  const env = { GRAPH_TENANT_ID: "consumers", ...OWN };
  const items = jsonLines((await b.runWith({ env }, "ls", "-R", "--json")).stdout);
  const file = await b.file("a.txt", "a");
  const [put] = jsonLines((await b.runWith({ env }, "put", file, "Documents/", "--json")).stdout);
  const ids = new Set([...items, put!].map(({ driveId }) => driveId));
  assert(items.length > 1);
  assertEquals([...ids], ["0a5f3c9e17d2b846"]);
  const byId = await b.runWith({ env }, "ls", `id:${put!.driveId}/${put!.id}`);
  assertEquals([byId.code, byId.stdout], [0, "a.txt\n"]);
});

Deno.test("a tenant without SharePoint: the service's words, and a hint at --tenant", async () => {
  await using b = await startTestEnv(OPEN);
  await signIn(b, "dana", NORTHWIND);
  const env = { GRAPH_TENANT_ID: NORTHWIND };
  for (const args of [["ls", "me:"], ["ls"], ["ls", "--sites"]] as ["ls", ...string[]][]) {
    const { code, stderr } = await b.runWith({ env }, ...args, "--prompt");
    assertEquals(code, 3, stderr);
    assertMatch(stderr, /Tenant does not have a SPO license.*choose it with --tenant or GRAPH_TENANT_ID/);
  }
});

Deno.test("errors of the sign-in service are not taken for missing drives or sites", async () => {
  for (const location of ["me:", "site:contoso.sharepoint.com/sites/TestTeam"]) {
    await using b = await startTestEnv({ signIn: false });
    b.sandbox.addFault({
      service: "login",
      path: "/devicecode",
      times: "always",
      status: 400,
      body: { error: "invalid_scope", error_description: "AADSTS28002: no", error_codes: [28002] },
    });
    const { code, stderr } = await b.run("ls", "--prompt", location);
    assertEquals(code, 1);
    assertMatch(stderr, /^ls: sign-in: the service does not understand the permissions.*AADSTS28002/);
  }
});

Deno.test("further permissions: one line says which and why; unattended it is exit code 5", async () => {
  await using b = await startTestEnv({ consented: ["User.Read"] });
  const file = await b.file("a.txt", "a");
  const refused = await b.run("put", file, "me:a.txt");
  assertEquals(refused.code, 5);
  assertMatch(
    refused.stderr,
    /nobody has consented to this permission for the app: Files\.ReadWrite, to write files of your OneDrive; run the same command in a terminal/,
  );
  const asked = await b.run("put", "--prompt", file, "me:a.txt");
  assertEquals(asked.code, 0, asked.stderr);
  assertMatch(
    asked.stderr,
    /^put: to write files of your OneDrive, Files\.ReadWrite is needed: sign in and consent to it \(AADSTS65001\)\nTo sign in/,
  );
  assertEquals((await b.run("put", "--conflict", "replace", file, "me:a.txt")).stderr, "", "asked once");
});

Deno.test("an app by itself has no OneDrive of its own: one line, and nothing is asked for", async () => {
  await using b = await startTestEnv({ signIn: false });
  const secret = await b.file("secret", b.sandbox.app.clientSecret);
  if (Deno.build.os !== "windows") await Deno.chmod(secret, 0o600);
  const env = { GRAPH_CLIENT_ID: b.sandbox.app.clientId, GRAPH_CLIENT_SECRET_FILE: secret };
  for (const [extra, ...args] of [[{}, "me:"], [OWN], [OWN, "--drives"]] as const) {
    const { code, stderr } = await b.runWith({ env: { ...env, ...extra } }, "ls", ...args as string[]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, /^ls: app-only sign-in has no OneDrive; address a library: site:HOST/);
  }
  assertEquals(b.sandbox.requests, []);
});
