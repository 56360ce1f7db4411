import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { join, toFileUrl } from "../../lib/std.ts";
import { connect } from "../../lib/connect.ts";
import { GraphError } from "../../lib/errors.ts";
import { type SettingName, SETTINGS } from "../../lib/settings.ts";
import { denoRun, jsonLines, ROOT, runProcess, startTestEnv, type TestEnv } from "../test_env.ts";
import { browse } from "../sandbox/testing_msal.ts";

/** Environment of an app by itself, with a credential in a private file. */
async function appWith(
  b: TestEnv,
  variable: "GRAPH_CLIENT_SECRET_FILE" | "GRAPH_CLIENT_CERTIFICATE_FILE",
  text: string,
): Promise<Record<string, string>> {
  const path = await b.file("credential", text);
  await Deno.chmod(path, 0o600);
  return { GRAPH_CLIENT_ID: b.sandbox.app.clientId, [variable]: path };
}

function tokenRequests(b: TestEnv): number {
  return b.sandbox.requests.filter(({ service, path }) => service === "login" && path.includes("/token"))
    .length;
}

Deno.test("an app signs in by itself with a secret, works with files, and keeps its token for the next run", async () => {
  await using b = await startTestEnv({ signIn: false });
  const env = await appWith(b, "GRAPH_CLIENT_SECRET_FILE", `${b.sandbox.app.clientSecret}\n`);
  const run = (...args: Parameters<TestEnv["run"]>) => b.runWith({ env }, ...args);
  const { code, stdout, stderr } = await run("whoami", "--json");
  assertEquals(code, 0, stderr);
  const [me] = jsonLines(stdout);
  assertEquals([me!.displayName, me!.id, me!.scopes], [
    null,
    b.sandbox.app.clientId,
    ["Files.ReadWrite.All", "Sites.ReadWrite.All"],
  ]);
  assertMatch((await run("whoami")).stdout, /^an app by itself, for no person\n/);
  assertEquals((await run("put", await b.file("a.txt", "a"), "General/")).code, 0);
  assertEquals((await run("get", "General/a.txt", "copy.txt")).code, 0);
  assertEquals((await run("ls", "--json", "General/a.txt")).code, 0);
  assertEquals(tokenRequests(b), 1, "the token was kept");
  b.sandbox.expireAccessTokens();
  assertEquals((await run("ls", "General")).code, 0);
  assertEquals(tokenRequests(b), 2, "a refused token is renewed");
  for await (const { name } of Deno.readDir(b.sandbox.env.GRAPH_SCRIPTS_HOME!)) {
    if (!name.startsWith("tokens-")) continue;
    const text = await Deno.readTextFile(join(b.sandbox.env.GRAPH_SCRIPTS_HOME!, name));
    assert(!text.includes(b.sandbox.app.clientSecret), "the secret is in the cache");
  }
});

Deno.test("an app signs in by itself with a certificate", async () => {
  await using b = await startTestEnv({ signIn: false });
  const { certificate, privateKey } = b.sandbox.app.newCertificate();
  for (const text of [certificate + privateKey, privateKey + certificate]) {
    const env = await appWith(b, "GRAPH_CLIENT_CERTIFICATE_FILE", text);
    const { code, stderr } = await b.runWith({ env }, "ls", "General");
    assertEquals(code, 0, stderr);
    b.sandbox.expireAccessTokens();
  }
});

/** Settings of a snippet, from the environment of a bench. */
function settingsOf(env: Record<string, string>): Partial<Record<SettingName, string>> {
  return Object.fromEntries(
    Object.entries(SETTINGS).flatMap(([name, { variable }]) => env[variable] ? [[name, env[variable]!]] : []),
  );
}

Deno.test("many requests of an app that are refused at once renew its token once, also one after another", async () => {
  await using b = await startTestEnv({ signIn: false });
  const env = await appWith(b, "GRAPH_CLIENT_SECRET_FILE", b.sandbox.app.clientSecret);
  const settings = settingsOf({ ...b.sandbox.env, ...env });
  const { session } = await connect({ settings, showDeviceCode: null, notice: () => {} });
  const refused = await session.token();
  const before = tokenRequests(b);
  const renewal = { claims: undefined, refused };
  const tokens = await Promise.all([1, 2, 3].map(() => session.token(renewal)));
  tokens.push(await session.token(renewal));
  assertEquals(new Set(tokens).size, 1);
  assert(!tokens.includes(refused));
  assertEquals(tokenRequests(b), before + 1);
});

Deno.test({
  name: "a credential that comes through a pipe lasts for a second token",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using b = await startTestEnv({ signIn: false });
    const file = await b.file(
      "run.ts",
      `
import { connect } from ${JSON.stringify(toFileUrl(join(ROOT, "lib", "connection.ts")).href)};
const { session } = await connect({ showDeviceCode: null });
const refused = await session.token();
const renewed = await session.token({ claims: undefined, refused });
console.log(renewed !== refused);
`,
    );
    const words = denoRun("-A", file).map((word) => `'${word}'`).join(" ");
    const script = `GRAPH_CLIENT_SECRET_FILE=<(printf %s "$SECRET") ${words}`;
    const { app, env } = b.sandbox;
    const ended = await runProcess(["bash", "-c", script], {
      env: { ...env, GRAPH_CLIENT_ID: app.clientId, SECRET: app.clientSecret },
    });
    assertEquals([ended.code, ended.stdout], [0, "true\n"], ended.stderr);
  },
});

Deno.test("an app has no OneDrive of its own, and nobody to sign out", async () => {
  await using b = await startTestEnv({ signIn: false });
  const env = await appWith(b, "GRAPH_CLIENT_SECRET_FILE", b.sandbox.app.clientSecret);
  const own = await b.runWith({ env }, "ls", "me:");
  assert(own.code !== 0);
  assertEquals(own.stderr.split("\n").length, 2);
  await b.runWith({ env }, "whoami");
  const out = await b.runWith({ env }, "whoami", "--sign-out");
  assertEquals(out.code, 2);
  assertMatch(out.stderr, /GRAPH_CLIENT_SECRET_FILE: there is no sign-in to forget/);
  const all = { GRAPH_CLIENT_ID: b.sandbox.app.clientId };
  assertEquals((await b.runWith({ env: all }, "whoami", "--sign-out", "--all")).code, 0);
  await b.runWith({ env }, "whoami");
  assertEquals(tokenRequests(b), 2, "the token of the app was forgotten");
});

Deno.test("wrong credentials each have their line, who can mend it, and never show the secret", async () => {
  await using b = await startTestEnv({ signIn: false });
  const { app } = b.sandbox;
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
      /not one of the app's.*Value \(not its Secret ID\).*for the app owner.*AADSTS7000215/,
    ],
    [secret, app.addSecret(-1), 5, /has expired.*make a new secret.*AADSTS7000222/],
    [secret, "", 2, /is empty/],
    [secret, "two words", 2, /is not one word/],
    [secret, "3f6c1b8e-52d4-4c0a-9a37-0d6d1f0f7e21", 2, /holds an id; copy the column Value/],
    [certificate, "nothing", 2, /holds no certificate in PEM form/],
    [certificate, mine.certificate, 2, /holds no private key/],
    [certificate, mine.certificate + encrypted, 2, /a private key with a pass phrase.*openssl pkcs8/],
    [certificate, mine.certificate + other.privateKey, 2, /holds a key that is not that of its certificate/],
    [certificate, old.certificate + old.privateKey, 2, /has expired: it was valid until 2021-01-01/],
    [
      certificate,
      `${mine.certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
      2,
      /cannot be read/,
    ],
  ];
  for (const [variable, text, code, line] of cases) {
    const env = await appWith(b, variable, text);
    const ended = await b.runWith({ env }, "ls", "General");
    assertEquals(ended.code, code, ended.stderr);
    assertMatch(ended.stderr, line);
    assertEquals(ended.stderr.split("\n").length, 2, "one line");
    if (text.length > 12) {
      assert(!ended.stderr.includes(text.slice(0, 60)) || text === "two words", "the secret is shown");
    }
  }
  const env = await appWith(b, secret, "x".repeat(40));
  if (Deno.build.os !== "windows") {
    await Deno.chmod(env[secret]!, 0o644);
    assertMatch((await b.runWith({ env }, "ls")).stderr, /can be read by other users.*chmod 600/);
  }
  const missing = { ...env, [secret]: join(b.folder, "nope") };
  assertMatch(
    (await b.runWith({ env: missing }, "ls")).stderr,
    /nope \(GRAPH_CLIENT_SECRET_FILE\) does not exist/,
  );
  const both = { ...env, [certificate]: join(b.folder, "nope") };
  assertMatch((await b.runWith({ env: both }, "ls")).stderr, /are both set; unset one of them/);
  const common = { ...env, GRAPH_TENANT_ID: "common" };
  if (Deno.build.os !== "windows") await Deno.chmod(env[secret]!, 0o600);
  assertMatch(
    (await b.runWith({ env: common }, "ls")).stderr,
    /set GRAPH_CLIENT_ID, and GRAPH_TENANT_ID to the id or domain/,
  );
});

/** Starts a sign-in with a browser and gives the address that it shows. */
async function addressShown(child: Deno.ChildProcess): Promise<{ address: string; rest: Promise<string> }> {
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/\nhttp\S+\n/.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`no address: ${text}`);
    text += value;
  }
  const rest = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return text;
      text += value;
    }
  })();
  return { address: /\n(http\S+)\n/.exec(text)![1]!, rest };
}

Deno.test("a person signs in with a browser of this machine, once, and is remembered", async () => {
  await using b = await startTestEnv({ signIn: false });
  const child = b.spawn("whoami", "--sign-in", "browser", "--prompt");
  const { address, rest } = await addressShown(child);
  const url = new URL(address);
  assertEquals(url.searchParams.get("code_challenge_method"), "S256");
  assertMatch(url.searchParams.get("redirect_uri")!, /^http:\/\/localhost:\d+/);
  await browse(address);
  const [status, out, err] = await Promise.all([child.status, new Response(child.stdout).text(), rest]);
  assertEquals(status.code, 0, err);
  assertMatch(out, /^Adele Vance </);
  const again = await b.run("whoami", "--no-prompt");
  assertEquals([again.code, again.stderr], [0, ""]);
});

Deno.test("a browser sign-in that is declined, blocked or interrupted says so and leaves nothing", async () => {
  await using b = await startTestEnv({ signIn: false });
  b.sandbox.person.stopAt(53003);
  const blocked = b.spawn("whoami", "--sign-in", "browser", "--prompt");
  const first = await addressShown(blocked);
  await browse(first.address);
  const [status, , err] = await Promise.all([
    blocked.status,
    new Response(blocked.stdout).text(),
    first.rest,
  ]);
  assertEquals(status.code, 5, err);
  assertMatch(err, /Conditional Access.*for the administrator.*AADSTS53003/);
  b.sandbox.person.stopAt(undefined);
  if (Deno.build.os === "windows") return;
  const interrupted = b.spawn("whoami", "--sign-in", "browser", "--prompt");
  const second = await addressShown(interrupted);
  interrupted.kill("SIGINT");
  const [ended, , text] = await Promise.all([
    interrupted.status,
    new Response(interrupted.stdout).text(),
    second.rest,
  ]);
  assertEquals(ended.code, 130, text);
  assertEquals((await b.run("whoami", "--no-prompt")).code, 4);
});

/** Sends bytes to a port as they are and reads the beginning of what comes back. */
async function raw(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  const bytes = new Uint8Array(64);
  return new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
}

Deno.test("whatever else comes to the port of a browser sign-in does not disturb it", async () => {
  await using b = await startTestEnv({ signIn: false });
  const child = b.spawn("whoami", "--sign-in", "browser", "--prompt");
  const { address, rest } = await addressShown(child);
  const shown = new URL(address).searchParams;
  const port = Number(new URL(shown.get("redirect_uri")!).port);
  const state = shown.get("state")!;
  const post = (body: string, host = `localhost:${port}`, type = "application/x-www-form-urlencoded") =>
    `POST / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-type: ${type}\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`;
  for (
    const [text, status] of [
      [`GET // HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`, 404],
      [`GET /?code=x&state=${state} HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`, 405],
      [post("error=access_denied&state=wrong"), 400],
      [post(`error=access_denied&state=wrong&state=${state}`), 400],
      [post(`state=${state}`), 400],
      [post("code=%E0%A4%A&state=%"), 400],
      [post(`error=access_denied&state=${state}`, "evil.example"), 404],
      [post(`error=access_denied&state=${state}`, undefined, "text/plain"), 415],
      [post(`error=access_denied&state=${state}`).replace(/(content-length: )\d+/, "$19999999"), 413],
    ] as const
  ) assertMatch(await raw(port, text), new RegExp(`^HTTP/1.1 ${status} `), text);
  using _silent = await Deno.connect({ hostname: "127.0.0.1", port });
  assertMatch(await browse(address), /You can close this page/);
  const [status, out, err] = await Promise.all([child.status, new Response(child.stdout).text(), rest]);
  assertEquals(status.code, 0, err);
  assertMatch(out, /^Adele Vance </);
});

Deno.test("a browser sign-in that is given up in a program of one's own closes its port", async () => {
  await using b = await startTestEnv({ signIn: false });
  const shown = Promise.withResolvers<string>();
  const stop = new AbortController();
  const { session } = await connect({
    settings: { ...settingsOf(b.sandbox.env), signIn: "browser" },
    showDeviceCode: () => {},
    showAddress: shown.resolve,
    notice: () => {},
    signal: stop.signal,
  });
  const ended = assertRejects(() => session.token());
  const port = Number(new URL(new URL(await shown.promise).searchParams.get("redirect_uri")!).port);
  stop.abort();
  const error = await ended;
  assert(error instanceof GraphError && error.kind === "interrupted");
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
});

Deno.test("ways to sign in that do not exist are refused, and without a terminal nobody is asked", async () => {
  await using b = await startTestEnv({ signIn: false });
  assertMatch(
    (await b.run("whoami", "--sign-in", "magic")).stderr,
    /unknown way to sign in "magic"; use device or browser/,
  );
  const { code, stderr } = await b.run("whoami", "--sign-in", "browser");
  assertEquals(code, 4);
  assertMatch(stderr, /not signed in/);
});
