import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { connect } from "../../lib/mod.ts";
import { denoRun, jsonLines, ROOT, runProcess, startTestEnv } from "../test_env.ts";

const cacheOf = (home: string) =>
  [...Deno.readDirSync(home)].map(({ name }) => name).filter((name) => name.endsWith(".json")).map((name) =>
    `${home}/${name}`
  );

Deno.test("scripts need neither user nor sign-in service after the first sign-in", async () => {
  await using env = await startTestEnv();
  const before = env.sandbox.requests.length;
  const [me] = jsonLines((await env.run("whoami", "--json")).stdout);
  assertEquals(Object.keys(me!), [
    "displayName",
    "userPrincipalName",
    "id",
    "tenantId",
    "cloud",
    "scopes",
    "expiresAt",
    "cache",
  ]);
  assertEquals(me!.userPrincipalName, "AdeleV@contoso.com");
  assertEquals(env.sandbox.requests.slice(before).map(({ service, path }) => `${service} ${path}`), [
    "graph /v1.0/me",
  ]);
});

Deno.test("whoami writes a private token cache with only a lock beside it", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const home = env.sandbox.env.GRAPH_SCRIPTS_HOME!;
  const [cache] = cacheOf(home);
  assertEquals(((await Deno.stat(cache!)).mode ?? 0) & 0o777, 0o600);
  for await (const { name } of Deno.readDir(home)) assertMatch(name, /\.json(\.lock)?$/);
});

Deno.test("whoami creates a private folder for the token cache", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv({ signIn: false });
  const variables = { GRAPH_TOKEN_CACHE: `${env.folder}/new/folder/tokens.json` };
  assertEquals((await env.runWith({ env: variables }, "whoami", "--prompt")).code, 0);
  assertEquals(((await Deno.stat(`${env.folder}/new/folder`)).mode ?? 0) & 0o777, 0o700);
});

Deno.test("scripts refresh an expired token silently and store the rotated refresh token", async () => {
  await using env = await startTestEnv({ tokenLifeSeconds: 2, revokeOldRefreshTokens: true });
  for (let i = 0; i < 2; i++) {
    const { code, stderr } = await env.run("whoami", "--no-prompt");
    assertEquals([code, stderr], [0, ""]);
  }
  const grants = env.sandbox.requests.filter(({ service, path }) =>
    service === "login" && path.includes("/token")
  );
  assert(grants.length >= 4, `expected a renewal in each run, saw ${grants.length} token requests`);
});

Deno.test("scripts do not load MSAL while the cached token is valid", async () => {
  await using env = await startTestEnv();
  // MSAL reads this variable when it is loaded, which fails without the permission.
  const permissions = [
    "--allow-env=HOME,XDG_CONFIG_HOME,XDG_STATE_HOME,GRAPH_*",
    "--allow-read",
    "--allow-write",
    "--allow-net=127.0.0.1",
    "--allow-sys=uid",
  ];
  const line = denoRun(...permissions, `${ROOT}scripts/whoami.ts`);
  const { code, stderr } = await runProcess(line, { env: env.sandbox.env });
  assertEquals(code, 0, stderr);
});

Deno.test("scripts name the sign-in command without a terminal (exit code 4)", async () => {
  await using env = await startTestEnv({ signIn: false });
  for (const script of ["whoami", "ls"] as const) {
    const { code, stdout, stderr } = await env.run(script);
    assertEquals([code, stdout], [4, ""]);
    assertMatch(stderr, /not signed in; sign in once, in a terminal, with: scripts\/whoami\.ts/);
  }
  assertEquals(env.sandbox.requests, []);
});

Deno.test("scripts name the sign-in command after a revoked sign-in (exit code 4)", async () => {
  await using env = await startTestEnv({ tokenLifeSeconds: 1 });
  env.sandbox.addFault({
    service: "login",
    path: "/oauth2/v2.0/token",
    times: "always",
    status: 400,
    body: {
      error: "invalid_grant",
      error_description: "AADSTS50173: revoked",
      error_codes: [50173],
      correlation_id: "c0ffee",
    },
  });
  const { code, stderr } = await env.run("ls");
  assertEquals(code, 4);
  assertMatch(
    stderr,
    /the sign-in was revoked; sign in again with: scripts\/whoami\.ts \(HTTP 400 AADSTS50173, request-id c0ffee/,
  );
});

Deno.test("scripts fail without consent to a permission (exit code 5)", async () => {
  await using env = await startTestEnv({ consented: ["User.Read"] });
  const { code, stderr } = await env.run("ls");
  assertEquals(code, 5);
  assertMatch(stderr, /the app lacks consent.*AADSTS65001/s);
});

Deno.test("scripts refresh the token once after a 401", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({
    service: "graph",
    path: "/v1.0/me",
    status: 401,
    body: { error: { code: "InvalidAuthenticationToken", message: "expired" } },
  });
  const { code, stderr } = await env.run("whoami");
  assertEquals(code, 0, stderr);
  env.sandbox.addFault({
    service: "graph",
    path: "/v1.0/me",
    times: "always",
    status: 401,
    body: { error: { code: "InvalidAuthenticationToken", message: "no" } },
  });
  assertEquals((await env.run("whoami")).code, 4);
});

Deno.test("whoami --sign-out removes the tokens", async () => {
  await using env = await startTestEnv();
  assertMatch((await env.run("whoami", "--sign-out")).stdout, /signed out/);
  assertEquals((await env.run("whoami")).code, 4);
  assertMatch((await env.run("whoami", "--sign-out")).stdout, /^not signed in\n/);
  const [cache] = cacheOf(env.sandbox.env.GRAPH_SCRIPTS_HOME!);
  assertEquals(/secret/.test(await Deno.readTextFile(cache!)), false);
});

Deno.test("scripts leave a file that is no token cache unchanged (exit code 2)", async () => {
  await using env = await startTestEnv();
  const home = env.sandbox.env.GRAPH_SCRIPTS_HOME!;
  const [cache] = cacheOf(home);
  for (
    const content of [
      "{ half",
      '{"some":"other program"}',
      '{"Account": {"x": null}}',
      "\u0000\u0001",
      "null",
    ]
  ) {
    await Deno.writeTextFile(cache!, content, { mode: 0o600 });
    const { code, stderr } = await env.run("whoami", "--prompt");
    assertEquals(code, 2);
    assertMatch(stderr, /is not a token cache; delete it/);
    assertEquals(await Deno.readTextFile(cache!), content);
  }
});

Deno.test("scripts reject a cache that other users can read, with the command that fixes it", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const [cache] = cacheOf(env.sandbox.env.GRAPH_SCRIPTS_HOME!);
  await Deno.chmod(cache!, 0o644);
  const { code, stderr } = await env.run("ls");
  assertEquals(code, 5);
  assertStringIncludes(stderr, `chmod 600 ${cache}`);
  await Deno.chmod(cache!, 0o600);
  assertEquals((await env.run("ls")).code, 0);
});

Deno.test("ls uses a valid token for writing", async () => {
  await using env = await startTestEnv();
  const file = await env.file("a.txt", "a");
  await env.run("put", file, "General/");
  const before = env.sandbox.requests.length;
  assertEquals((await env.run("ls", "General")).code, 0);
  assertEquals(env.sandbox.requests.slice(before).filter(({ service }) => service === "login").length, 0);
});

Deno.test("scripts use GRAPH_ACCESS_TOKEN without a cache", async () => {
  await using env = await startTestEnv({ signIn: false });
  const variables = { GRAPH_ACCESS_TOKEN: ` ${env.sandbox.issueToken()}\n` };
  assertEquals((await env.runWith({ env: variables }, "ls", "General")).code, 0);
  for await (const { name } of Deno.readDir(env.sandbox.env.GRAPH_SCRIPTS_HOME!)) {
    throw new Error(`left ${name}`);
  }
  assertEquals((await env.runWith({ env: { GRAPH_ACCESS_TOKEN: "two\nlines" } }, "ls")).code, 2);
  const { code, stderr } = await env.runWith({ env: { GRAPH_ACCESS_TOKEN: "not-a-token" } }, "ls");
  assertEquals(code, 4);
  assertStringIncludes(stderr, "does not accept GRAPH_ACCESS_TOKEN");
});

Deno.test("scripts request permissions by their full names in national clouds (PROTOCOL 12b)", async () => {
  await using env = await startTestEnv({ signIn: false });
  const bodies: string[] = [];
  const origins = {
    usgov: "https://graph.microsoft.us",
    usdod: "https://dod-graph.microsoft.us",
    china: "https://microsoftgraph.chinacloudapi.cn",
  };
  const caches = new Set<string>();
  for (const [cloud, origin] of Object.entries(origins)) {
    const connection = await connect({
      access: "read",
      settings: {
        cloud,
        clientId: env.sandbox.env.GRAPH_CLIENT_ID!,
        tenantId: env.sandbox.env.GRAPH_TENANT_ID!,
        home: env.folder,
      },
      showDeviceCode: () => {},
      notice: () => {},
      http: {
        fetch: async (input, init) => {
          bodies.push(`${new URL(String(input)).origin} ${await new Response(init?.body).text()}`);
          return Response.json({
            error: "invalid_request",
            error_description: "AADSTS90038: elsewhere",
            error_codes: [90038],
          }, { status: 400 });
        },
      },
    });
    caches.add(connection.settings.tokenCache);
    const error = await connection.session.token().then(() => undefined, (error) => error);
    assertEquals([error.exitCode, error.code], [2, "AADSTS90038"]);
    assertStringIncludes(error.hint, "GRAPH_CLOUD");
    assertStringIncludes(bodies.at(-1)!, encodeURIComponent(`${origin}/Files.Read`));
    assert(!bodies.at(-1)!.startsWith("https://login.microsoftonline.com"));
  }
  assertEquals(caches.size, 3);
});
