/** Limits of personal accounts, tenants without SharePoint, and app-only sign-in. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";
import type { UserKey } from "../sandbox/mod.ts";

const OPEN = { signIn: false, signInAudience: "AzureADandPersonalMicrosoftAccount" } as const;
const NORTHWIND = "3b9d5e71-0c42-4f6a-9d18-64e2a7c1f583";
const OWN = { GRAPH_SITE: "" };

async function signIn(env: TestEnv, as: UserKey, tenant: string): Promise<void> {
  env.sandbox.user.signIn(as);
  const { code, stderr } = await env.runWith({ env: { GRAPH_TENANT_ID: tenant } }, "whoami", "--prompt");
  assertEquals(code, 0, stderr);
}

Deno.test("scripts request no Sites.* permission and list no sites for a personal account", async () => {
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

Deno.test("ls --sites suggests the consumers tenant to a personal account at common", async () => {
  await using env = await startTestEnv(OPEN);
  env.sandbox.user.signIn("robin");
  const { code, stderr } = await env.runWith({ env: { GRAPH_TENANT_ID: "common" } }, "ls", "--prompt");
  assertEquals(code, 2);
  assertMatch(stderr, /set GRAPH_TENANT_ID=consumers.*AADSTS70011/);
});

Deno.test("ls prints drive ids of personal accounts in one spelling (N9)", async () => {
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

Deno.test("ls fails with a hint for a tenant without SharePoint", async () => {
  await using env = await startTestEnv(OPEN);
  await signIn(env, "dana", NORTHWIND);
  const variables = { GRAPH_TENANT_ID: NORTHWIND };
  for (const args of [["ls", "me:"], ["ls"], ["ls", "--sites"]] as ["ls", ...string[]][]) {
    const { code, stderr } = await env.runWith({ env: variables }, ...args, "--prompt");
    assertEquals(code, 3, stderr);
    assertMatch(stderr, /Tenant does not have a SPO license.*choose it with --tenant or GRAPH_TENANT_ID/);
  }
});

Deno.test("ls does not mistake sign-in errors for missing drives or sites", async () => {
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

Deno.test("scripts request further permissions in one line, or fail unattended (exit code 5)", async () => {
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
    /^put: sign-in: the app lacks consent for this permission: Files\.ReadWrite, to write files of your OneDrive \(AADSTS65001\)\nTo sign in/,
  );
  assertEquals(
    (await env.run("put", "--conflict", "replace", file, "me:a.txt")).stderr,
    "",
    "the permission was requested twice",
  );
});

Deno.test("app-only sign-in rejects OneDrive locations in one line without a request", async () => {
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
