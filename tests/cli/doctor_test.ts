/** The doctor, `whoami --check`: findings, exit codes, and no changes. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { diagnose } from "../../lib/cli/doctor/diagnose.ts";
import { jsonLines, type ProcessResult, startTestEnv, type TestEnv } from "../test_env.ts";

const windows = Deno.build.os === "windows";

interface Finding {
  check: string;
  status: "ok" | "warn" | "fail";
  detail: string;
  hint: string | null;
}

const CHECKS = ["settings", "cache", "sign-in", "hosts", "clock"];

/** Runs the doctor and gives access to its findings by check. */
async function check(
  env: TestEnv,
  variables: Record<string, string> = {},
  ...args: string[]
): Promise<
  ProcessResult & { findings: Finding[]; worst(check: string): string; says(check: string): string }
> {
  const ended = await env.runWith({ env: variables }, "whoami", "--check", "--json", ...args);
  const findings = jsonLines<Finding & Record<string, unknown>>(ended.stdout);
  const of = (check: string) => findings.filter((finding) => finding.check === check);
  return {
    ...ended,
    findings,
    /** The worst status of a check. */
    worst: (check) =>
      ["fail", "warn", "ok"].find((status) => of(check).some((one) => one.status === status)) ?? "none",
    /** The details and hints of a check, each on a line. */
    says: (check) => of(check).map(({ detail, hint }) => `${detail}; ${hint}`).join("\n"),
  };
}

/** Properties of every file of a folder, to detect any change. */
async function files(folder: string): Promise<string[]> {
  const describe = async (path: string) => {
    const { ino, mode, mtime, ctime } = await Deno.lstat(path);
    return [path, ino, mode, mtime?.getTime(), ctime?.getTime()].join(" ");
  };
  const all = [await describe(folder)]; // its modification time reveals a temporary file
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    all.push(...isDirectory ? await files(path) : [await describe(path)]);
  }
  return all.toSorted();
}

const home = (env: TestEnv) => env.sandbox.env.GRAPH_SCRIPTS_HOME!;

async function cachePath(env: TestEnv): Promise<string> {
  for await (const { name } of Deno.readDir(home(env))) {
    if (name.endsWith(".json")) return join(home(env), name);
  }
  throw new Error("no token cache");
}

/** Changes all access tokens in the cache. */
async function changeTokens(env: TestEnv, changes: Record<string, string>): Promise<void> {
  const path = await cachePath(env);
  const content = JSON.parse(await Deno.readTextFile(path));
  for (const token of Object.values<object>(content.AccessToken)) Object.assign(token, changes);
  await Deno.writeTextFile(path, JSON.stringify(content));
}

const seconds = (days: number) => `${Math.round(Date.now() / 1000 - days * 86_400)}`;

Deno.test("whoami --check passes without changing or refreshing anything", async () => {
  await using env = await startTestEnv();
  assertEquals((await env.run("ls", "General")).code, 0);
  const before = [await files(home(env)), await files(env.folder)];
  const sent = env.sandbox.requests.length;

  const { code, stdout, stderr, findings, says } = await check(env);

  assertEquals([code, stderr], [0, ""]);
  for (const line of jsonLines(stdout)) {
    assertEquals(Object.keys(line), ["check", "status", "detail", "hint"]);
    assertEquals(line.hint === null, line.status === "ok", JSON.stringify(line));
  }
  assertEquals(
    findings.map(({ check, status }) => `${check} ${status}`),
    CHECKS.map((check) => `${check} ok`),
  );
  assertMatch(says("settings"), /^cloud global \(config file or default\), clientId \S+ \(environment\)/);
  assertMatch(says("cache"), /, plaintext; null$/);
  assertMatch(says("sign-in"), /^AdeleV@contoso\.com, tenant \S+, last refreshed 0 h ago;/);
  assertMatch(says("sign-in"), /put and put-large will request Files\.ReadWrite\.All;/);
  assertMatch(says("sign-in"), /Graph accepts the token of Adele Vance/);
  assertEquals([await files(home(env)), await files(env.folder)], before);
  const requests = env.sandbox.requests.slice(sent);
  assertEquals([...new Set(requests.map(({ method }) => method))], ["GET"]);
  for (const { service, headers, path } of requests) {
    const isMe = service === "graph" && /^\/v1\.0\/me\b/.test(path);
    assertEquals(headers.authorization !== undefined, isMe, path);
  }
});

Deno.test("whoami --check prints a line per finding; --quiet hides what passed", async () => {
  await using env = await startTestEnv();

  const { code, stdout } = await env.run("whoami", "--check");
  const quiet = await env.run("whoami", "--check", "--quiet");

  assertEquals(code, 0);
  const lines = stdout.trim().split("\n");
  for (const line of lines) assertMatch(line, /^(ok {3}|warn |fail )[a-z-]+ +\S/);
  assertEquals(lines.length, CHECKS.length);
  assertEquals(quiet.stdout, "");
});

Deno.test("whoami --check never signs in, even with --prompt, and checks the rest", async () => {
  await using env = await startTestEnv({ signIn: false });

  const { code, stderr, worst, says } = await check(env, {}, "--prompt");

  assertEquals([code, stderr], [4, ""]);
  assertEquals(["cache", "sign-in", "hosts"].map(worst), ["ok", "fail", "ok"]);
  assertMatch(says("sign-in"), /sign in once, in a terminal, with: scripts\/whoami\.ts/);
  assertEquals(env.sandbox.requests.filter(({ method }) => method !== "GET"), []);
  assertEquals((await files(home(env))).length, 1); // the folder itself
});

Deno.test("whoami --check neither refreshes nor uses an expired token", async () => {
  await using env = await startTestEnv();
  await changeTokens(env, { expires_on: seconds(0.1) });
  const before = await files(home(env));
  const sent = env.sandbox.requests.length;

  const expired = await check(env);

  assertEquals([expired.code, expired.worst("sign-in")], [0, "warn"]);
  assertMatch(expired.says("sign-in"), /Graph was not asked: no valid token has User\.Read/);
  assertEquals(await files(home(env)), before);
  assert(env.sandbox.requests.slice(sent).every(({ headers }) => headers.authorization === undefined));
});

Deno.test("whoami --check warns before an unused sign-in expires", async () => {
  await using env = await startTestEnv();
  for (const [days, status, code] of [[80, "warn", 0], [91, "fail", 4]] as const) {
    await changeTokens(env, { cached_at: seconds(days) });
    const result = await check(env);
    assertEquals([result.worst("sign-in"), result.code], [status, code]);
    assertMatch(result.says("sign-in"), new RegExp(`last refreshed ${days} days ago`));
  }
});

Deno.test("whoami --check derives the exit code from the first failure", async () => {
  await using env = await startTestEnv();
  const me = { service: "graph" as const, path: "/v1.0/me", times: "always" as const };
  env.sandbox.addFault({ ...me, status: 503, headers: { "retry-after": "60" } });
  assertEquals((await check(env)).code, 8);
  env.sandbox.clearFaults();
  env.sandbox.addFault({ ...me, status: 403, body: { error: { code: "accessDenied" } } });
  const elsewhere = { GRAPH_LOGIN_ORIGIN: "https://127.0.0.1:8999" }; // nothing listens there
  const tokenCache = { GRAPH_TOKEN_CACHE: await cachePath(env) };
  const refused = await check(env, { ...elsewhere, ...tokenCache });
  assertEquals([refused.code, refused.worst("sign-in"), refused.worst("hosts")], [5, "fail", "fail"]);
  env.sandbox.clearFaults();
  env.sandbox.expireAccessTokens();
  const expired = await check(env, { ...elsewhere, ...tokenCache });
  assertEquals([expired.code, expired.worst("sign-in"), expired.worst("hosts")], [4, "fail", "fail"]);
  assertMatch(expired.says("sign-in"), /Graph does not accept the cached token \(tokenRefused\)/);
});

Deno.test("whoami --check ends at an invalid setting, and says where the valid ones come from", async () => {
  await using env = await startTestEnv();
  const invalid: Record<string, string>[] = [
    { GRAPH_CLOUD: "moon" },
    { GRAPH_API_ORIGIN: "https://name:pass@graph.example/" },
    { GRAPH_CLIENT_ID: "" },
    { GRAPH_SCRIPTS_HOME: "", HOME: "" },
  ];
  for (const variables of invalid) {
    const { code, stdout, findings } = await check(env, variables);
    assertEquals([code, findings.map(({ check, status }) => `${check} ${status}`)], [2, ["settings fail"]]);
    assertEquals(stdout.includes("pass@"), false);
  }
  await Deno.writeTextFile(join(home(env), "graph-scripts.json"), '{"account": "AdeleV@contoso.com"}');
  const { says } = await check(env, {}, "--cloud", "global");
  assertMatch(
    says("settings"),
    /cloud global \(--cloud\), .* account AdeleV@contoso\.com \(config file or default\)/,
  );
});

Deno.test("whoami --check reports an unusable cache and leaves it unchanged", async () => {
  await using env = await startTestEnv();
  const path = await cachePath(env);
  const key = { GRAPH_TOKEN_CACHE_KEY: "5a".repeat(32) };
  const good = await Deno.readTextFile(path);
  const leaves = async (
    status: string,
    code: number,
    says: RegExp,
    variables: Record<string, string> = {},
  ) => {
    const before = await files(home(env));
    const result = await check(env, variables);
    assertEquals([result.worst("cache"), result.code], [status, code], result.stdout);
    assertMatch(result.says("cache"), says);
    assertEquals(await files(home(env)), before);
    return result;
  };
  await leaves("warn", 0, /plaintext.*the next sign-in or refresh encrypts the file/, key);
  await Deno.writeTextFile(path, "not JSON");
  await leaves("fail", 2, /is not a token cache.*delete it/);
  await Deno.writeTextFile(path, good);
  assertEquals((await env.runWith({ env: key }, "whoami")).code, 0);
  const encrypted = await leaves("ok", 0, /, encrypted;/, key);
  assertMatch(encrypted.says("sign-in"), /Graph accepts the token/);
  const locked = await leaves("fail", 2, /is encrypted, (and|but) no key is set/);
  assertEquals([locked.worst("sign-in"), locked.worst("hosts")], ["none", "ok"]);
  await leaves("fail", 2, /cannot be decrypted with the key/, { GRAPH_TOKEN_CACHE_KEY: "a5".repeat(32) });
  if (windows) return;
  await Deno.chmod(path, 0o644);
  await leaves("fail", 5, /can be read by other users.*chmod 600/, key);
  await Deno.chmod(path, 0o600);
  await Deno.chmod(home(env), 0o777);
  await leaves("fail", 5, /may write to the folder.*chmod go-w/, key);
  await Deno.chmod(home(env), 0o700);
  if (Deno.uid() !== 0) return;
  await Deno.chown(path, 65534, 65534);
  await leaves("fail", 5, /belongs to another user/, key);
});

Deno.test("whoami --check reports a wrong clock, and ignores a response that a proxy repeats", async () => {
  await using env = await startTestEnv();
  const dated = (offset: number) => ({
    times: "always" as const,
    rewrite: <T extends { headers: Record<string, string> }>(response: T): T => ({
      ...response,
      headers: { ...response.headers, date: new Date(Date.now() + offset * 1000).toUTCString() },
    }),
  });
  for (const [offset, status, code] of [[50, "ok", 0], [-120, "ok", 0], [400, "fail", 2]] as const) {
    env.sandbox.clearFaults();
    env.sandbox.addFault(dated(offset));
    const { worst, says, code: exitCode } = await check(env);
    assertEquals([worst("clock"), exitCode], [status, code]);
    assertMatch(says("clock"), offset > 0 ? /s behind the service/ : /s ahead of the service/);
  }
  env.sandbox.clearFaults();
  env.sandbox.addFault({ service: "login", ...dated(-4000) });
  assertEquals((await check(env)).worst("clock"), "ok");
});

Deno.test("whoami --check recognizes a web page in place of the service, and a wrong tenant", async () => {
  await using env = await startTestEnv();
  const page = { times: "always" as const, status: 200, body: "<html>Welcome to our hotel</html>" };
  env.sandbox.addFault({ ...page, service: "login", headers: { "content-type": "text/html" } });
  const hotel = await check(env);
  assertEquals([hotel.code, hotel.worst("hosts")], [8, "fail"]);
  assertMatch(hotel.says("hosts"), /sign-in page of your network/);
  env.sandbox.clearFaults();
  env.sandbox.addFault({
    service: "login",
    status: 400,
    body: { error: "invalid_tenant", error_description: "AADSTS90002: no", error_codes: [90002] },
  });
  const tenant = await check(env);
  assertEquals([tenant.code, tenant.worst("hosts")], [2, "fail"]);
  assertMatch(tenant.says("hosts"), /AADSTS90002/);
});

Deno.test("whoami --check checks GRAPH_ACCESS_TOKEN instead of the cache", async () => {
  await using env = await startTestEnv();
  const good = await check(env, { GRAPH_ACCESS_TOKEN: env.sandbox.issueToken() });
  assertEquals([good.code, good.worst("sign-in")], [0, "ok"]);
  assertMatch(good.says("cache"), /^not used/);
  assertMatch(good.says("sign-in"), /GRAPH_ACCESS_TOKEN valid until/);
  const expired = await check(env, { GRAPH_ACCESS_TOKEN: env.sandbox.issueToken({ lifeSeconds: -10 }) });
  assertEquals([expired.code, expired.worst("sign-in")], [4, "fail"]);
  const files = await check(env, { GRAPH_ACCESS_TOKEN: env.sandbox.issueToken({ scopes: ["Files.Read"] }) });
  assertEquals(files.code, 0);
  assertMatch(files.says("sign-in"), /permissions: Files\.Read;/);
  const none = await check(env, { GRAPH_ACCESS_TOKEN: "Bearer x y" });
  assertEquals([none.code, none.worst("sign-in"), none.worst("hosts")], [2, "fail", "ok"]);
});

Deno.test("whoami --check reads the credential of an app, and sends it nowhere", async () => {
  await using env = await startTestEnv({ signIn: false });
  const secret = await env.file("secret", "the-secret-of-the-app-1234567890");
  if (!windows) await Deno.chmod(secret, 0o600);
  const before = await files(home(env));
  const { code, stdout, worst, says } = await check(env, { GRAPH_CLIENT_SECRET_FILE: secret });
  assertEquals([code, worst("cache"), worst("sign-in")], [0, "ok", "ok"]);
  assertMatch(says("sign-in"), /^app-only, with the secret of GRAPH_CLIENT_SECRET_FILE;/);
  assertEquals(stdout.includes("the-secret-of"), false);
  assertEquals(await files(home(env)), before);
  const missing = await check(env, { GRAPH_CLIENT_SECRET_FILE: join(env.folder, "none") });
  assertEquals([missing.code === 0, missing.worst("sign-in")], [false, "fail"]);
  assertEquals(env.sandbox.requests.filter(({ method }) => method !== "GET"), []);
});

Deno.test("whoami --check names the variables of proxies and certificates that are set", async () => {
  await using env = await startTestEnv();
  const proxy = { HTTPS_PROXY: "http://name:word@127.0.0.1:9", DENO_TLS_CA_STORE: "system" };
  const { stdout, says } = await check(env, { ...proxy, no_proxy: "127.0.0.1" });
  assertMatch(says("hosts"), /can be reached; in force: HTTPS_PROXY, no_proxy, DENO_TLS_CA_STORE;/);
  assertEquals(/name:|word/.test(stdout), false);
});

Deno.test("whoami --check rejects other actions", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { code, stderr } = await env.run("whoami", "--check", "--sign-out");
  assertEquals(code, 2);
  assertMatch(stderr, /--check and --sign-out cannot be combined; see scripts\/whoami\.ts --help/);
});

Deno.test("whoami --check says how a proxy or a certificate helps when a host cannot be reached", async () => {
  await using env = await startTestEnv();
  const { code, says } = await check(env, { GRAPH_API_ORIGIN: "https://127.0.0.1:8999" });
  assertEquals(code, 8);
  assertMatch(
    says("hosts"),
    /cannot reach 127\.0\.0\.1:8999: .*refused.*\(network\);.*DENO_TLS_CA_STORE=system/,
  );
});

Deno.test("whoami --check ends when a host never responds, or never ends its response", async () => {
  await using env = await startTestEnv();
  for (const silent of [true, false]) {
    const odd: typeof fetch = (input, init) => {
      if (!String(input).endsWith("/me")) return fetch(input, init);
      const { signal } = init!;
      if (silent) {
        return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
      }
      // A byte now and then, so that no timeout between two chunks applies.
      const drip = new ReadableStream<Uint8Array>({
        start(body) {
          const timer = setInterval(() => body.enqueue(new Uint8Array([32])), 20);
          signal!.addEventListener("abort", () => {
            clearInterval(timer);
            body.error(signal!.reason);
          });
        },
      });
      return Promise.resolve(new Response(drip));
    };
    const variables = (name: string) => env.sandbox.env[name];
    const found: string[] = [];
    for await (
      const { finding } of diagnose({
        explain: (error) => error,
        settingOptions: {},
        http: { fetch: odd, maxWaitMs: 0 },
        env: variables,
      })
    ) {
      found.push(`${finding.check} ${finding.status} ${finding.detail}`);
    }
    assertMatch(found.join("\n"), /^sign-in fail .*(silent for 2 s|no progress within 0 s)/m);
    assertEquals(found.filter((line) => line.startsWith("hosts ok")).length, 1);
  }
});
