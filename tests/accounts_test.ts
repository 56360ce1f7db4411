import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Bench, bench, jsonLines } from "./harness.ts";
import type { SandboxOptions } from "./sandbox/mod.ts";

const PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad";

/** A bench whose app takes accounts of all kinds. */
function benchForAll(options: SandboxOptions = {}): Promise<Bench> {
  return bench({ signIn: false, signInAudience: "AzureADandPersonalMicrosoftAccount", ...options });
}

async function signIn(b: Bench, who: "adele" | "megan" | "dana" | "robin", tenant?: string): Promise<void> {
  b.sandbox.person.signIn(who);
  const { code, stderr } = await b.run(
    "whoami",
    "--prompt",
    ...tenant ? ["--tenant", tenant] : [],
    "--account",
    await nameOf(b, who),
  );
  assertEquals(code, 0, stderr);
}

function nameOf(b: Bench, who: string): Promise<string> {
  const user = b.sandbox.tenant.directory.users.find(({ key }) => key === who)!;
  return Promise.resolve(user.userPrincipalName.includes("#EXT#") ? user.mail! : user.userPrincipalName);
}

Deno.test("several accounts live in one cache; --account chooses, without it several are an error", async () => {
  await using b = await benchForAll();
  await signIn(b, "adele");
  await signIn(b, "megan");
  const names = [await nameOf(b, "adele"), await nameOf(b, "megan")];
  const { stdout } = await b.run("whoami", "--accounts", "--json");
  assertEquals(
    jsonLines(stdout).map(({ userPrincipalName, kind, chosen }) => [userPrincipalName, kind, chosen])
      .toSorted(),
    names.map((name) => [name, "work", false]).toSorted(),
  );
  const before = b.sandbox.requests.length;
  const unclear = await b.run("ls");
  assertEquals(unclear.code, 2);
  assertMatch(unclear.stderr, /several accounts are signed in: .*choose one with --account or GRAPH_ACCOUNT/);
  assertEquals(b.sandbox.requests.length, before, "nothing was guessed");
  for (const name of names) {
    const [me] = jsonLines((await b.run("whoami", "--json", "--account", name.toUpperCase())).stdout);
    assertEquals(me!.userPrincipalName, name);
    assertMatch(
      (await b.run("whoami", "--accounts", "--account", name)).stdout,
      new RegExp(`^\\* ${name}  work account`, "m"),
    );
  }
  const nobody = await b.run("ls", "--account", "nobody@contoso.com");
  assertEquals(nobody.code, 4);
  assertMatch(
    nobody.stderr,
    /nobody@contoso\.com is not signed in, but .*whoami\.ts --account nobody@contoso\.com/,
  );
});

Deno.test("one account is signed out, or all of them", async () => {
  await using b = await benchForAll();
  await signIn(b, "adele");
  await signIn(b, "megan");
  assertEquals((await b.run("whoami", "--sign-out")).code, 2, "which one?");
  assertEquals((await b.run("whoami", "--all")).code, 2);
  const adele = await nameOf(b, "adele");
  assertEquals(
    (await b.run("whoami", "--sign-out", "--account", adele)).stdout,
    `${adele} signed out on this machine\n`,
  );
  assertEquals((await b.run("whoami", "--no-prompt")).code, 0, "the other one is still there");
  await signIn(b, "adele");
  assertEquals(
    (jsonLines((await b.run("whoami", "--sign-out", "--all", "--json")).stdout)[0]!.signedOut as string[])
      .toSorted(),
    [adele, await nameOf(b, "megan")].toSorted(),
  );
  assertEquals((await b.run("whoami", "--accounts")).stdout, "");
  assertEquals((await b.run("whoami", "--no-prompt")).code, 4);
  assertEquals((await b.run("whoami", "--sign-out", "--all")).stdout, "nobody was signed in\n");
});

Deno.test("a guest signs in once, and is shown with both tenants", async () => {
  await using b = await benchForAll();
  b.sandbox.person.signIn("dana");
  assertEquals((await b.run("whoami", "--prompt")).code, 0);
  const { code, stdout, stderr } = await b.run("whoami", "--no-prompt", "--json");
  assertEquals([code, stderr], [0, ""]);
  const tenant = b.sandbox.env.GRAPH_TENANT_ID!;
  assertEquals(jsonLines(stdout)[0]!.tenantId, tenant);
  const [account] = jsonLines((await b.run("whoami", "--accounts", "--json")).stdout);
  assertEquals(account!.tenantId, tenant);
  assert(account!.homeTenantId !== tenant);
  assertMatch((await b.run("whoami", "--accounts")).stdout, /, guest from /);
  const own = await b.run("ls", "me:");
  assertEquals(own.code, 3);
  assertMatch(own.stderr, /a guest has it in another tenant, see --tenant/);
});

Deno.test("a personal account works with its own files, and is never asked for permissions that it cannot have", async () => {
  await using b = await benchForAll();
  const env = { GRAPH_TENANT_ID: "consumers", GRAPH_SITE: "", GRAPH_SITE_HOST: "" };
  b.sandbox.person.signIn("robin");
  for (
    const [script, ...args] of [["whoami"], ["ls"], ["put", await b.file("a.txt", "a"), ""], [
      "get",
      "a.txt",
      "b.txt",
    ]] as const
  ) {
    const { code, stderr } = await b.runWith({ env }, script, "--prompt", ...args);
    assertEquals(code, 0, `${script}: ${stderr}`);
  }
  const [account] = jsonLines((await b.runWith({ env }, "whoami", "--accounts", "--json")).stdout);
  assertEquals([account!.kind, account!.tenantId, account!.chosen], ["personal", PERSONAL, true]);
  const [item] = jsonLines((await b.runWith({ env }, "ls", "--json", "a.txt")).stdout);
  assertMatch(item!.driveId as string, /^[0-9a-f]{16}$/);
  const byId = await b.runWith({ env }, "ls", "--prompt", "--json", `id:${item!.driveId}/${item!.id}`);
  assertEquals([byId.code, jsonLines(byId.stdout)[0]!.driveId], [0, item!.driveId], byId.stderr);
  const site = await b.runWith({ env }, "ls", "--no-prompt", "site:contoso.sharepoint.com/sites/TestTeam");
  assertEquals(site.code, 2, site.stderr);
  assertMatch(site.stderr, /personal accounts have no sites/);
  const scopes = b.sandbox.requests.filter(({ path }) => path.includes("devicecode"));
  assert(scopes.length > 0);
});

Deno.test("tokens of one tenant, account or kind of account are never used for another", async () => {
  await using b = await benchForAll();
  await signIn(b, "adele");
  const consumers = await b.runWith(
    { env: { GRAPH_TENANT_ID: "consumers", GRAPH_SITE: "" } },
    "ls",
    "--no-prompt",
  );
  assertEquals(consumers.code, 4, "a work account is not one of consumers");
  const other = await b.runWith(
    { env: { GRAPH_TENANT_ID: "3f6c1b8e-52d4-4c0a-9a37-0d6d1f0f7e21" } },
    "ls",
    "--no-prompt",
  );
  assertEquals(other.code, 4);
  const organizations = await b.runWith(
    { env: { GRAPH_TENANT_ID: "organizations" } },
    "whoami",
    "--no-prompt",
  );
  assertEquals(organizations.code, 0, organizations.stderr);
  const cloud = await b.runWith({ env: { GRAPH_CLOUD: "usgov" } }, "whoami", "--no-prompt");
  assertEquals(cloud.code, 4, "tokens of another cloud are in another place");
  b.sandbox.person.signIn("robin");
  const robin = await b.runWith(
    { env: { GRAPH_TENANT_ID: "consumers", GRAPH_SITE: "" } },
    "whoami",
    "--prompt",
    "--json",
  );
  assertEquals(jsonLines(robin.stdout)[0]!.tenantId, PERSONAL, robin.stderr);
  const [me] = jsonLines(
    (await b.runWith({ env: { GRAPH_TENANT_ID: "organizations" } }, "whoami", "--no-prompt", "--json"))
      .stdout,
  );
  assertEquals(me!.userPrincipalName, await nameOf(b, "adele"));
  const common = await b.runWith({ env: { GRAPH_TENANT_ID: "common" } }, "whoami", "--no-prompt");
  assertEquals(common.code, 2, "common means both");
});

Deno.test("errors of the sign-in are not taken for a missing OneDrive or a wrong host", async () => {
  await using b = await bench();
  b.sandbox.expireAccessTokens();
  b.sandbox.addFault({
    service: "login",
    path: "/token",
    times: "always",
    status: 400,
    body: {
      error: "invalid_scope",
      error_description: "AADSTS70011: The provided value is not valid.",
      error_codes: [70011],
    },
  });
  for (const location of ["me:", "site:contoso.sharepoint.com/sites/Other"]) {
    const { code, stderr } = await b.run("ls", location);
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /GRAPH_TENANT_ID=consumers.*AADSTS70011/);
  }
});

Deno.test("an app by itself has no OneDrive, and is told what to use", async () => {
  await using b = await bench({ signIn: false });
  const path = await b.file("secret", b.sandbox.app.clientSecret);
  await Deno.chmod(path, 0o600);
  const env = { GRAPH_CLIENT_ID: b.sandbox.app.clientId, GRAPH_CLIENT_SECRET_FILE: path };
  const { code, stderr } = await b.runWith({ env }, "ls", "me:");
  assertEquals(code, 2);
  assertMatch(stderr, /an app by itself has no OneDrive; use site:, drive: or GRAPH_SITE/);
});
