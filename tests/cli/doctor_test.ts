/** The doctor, `whoami --check`: what it finds, how it ends, and that it changes nothing. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { HttpClient } from "../../lib/http/client.ts";
import { isGraphError } from "../../lib/errors.ts";
import { diagnose } from "../../lib/cli/doctor/diagnose.ts";
import { checkDeno } from "../../lib/cli/doctor/local_check.ts";
import { networkFinding } from "../../lib/cli/doctor/network_failure.ts";
import { checkProxy } from "../../lib/cli/doctor/proxy_check.ts";
import {
  denoRun,
  jsonLines,
  type ProcessResult,
  ROOT,
  runProcess,
  startTestEnv,
  type TestEnv,
} from "../test_env.ts";

const windows = Deno.build.os === "windows";

interface Finding {
  check: string;
  status: "ok" | "warn" | "fail";
  detail: string;
  hint: string | null;
}

const CHECKS = [
  ...["settings", "deno", "cache", "account", "token", "scopes"],
  ...["whoami", "ls", "get", "put", "put-large"].map((script) => `scopes-${script}`),
  ...["renewal", "uploads", "downloads", "proxy", "login", "graph", "clock", "me", "storage"],
];

/** Runs the doctor; its findings by their checks. */
async function check(
  b: TestEnv,
  env: Record<string, string> = {},
  ...args: string[]
): Promise<ProcessResult & { found: Record<string, Finding> }> {
  const ended = await b.runWith({ env }, "whoami", "--check", "--json", ...args);
  const findings = jsonLines<Finding & Record<string, unknown>>(ended.stdout);
  return { ...ended, found: Object.fromEntries(findings.map((finding) => [finding.check, finding])) };
}

/** Everything about every file of a folder that a change would change. */
async function files(folder: string): Promise<string[]> {
  const facts = async (path: string) => {
    const { ino, mode, mtime, ctime } = await Deno.lstat(path);
    return [path, ino, mode, mtime?.getTime(), ctime?.getTime()].join(" ");
  };
  const all = [await facts(folder)]; // its time tells of a file that came and went
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    all.push(...isDirectory ? await files(path) : [await facts(path)]);
  }
  return all.toSorted();
}

const home = (b: TestEnv) => b.sandbox.env.GRAPH_SCRIPTS_HOME!;

async function cachePath(b: TestEnv): Promise<string> {
  for await (const { name } of Deno.readDir(home(b))) if (name.endsWith(".json")) return join(home(b), name);
  throw new Error("no token cache");
}

/** Changes all access tokens in the cache. */
async function changeTokens(b: TestEnv, changes: Record<string, string>): Promise<void> {
  const path = await cachePath(b);
  const content = JSON.parse(await Deno.readTextFile(path));
  for (const token of Object.values<object>(content.AccessToken)) Object.assign(token, changes);
  await Deno.writeTextFile(path, JSON.stringify(content));
}

const seconds = (days: number) => `${Math.round(Date.now() / 1000 - days * 86_400)}`;

Deno.test("all is well: every check is ok or says what is to come, and nothing is changed or renewed", async () => {
  await using b = await startTestEnv();
  assertEquals((await b.run("ls", "General")).code, 0);
  const before = [await files(home(b)), await files(b.folder)];
  const sent = b.sandbox.requests.length;
  const { code, stdout, stderr, found } = await check(b);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(jsonLines(stdout).map(({ check }) => check), CHECKS);
  for (const line of jsonLines(stdout)) {
    assertEquals(Object.keys(line), ["check", "status", "detail", "hint"]);
    assertEquals(line.hint === null, line.status === "ok", JSON.stringify(line));
  }
  assertEquals(Object.values(found).filter(({ status }) => status === "fail"), []);
  assertMatch(found.settings!.detail, /clientId \S+ \(environment\).*cloud global \(default\)/);
  assertMatch(found.cache!.detail, /mode 0600, in clear, accounts: AdeleV@contoso\.com$/);
  assertMatch(found.token!.detail, /^good until 20\S+Z, for (1:00:00|59:\d\d)$/);
  assertEquals(found["scopes-ls"]!.detail, "own OneDrive: granted; beyond: granted");
  assertMatch(found["scopes-put"]!.detail, /beyond: asks for Files\.ReadWrite\.All$/);
  assertMatch(found.renewal!.detail, /last renewed 0 h ago; by estimate the sign-in ends in \d\d days/);
  assertMatch(found.me!.detail, /Adele Vance/);
  assertEquals([await files(home(b)), await files(b.folder)], before);
  const requests = b.sandbox.requests.slice(sent);
  assertEquals([...new Set(requests.map(({ method }) => method))], ["GET"]);
  for (const { service, headers, path } of requests) {
    assertEquals(
      headers.authorization !== undefined,
      service === "graph" && /^\/v1\.0\/me\b/.test(path),
      path,
    );
  }
});

Deno.test("as text: a line a finding, with its hint; --quiet leaves out what is well", async () => {
  await using b = await startTestEnv();
  const { code, stdout } = await b.run("whoami", "--check");
  assertEquals(code, 0);
  const lines = stdout.trim().split("\n");
  assertEquals(lines.length, CHECKS.length);
  for (const line of lines) assertMatch(line, /^(ok {3}|warn |fail )[a-z-]+ +\S/);
  const quiet = (await b.run("whoami", "--check", "--quiet")).stdout.trim().split("\n");
  assertEquals(quiet, lines.filter((line) => !line.startsWith("ok ")));
  assert(quiet.every((line) => line.includes("; ")), quiet.join("\n"));
});

Deno.test("without a sign-in nobody is asked, not even with --prompt, and all else is checked", async () => {
  await using b = await startTestEnv({ signIn: false });
  const { code, stderr, found } = await check(b, {}, "--prompt");
  assertEquals([code, stderr], [4, ""]);
  assertEquals([found.cache?.status, found.account?.status, found.me?.status], ["fail", "fail", "warn"]);
  assertMatch(found.account!.hint!, /sign in once, in a terminal, with: scripts\/whoami\.ts/);
  assertEquals([found.login?.status, found.graph?.status, found.storage?.status], ["ok", "ok", "ok"]);
  assertEquals(b.sandbox.requests.filter(({ method }) => method !== "GET"), []);
  assertEquals((await files(home(b))).length, 1); // the folder itself
});

Deno.test("an expired token is not renewed, and not used", async () => {
  await using b = await startTestEnv();
  await changeTokens(b, { expires_on: seconds(0.1) });
  const before = await files(home(b));
  const sent = b.sandbox.requests.length;
  const { code, found } = await check(b);
  assertEquals(code, 0);
  assertMatch(found.token!.detail, /^expired at 20.*the next script that needs one renews it$/);
  assertEquals([found.token!.status, found.me!.status], ["ok", "warn"]);
  assertEquals(await files(home(b)), before);
  assert(b.sandbox.requests.slice(sent).every(({ headers }) => headers.authorization === undefined));
});

Deno.test("the token of another script serves when that of whoami has expired", async () => {
  await using b = await startTestEnv();
  await changeTokens(b, { expires_on: seconds(0.1) });
  assertEquals((await b.run("ls", "General")).code, 0);
  const { code, found } = await check(b);
  assertEquals([code, found.me!.status, found.token!.status], [0, "ok", "ok"]);
  assertMatch(found.me!.detail, /^Graph accepts the token/);
});

Deno.test("a sign-in that is not used for long is told before it dies", async () => {
  await using b = await startTestEnv();
  for (const [days, status, code] of [[70, "ok", 0], [80, "warn", 0], [91, "fail", 4]] as const) {
    await changeTokens(b, { cached_at: seconds(days) });
    const ended = await check(b);
    assertEquals([ended.found.renewal!.status, ended.code], [status, code]);
    assertMatch(ended.found.renewal!.detail, new RegExp(`last renewed ${days} days ago; by estimate`));
  }
});

Deno.test("what Graph says to the token decides the exit code, sign-in first, then refusal, network, usage", async () => {
  await using b = await startTestEnv();
  const me = { service: "graph" as const, path: "/v1.0/me", times: "always" as const };
  b.sandbox.addFault({ ...me, status: 503, headers: { "retry-after": "60" } });
  assertEquals((await check(b)).code, 8);
  b.sandbox.clearFaults();
  b.sandbox.addFault({ ...me, status: 403, body: { error: { code: "accessDenied" } } });
  const refused = await check(b, { GRAPH_STORAGE_HOSTS: "127.0.0.1:8999" }); // nobody listens: 8, which comes later
  assertEquals([refused.code, refused.found.me!.status, refused.found.storage!.status], [5, "fail", "fail"]);
  b.sandbox.clearFaults();
  b.sandbox.expireAccessTokens();
  const ended = await check(b, { GRAPH_STORAGE_HOSTS: "127.0.0.1:8999", GRAPH_CLOUD: "moon" });
  assertEquals(ended.code, 4);
  assertEquals([ended.found.settings, ended.found.storage].map((one) => one!.status), ["fail", "fail"]);
  assertEquals(ended.found.me!.detail, "Graph does not accept the cached token (tokenRefused)");
});

Deno.test("each setting that cannot be meant is told, and the rest is checked without it", async () => {
  await using b = await startTestEnv();
  const env = {
    GRAPH_CLOUD: "moon",
    GRAPH_API_ORIGIN: "https://name:pass@graph.example/",
    HTTPS_PROXY: "http://127.0.0.1:8999", // nobody listens: the cloud's own hosts cannot be reached
  };
  const { code, stdout } = await b.runWith({ env: { ...env, GRAPH_CLIENT_ID: "x" } }, "whoami", "--check");
  assertEquals(code, 8);
  assertEquals(stdout.match(/^fail settings/gm)?.length, 4);
  assertEquals(stdout.includes("pass@"), false);
  assertMatch(stdout, /^warn account +not known; mend the findings above first$/m);
  await Deno.writeTextFile(join(home(b), "graph-scripts.json"), "{");
  const broken = await check(b);
  assertEquals([broken.code, broken.found.me!.status], [2, "ok"]);
  assertMatch(broken.found.settings!.detail, /graph-scripts\.json: not JSON/);
  await Deno.writeTextFile(join(home(b), "graph-scripts.json"), '{"account": "AdeleV@contoso.com"}');
  const mended = await check(b, {}, "--cloud", "global");
  assertMatch(
    mended.found.settings!.detail,
    /cloud global \(--cloud\), account AdeleV@contoso\.com \(config file\)/,
  );
  const homeless = await check(b, { GRAPH_SCRIPTS_HOME: "", HOME: "" });
  assertEquals([homeless.code, homeless.found.uploads!.status, homeless.found.login!.status], [
    2,
    "warn",
    "ok",
  ]);
});

Deno.test("a cache that scripts would set aside, encrypt or refuse is told and left as it is", async () => {
  await using b = await startTestEnv();
  const path = await cachePath(b);
  const key = { GRAPH_TOKEN_CACHE_KEY: "5a".repeat(32) };
  const good = await Deno.readTextFile(path);
  const leaves = async (status: string, code: number, says: RegExp, env: Record<string, string> = {}) => {
    const before = await files(home(b));
    const ended = await check(b, env);
    assertEquals([ended.found.cache!.status, ended.code], [status, code], ended.stdout);
    assertMatch(`${ended.found.cache!.detail}; ${ended.found.cache!.hint}`, says);
    assertEquals(await files(home(b)), before);
    return ended.found;
  };
  await leaves("warn", 0, /in clear.*the next run that uses the cache encrypts it/, key);
  await Deno.writeTextFile(path, "not JSON");
  await leaves("fail", 4, /could not be understood; sign in again/);
  await Deno.writeTextFile(path, good);
  assertEquals((await b.runWith({ env: key }, "whoami")).code, 0);
  const encrypted = await leaves("ok", 0, /encrypted, opened with the key of GRAPH_TOKEN_CACHE_KEY/, key);
  assertEquals(encrypted.me!.status, "ok");
  const locked = await leaves("fail", 2, /is encrypted, and no key is set/);
  assertEquals([locked.account!.status, locked.account!.detail], ["warn", "not known"]);
  await leaves("fail", 2, /another key/, { GRAPH_TOKEN_CACHE_KEY: "a5".repeat(32) });
  if (windows) return;
  await Deno.chmod(path, 0o644);
  await leaves("fail", 5, /can be read by other users.*chmod 600/, key);
  await Deno.chmod(path, 0o600);
  await Deno.chmod(home(b), 0o777);
  await leaves("fail", 5, /may write to the folder.*chmod go-w/, key);
  await Deno.chmod(home(b), 0o700);
  if (Deno.uid() !== 0) return;
  await Deno.chown(path, 65534, 65534);
  await leaves("fail", 5, /belongs to another user/, key);
});

Deno.test("a clock that goes wrong is told; an answer that a proxy kept does not count", async () => {
  await using b = await startTestEnv();
  const dated = (offset: number) => ({
    times: "always" as const,
    rewrite: <T extends { headers: Record<string, string> }>(answer: T): T => ({
      ...answer,
      headers: { ...answer.headers, date: new Date(Date.now() + offset * 1000).toUTCString() },
    }),
  });
  for (const [offset, status, code] of [[50, "ok", 0], [-120, "warn", 0], [400, "fail", 2]] as const) {
    b.sandbox.clearFaults();
    b.sandbox.addFault(dated(offset));
    const ended = await check(b);
    assertEquals([ended.found.clock!.status, ended.code], [status, code]);
    assertMatch(
      ended.found.clock!.detail,
      offset > 0 ? /s behind the service's/ : /s ahead of the service's/,
    );
  }
  b.sandbox.clearFaults();
  b.sandbox.addFault({ service: "login", ...dated(-4000) });
  assertEquals((await check(b)).found.clock!.status, "ok");
});

Deno.test("a page of the network in place of the service is no service", async () => {
  await using b = await startTestEnv();
  const page = { times: "always" as const, status: 200, body: "<html>Welcome to our hotel</html>" };
  b.sandbox.addFault({ ...page, service: "login", headers: { "content-type": "text/html" } });
  const { code, found } = await check(b);
  assertEquals([code, found.login!.status], [8, "fail"]);
  assertMatch(found.login!.hint!, /sign-in page of your network/);
  b.sandbox.clearFaults();
  b.sandbox.addFault({
    service: "login",
    status: 400,
    body: { error: "invalid_tenant", error_description: "AADSTS90002: no", error_codes: [90002] },
  });
  const tenant = await check(b);
  assertEquals([tenant.code, tenant.found.login!.status], [2, "fail"]);
  assertMatch(tenant.found.login!.detail, /there is no such tenant \(AADSTS90002/);
});

Deno.test("a token from outside is checked, and no cache is looked at", async () => {
  await using b = await startTestEnv();
  const good = await check(b, { GRAPH_ACCESS_TOKEN: b.sandbox.issueToken() });
  assertEquals(good.code, 0);
  assertMatch(good.found.cache!.detail, /^not used/);
  assertEquals(good.found["scopes-put-large"]!.status, "ok");
  assertMatch(good.found.account!.detail, /by GRAPH_ACCESS_TOKEN/);
  const dead = await check(b, { GRAPH_ACCESS_TOKEN: b.sandbox.issueToken({ lifeSeconds: -10 }) });
  assertEquals([dead.code, dead.found.token!.status, dead.found.me!.status], [4, "fail", "fail"]);
  const files = await check(b, { GRAPH_ACCESS_TOKEN: b.sandbox.issueToken({ scopes: ["Files.Read"] }) });
  assertEquals([files.code, files.found.me!.status], [0, "ok"]);
  assertMatch(files.found.me!.detail, /accepts the token, which does not let it tell whose it is/);
  const none = await check(b, { GRAPH_ACCESS_TOKEN: "Bearer x y" });
  assertEquals([none.code, none.found.token!.status, none.found.login!.status], [2, "fail", "ok"]);
});

Deno.test("an app by itself needs no person, and its credential is checked", async () => {
  await using b = await startTestEnv({ signIn: false });
  const secret = await b.file("secret", "the-secret-of-the-app-1234567890");
  if (!windows) await Deno.chmod(secret, 0o600);
  const env = { GRAPH_CLIENT_SECRET_FILE: secret };
  const before = await files(home(b));
  const { code, stdout, found } = await check(b, env);
  assertEquals([code, found.account!.status, found.cache!.status], [0, "ok", "ok"]);
  assertMatch(found.account!.detail, /^the app by itself, with the secret of GRAPH_CLIENT_SECRET_FILE$/);
  assertEquals(stdout.includes("the-secret-of"), false);
  assertEquals(await files(home(b)), before);
  const missing = await check(b, { GRAPH_CLIENT_SECRET_FILE: join(b.folder, "none") });
  assertEquals([missing.code === 0, missing.found.account!.status], [false, "fail"]);
  assertEquals(b.sandbox.requests.filter(({ method }) => method !== "GET"), []);
});

Deno.test("unfinished transfers are counted, not touched", async () => {
  await using b = await startTestEnv();
  const names = ["0".repeat(32), "1".repeat(32)];
  for (const [folder, count] of [["uploads", 1], ["downloads", 2]] as const) {
    await Deno.mkdir(join(home(b), folder), { mode: 0o700 });
    for (const name of names.slice(0, count)) {
      await Deno.writeTextFile(join(home(b), folder, `${name}.json`), "odd");
    }
  }
  const before = await files(home(b));
  const { found } = await check(b);
  assertMatch(found.uploads!.detail, /^1 unfinished/);
  assertMatch(found.downloads!.detail, /^2 unfinished/);
  assertEquals(await files(home(b)), before);
});

Deno.test("storage hosts that nobody knows are not guessed", async () => {
  await using b = await startTestEnv();
  const { code, found } = await check(b, { GRAPH_STORAGE_HOSTS: "", GRAPH_SITE: "", GRAPH_SITE_HOST: "" });
  assertEquals([code, found.storage!.status], [0, "warn"]);
  assertMatch(found.storage!.detail, /which of \*\.sharepoint\.com.* is not known/);
});

Deno.test("proxies are told without credentials; which cannot be read is told as well", async () => {
  await using b = await startTestEnv();
  const env = {
    HTTPS_PROXY: "http://name:word@127.0.0.1:9",
    no_proxy: "127.0.0.1",
    DENO_TLS_CA_STORE: "system",
  };
  const { found, stdout } = await check(b, env);
  assertEquals(
    found.proxy!.detail,
    "HTTPS_PROXY=http://127.0.0.1:9 (with credentials), no_proxy=127.0.0.1, DENO_TLS_CA_STORE=system",
  );
  assertEquals(/name:|word/.test(stdout), false);
  const odd = checkProxy((name) => name === "HTTPS_PROXY" ? "http://user:word@[bad" : undefined).finding;
  assertEquals([odd.status, odd.detail.includes("word")], ["warn", false]);

  const flags = [
    "--allow-net=127.0.0.1",
    "--allow-env=GRAPH_*,HOME,XDG_CONFIG_HOME,XDG_STATE_HOME",
    "-RW",
    "-S=uid",
  ];
  const line = denoRun(...flags, join(ROOT, "scripts/whoami.ts"), "--check");
  const narrow = await runProcess(line, {
    env: { ...b.sandbox.env, ...env },
    cwd: b.folder,
  });
  assertEquals(narrow.code, 0, narrow.stderr);
  assertMatch(
    narrow.stdout,
    /^warn proxy +not known: this program may not read HTTPS_PROXY.*; run it with --allow-env=/m,
  );
});

Deno.test("why a host cannot be reached: name, certificate, proxy, nobody there", async () => {
  const http = new HttpClient();
  const reason = async (url: string) => {
    try {
      await http.send({ method: "GET", url, retry: "never", headerTimeoutMs: 5000 });
      throw new Error("it answered");
    } catch (error) {
      if (!isGraphError(error)) throw error;
      return networkFinding("x", error).finding;
    }
  };
  assertMatch((await reason("https://nonexistent.invalid/")).detail, /\((name|proxy)\)$/);
  assertMatch((await reason("https://127.0.0.1:8999/")).detail, /refused.*\(connection\)$/);

  const folder = await Deno.makeTempDir();
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const made = await new Deno.Command("openssl", {
      args: ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "1"]
        .concat("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
      stdout: "null",
      stderr: "null",
    }).output().then(({ success }) => success, () => false);
    if (!made) return; // no openssl here to make a certificate with
    const server = Deno.serve(
      {
        port: 0,
        hostname: "127.0.0.1",
        onListen: () => {},
        key: await Deno.readTextFile(key),
        cert: await Deno.readTextFile(cert),
      },
      () => new Response("hello"),
    );
    try {
      const { detail, hint } = await reason(`https://127.0.0.1:${server.addr.port}/`);
      assertMatch(detail, /\(certificate\)$/);
      assertMatch(hint!, /DENO_TLS_CA_STORE=system/);
    } finally {
      await server.shutdown();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a Deno older than the supported one is told", () => {
  const status = (version: string) => checkDeno(version).finding.status;
  assertEquals(["2.7.0", "2.10.1", "3.0.0", "2.6.9", "1.46.0"].map(status), [
    "ok",
    "ok",
    "ok",
    "warn",
    "warn",
  ]);
});

Deno.test("the doctor goes with no other work", async () => {
  await using b = await startTestEnv({ signIn: false });
  const { code, stderr } = await b.run("whoami", "--check", "--sign-out");
  assertEquals(code, 2);
  assertMatch(stderr, /--check and --sign-out do not go together/);
});

Deno.test("the doctor comes to its end when a host takes a request and says nothing, or does not end its answer", async () => {
  await using b = await startTestEnv();
  for (const silent of [true, false]) {
    const odd: typeof fetch = (input, init) => {
      if (!String(input).endsWith("/me")) return fetch(input, init);
      const { signal } = init!;
      if (silent) {
        return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
      }
      // A byte now and then: no time-out between two parts of a body ends it.
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
    const env = (name: string) => b.sandbox.env[name];
    const found: Record<string, string> = {};
    for await (const { finding } of diagnose({ flags: {}, http: { fetch: odd, maxWaitMs: 0 }, env })) {
      found[finding.check] = `${finding.status} ${finding.detail}`;
    }
    assertMatch(found.me!, /^fail .*(silent for 2 s|no progress within 0 s)/);
    assertMatch(found.login!, /^ok /);
    assert(found.storage);
  }
});
