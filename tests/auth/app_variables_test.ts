/** App-only sign-in with the variables of a CI job: a masked secret, and the names that Azure's tools share. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

/** Without the app registration of a user. */
const NOTHING_OF_OURS = { GRAPH_CLIENT_ID: "", GRAPH_TENANT_ID: "" };

/** The variables of Azure's tools for the sandbox's app, with one credential. */
function azure(env: TestEnv, credential: Record<string, string>): Record<string, string> {
  const { app, env: { GRAPH_TENANT_ID } } = env.sandbox;
  return {
    ...NOTHING_OF_OURS,
    AZURE_CLIENT_ID: app.clientId,
    AZURE_TENANT_ID: GRAPH_TENANT_ID!,
    ...credential,
  };
}

async function privateFile(env: TestEnv, name: string, text: string): Promise<string> {
  const path = await env.file(name, text);
  await Deno.chmod(path, 0o600);
  return path;
}

Deno.test("app-only sign-in takes the secret from GRAPH_CLIENT_SECRET and never shows it", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { clientId, clientSecret } = env.sandbox.app;
  const variables = { GRAPH_CLIENT_ID: clientId, GRAPH_CLIENT_SECRET: clientSecret };

  const { code, stdout, stderr } = await env.runWith({ env: variables }, "whoami", "--verbose");

  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^app-only, no user\n[\s\S]*\nsource {3}GRAPH_CLIENT_SECRET\ncache {4}/);
  assertEquals((await env.runWith({ env: variables }, "ls", "General")).code, 0);
  const check = await env.runWith({ env: variables }, "whoami", "--check");
  assertMatch(check.stdout, /app-only, with the secret of GRAPH_CLIENT_SECRET;/);
  assert(!`${stdout}${stderr}${check.stdout}${check.stderr}`.includes(clientSecret), "the secret is shown");

  const wrong = { ...variables, GRAPH_CLIENT_SECRET: "two words" };
  const failed = await env.runWith({ env: wrong }, "whoami");
  assertEquals(failed.code, 0, "the token of the last run is still valid");
  env.sandbox.expireAccessTokens();
  const { stderr: line } = await env.runWith({ env: wrong }, "ls", "General");
  assertMatch(line, /^ls: GRAPH_CLIENT_SECRET holds no secret; .*masked variable/);
  assert(!line.includes("two words"));
});

Deno.test("a certificate wins over a secret, and a secret's file over its variable", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { app } = env.sandbox;
  const { certificate, privateKey } = app.newCertificate();
  const all: Record<string, string> = {
    GRAPH_CLIENT_ID: app.clientId,
    GRAPH_CLIENT_CERTIFICATE_FILE: await privateFile(env, "app.pem", certificate + privateKey),
    GRAPH_CLIENT_SECRET_FILE: await privateFile(env, "secret", app.clientSecret),
    GRAPH_CLIENT_SECRET: app.clientSecret,
  };
  for (const name of Object.keys(all).slice(1)) {
    const { stdout, stderr } = await env.runWith({ env: all }, "whoami");
    assertMatch(stdout, new RegExp(`^source {3}${name}$`, "m"), stderr);
    delete all[name];
  }
});

Deno.test("app-only sign-in accepts each complete set of Azure's variables, and whoami names the source", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { app } = env.sandbox;
  const { certificate, privateKey } = app.newCertificate();
  const token = await env.file("token", `${app.newFederatedToken()}\n`);
  await Deno.chmod(token, 0o644); // as Kubernetes provides it
  const sets: Record<string, string> = {
    AZURE_CLIENT_SECRET: app.clientSecret,
    AZURE_CLIENT_CERTIFICATE_PATH: await privateFile(env, "app.pem", certificate + privateKey),
    AZURE_FEDERATED_TOKEN_FILE: token,
  };
  for (const [name, value] of Object.entries(sets)) {
    const variables = azure(env, { [name]: value });
    const { code, stdout, stderr } = await env.runWith({ env: variables }, "whoami");
    assertEquals(code, 0, stderr);
    assertMatch(stdout, new RegExp(`^source {3}${name}$`, "m"));
    assertEquals((await env.runWith({ env: variables }, "ls", "General")).code, 0);
    const { stdout: check } = await env.runWith({ env: variables }, "whoami", "--check");
    assertMatch(check, /clientId \S+ \(environment, AZURE_…\), tenantId \S+ \(environment, AZURE_…\)/);
    assertStringIncludes(check, `of ${name};`);
    env.sandbox.expireAccessTokens();
    assertEquals((await env.runWith({ env: variables }, "ls", "General")).code, 0, "refreshed");
  }
});

Deno.test("app-only sign-in reads the federated token anew for each access token", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { app } = env.sandbox;
  const file = await env.file("token", app.newFederatedToken());
  const variables = azure(env, { AZURE_FEDERATED_TOKEN_FILE: file });
  assertEquals((await env.runWith({ env: variables }, "ls", "General")).code, 0);

  const cases: [text: string, code: number, line: RegExp][] = [
    [
      app.newFederatedToken({ sub: "repo:other" }),
      5,
      /does not trust this federated token; .*Federated.*AADSTS700213/,
    ],
    [app.newFederatedToken({ exp: 1_700_000_000 }), 1, /not valid at this time; .*new token .*AADSTS700024/],
    ["not a token", 2, /the federated token file .*token \(AZURE_FEDERATED_TOKEN_FILE\) holds no token/],
  ];
  for (const [text, code, line] of cases) {
    env.sandbox.expireAccessTokens();
    await Deno.writeTextFile(file, text);
    const ended = await env.runWith({ env: variables }, "ls", "General");
    assertEquals(ended.code, code, ended.stderr);
    assertMatch(ended.stderr, line);
    assert(!ended.stderr.includes(text), "the token is shown");
  }
  await Deno.writeTextFile(file, app.newFederatedToken());
  assertEquals((await env.runWith({ env: variables }, "ls", "General")).code, 0);
});

Deno.test("Azure's variables do not count where they are incomplete or a GRAPH_ setting says who acts", async () => {
  await using env = await startTestEnv({ signIn: false });
  const secret = { AZURE_CLIENT_SECRET: env.sandbox.app.clientSecret };
  const { GRAPH_CLIENT_ID, GRAPH_TENANT_ID } = env.sandbox.env;
  const cases: Record<string, string>[] = [
    azure(env, {}),
    azure(env, { ...secret, AZURE_CLIENT_ID: "" }),
    azure(env, { ...secret, AZURE_TENANT_ID: "" }),
    azure(env, { ...secret, AZURE_TENANT_ID: "contoso.com" }),
    azure(env, { ...secret, GRAPH_CLIENT_ID: GRAPH_CLIENT_ID! }),
    azure(env, { ...secret, GRAPH_CLIENT_ID: GRAPH_CLIENT_ID!, GRAPH_TENANT_ID: GRAPH_TENANT_ID! }),
    azure(env, { ...secret, GRAPH_ACCOUNT: "AdeleV@contoso.com" }),
    azure(env, { ...secret, GRAPH_CLIENT_SECRET: env.sandbox.app.clientSecret }),
    azure(env, { ...secret, GRAPH_TOKEN_CACHE: `${env.folder}/tokens.json` }),
  ];
  for (const variables of cases) {
    const { code, stderr } = await env.runWith({ env: variables }, "ls", "General");
    assert(code === 2 || code === 4, `${JSON.stringify(variables)}: ${stderr}`);
    assertMatch(stderr, /no app registration|not signed in/);
  }
  assertEquals(env.sandbox.requests, []);
});

Deno.test("Azure's variables do not count while a user is signed in, and the error says so", async () => {
  await using env = await startTestEnv();
  const variables = azure(env, { AZURE_CLIENT_SECRET: env.sandbox.app.clientSecret });

  const { code, stderr } = await env.runWith({ env: variables }, "ls", "General");
  assertEquals(code, 2);
  assertMatch(stderr, /AZURE_ variables do not count, since a user is signed in on this machine/);
  const user = { ...variables, ...NOTHING_OF_OURS, GRAPH_CLIENT_ID: env.sandbox.env.GRAPH_CLIENT_ID! };
  const me = await env.runWith(
    { env: { ...user, GRAPH_TENANT_ID: env.sandbox.env.GRAPH_TENANT_ID! } },
    "whoami",
    "--json",
  );
  assertEquals(jsonLines(me.stdout)[0]!.displayName, "Adele Vance");

  assertEquals((await env.run("whoami", "--sign-out")).code, 0);
  const key = { GRAPH_TOKEN_CACHE_KEY: "ab".repeat(32) };
  for (let run = 0; run < 2; run++) {
    const ended = await env.runWith({ env: { ...variables, ...key } }, "ls", "General");
    assertEquals(ended.code, 0, ended.stderr);
  }
  const encrypted = await env.runWith({ env: { ...key } }, "whoami", "--prompt");
  assertEquals(encrypted.code, 0, encrypted.stderr);
  assertEquals((await env.runWith({ env: variables }, "ls")).code, 2, "an encrypted cache may be a user's");
});

Deno.test("an app that signs in for the first time says so where a terminal would show it", async () => {
  await using env = await startTestEnv({ signIn: false });
  const variables = azure(env, { AZURE_CLIENT_SECRET: env.sandbox.app.clientSecret });

  const { stderr } = await env.runWith({ env: variables }, "ls", "--prompt", "General");

  assertEquals(stderr, `ls: signed in as app ${env.sandbox.app.clientId}, with AZURE_CLIENT_SECRET\n`);
  env.sandbox.expireAccessTokens();
  assertEquals((await env.runWith({ env: variables }, "ls", "--prompt", "General")).stderr, "");
});
