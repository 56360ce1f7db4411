import { assert, assertEquals, assertMatch } from "../assert.ts";
import { pathToFileURL } from "node:url";
import { join } from "../../lib/std.ts";
import { connect } from "../../lib/connect.ts";
import { denoRun, jsonLines, ROOT, runProcess, startTestEnv, type TestEnv } from "../test_env.ts";

/** Variables for app-only sign-in, with the credential in a private file. */
async function appWith(
  env: TestEnv,
  variable: "GRAPH_CLIENT_SECRET_FILE" | "GRAPH_CLIENT_CERTIFICATE_FILE",
  text: string,
): Promise<Record<string, string>> {
  const path = await env.file("credential", text);
  await Deno.chmod(path, 0o600);
  return { GRAPH_CLIENT_ID: env.sandbox.app.clientId, [variable]: path };
}

function tokenRequests(env: TestEnv): number {
  return env.sandbox.requests.filter(({ service, path }) => service === "login" && path.includes("/token"))
    .length;
}

Deno.test("app-only sign-in with a secret transfers files and keeps its token for the next run", async () => {
  await using env = await startTestEnv({ signIn: false });
  const variables = await appWith(env, "GRAPH_CLIENT_SECRET_FILE", `${env.sandbox.app.clientSecret}\n`);
  const run = (...args: Parameters<TestEnv["run"]>) => env.runWith({ env: variables }, ...args);
  const { code, stdout, stderr } = await run("whoami", "--json");
  assertEquals(code, 0, stderr);
  const [me] = jsonLines(stdout);
  assertEquals([me!.displayName, me!.id, me!.scopes], [
    null,
    env.sandbox.app.clientId,
    ["Files.ReadWrite.All", "Sites.ReadWrite.All"],
  ]);
  assertMatch((await run("whoami")).stdout, /^app-only, no user\n/);
  assertEquals((await run("put", await env.file("a.txt", "a"), "General/")).code, 0);
  assertEquals((await run("get", "General/a.txt", "copy.txt")).code, 0);
  assertEquals((await run("ls", "--json", "General/a.txt")).code, 0);
  assertEquals(tokenRequests(env), 1, "the token was not kept");
  env.sandbox.expireAccessTokens();
  assertEquals((await run("ls", "General")).code, 0);
  assertEquals(tokenRequests(env), 2, "the refused token was not refreshed");
  for await (const { name } of Deno.readDir(env.sandbox.env.GRAPH_SCRIPTS_HOME!)) {
    if (!name.startsWith("tokens-")) continue;
    const text = await Deno.readTextFile(join(env.sandbox.env.GRAPH_SCRIPTS_HOME!, name));
    assert(!text.includes(env.sandbox.app.clientSecret), "the secret is in the cache");
  }
});

Deno.test("app-only sign-in accepts a certificate", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { certificate, privateKey } = env.sandbox.app.newCertificate();
  for (const text of [certificate + privateKey, privateKey + certificate]) {
    const variables = await appWith(env, "GRAPH_CLIENT_CERTIFICATE_FILE", text);
    const { code, stderr } = await env.runWith({ env: variables }, "ls", "General");
    assertEquals(code, 0, stderr);
    env.sandbox.expireAccessTokens();
  }
});

Deno.test("app-only session refreshes a rejected token once for many requests", async () => {
  await using env = await startTestEnv({ signIn: false });
  const variables = await appWith(env, "GRAPH_CLIENT_SECRET_FILE", env.sandbox.app.clientSecret);
  const all: Record<string, string> = { ...env.sandbox.env, ...variables };
  const { session } = await connect({ env: (name) => all[name], notice: () => {} });
  const refused = await session.token();
  const before = tokenRequests(env);
  const renewal = { refused };
  const tokens = await Promise.all([1, 2, 3].map(() => session.token(renewal)));
  tokens.push(await session.token(renewal));
  assertEquals(new Set(tokens).size, 1);
  assert(!tokens.includes(refused));
  assertEquals(tokenRequests(env), before + 1);
});

Deno.test({
  name: "app-only session keeps a credential from a pipe for the second token",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using env = await startTestEnv({ signIn: false });
    const file = await env.file(
      "run.ts",
      `
import { connect } from ${JSON.stringify(pathToFileURL(join(ROOT, "lib", "connect.ts")).href)};
const { session } = await connect({ showDeviceCode: null });
const refused = await session.token();
const renewed = await session.token({ refused });
console.log(renewed !== refused);
`,
    );
    const words = denoRun("-A", file).map((word) => `'${word}'`).join(" ");
    const script = `GRAPH_CLIENT_SECRET_FILE=<(printf %s "$SECRET") ${words}`;
    const { app } = env.sandbox;
    const ended = await runProcess(["bash", "-c", script], {
      env: { ...env.sandbox.env, GRAPH_CLIENT_ID: app.clientId, SECRET: app.clientSecret },
    });
    assertEquals([ended.code, ended.stdout], [0, "true\n"], ended.stderr);
  },
});

Deno.test("app-only sign-in rejects OneDrive locations and sign-out", async () => {
  await using env = await startTestEnv({ signIn: false });
  const variables = await appWith(env, "GRAPH_CLIENT_SECRET_FILE", env.sandbox.app.clientSecret);
  const own = await env.runWith({ env: variables }, "ls", "me:");
  assert(own.code !== 0);
  assertEquals(own.stderr.split("\n").length, 2);
  await env.runWith({ env: variables }, "whoami");
  const out = await env.runWith({ env: variables }, "whoami", "--sign-out");
  assertEquals(out.code, 2);
  assertMatch(out.stderr, /GRAPH_CLIENT_SECRET_FILE: there is no sign-in to remove/);
  const all = { GRAPH_CLIENT_ID: env.sandbox.app.clientId };
  assertEquals((await env.runWith({ env: all }, "whoami", "--sign-out", "--all")).code, 0);
  await env.runWith({ env: variables }, "whoami");
  assertEquals(tokenRequests(env), 2, "the token of the app was forgotten");
});

Deno.test("app-only sign-in reports each wrong credential in one line without the secret", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { app } = env.sandbox;
  const [mine, other] = [app.newCertificate(), app.newCertificate()];
  const old = app.newCertificate({ from: new Date("2020-01-01"), until: new Date("2021-01-01") });
  const encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIabc\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const secret = "GRAPH_CLIENT_SECRET_FILE";
  const certificate = "GRAPH_CLIENT_CERTIFICATE_FILE";
  const cases: [typeof secret | typeof certificate, string, number, RegExp][] = [
    [
      secret,
      "not-the-secret-at-all",
      5,
      /not one of the app's.*Value \(not its Secret ID\).*AADSTS7000215/,
    ],
    [secret, app.addSecret(-1), 5, /has expired.*make a new secret.*AADSTS7000222/],
    [secret, "", 2, /holds no secret/],
    [secret, "two words", 2, /holds no secret/],
    [certificate, "nothing", 2, /holds no RSA certificate with its own private key/],
    [certificate, mine.certificate, 2, /holds no RSA certificate with its own private key/],
    [certificate, mine.certificate + encrypted, 2, /holds no RSA certificate.*without pass phrase/],
    [certificate, mine.certificate + other.privateKey, 2, /holds no RSA certificate with its own/],
    [certificate, old.certificate + old.privateKey, 5, /not one of the app's, or has expired/],
    [
      certificate,
      `${mine.certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
      2,
      /holds no RSA certificate/,
    ],
  ];
  for (const [variable, text, code, line] of cases) {
    const variables = await appWith(env, variable, text);
    const ended = await env.runWith({ env: variables }, "ls", "General");
    assertEquals(ended.code, code, ended.stderr);
    assertMatch(ended.stderr, line);
    assertEquals(ended.stderr.split("\n").length, 2, "one line");
    if (text.length > 12) {
      assert(!ended.stderr.includes(text.slice(0, 60)) || text === "two words", "the secret is shown");
    }
  }
  const variables = await appWith(env, secret, "x".repeat(40));
  if (Deno.build.os !== "windows") {
    await Deno.chmod(variables[secret]!, 0o644);
    assertMatch(
      (await env.runWith({ env: variables }, "ls")).stderr,
      /can be read by other users.*chmod 600/,
    );
  }
  const missing = { ...variables, [secret]: join(env.folder, "nope") };
  assertMatch(
    (await env.runWith({ env: missing }, "ls")).stderr,
    /nope \(GRAPH_CLIENT_SECRET_FILE\) does not exist/,
  );
  const common = { ...variables, GRAPH_TENANT_ID: "common" };
  if (Deno.build.os !== "windows") await Deno.chmod(variables[secret]!, 0o600);
  assertMatch(
    (await env.runWith({ env: common }, "ls")).stderr,
    /set GRAPH_CLIENT_ID, and GRAPH_TENANT_ID to the id of one tenant/,
  );
});
