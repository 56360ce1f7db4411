/** No token, code or pre-authenticated URL appears in any output, or in files other than cache and journal. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { basename, join } from "../../lib/std.ts";
import { SETTINGS } from "../../lib/settings.ts";
import { pseudoRandomBytes, type ScriptName, startTestEnv, type TestEnv } from "../test_env.ts";
import type { FaultRule } from "../sandbox/mod.ts";
import { browse } from "../sandbox/conformance/testing_msal.ts";
import { filesBelow, type Haystack, type Leak, leaksIn } from "./secret_scan.ts";

const UNIT = 327_680;
const SMALL = ["--fragment-size", "320KiB"];
const fragments = { service: "storage" as const, method: "PUT" };

/** Runs scripts in an environment and records all their output. */
class Watched {
  readonly printed: Haystack[] = [];
  readonly temporary: string;
  readonly #env: TestEnv;
  readonly #variables: Record<string, string>;

  constructor(env: TestEnv, variables: Record<string, string>, folder: string = env.folder) {
    this.#env = env;
    this.temporary = join(folder, "tmp");
    Deno.mkdirSync(this.temporary);
    this.#variables = { ...variables, TMPDIR: this.temporary };
  }

  /** Runs a script with text output and with JSON output, both verbose. */
  async run(script: ScriptName, ...args: string[]): Promise<number[]> {
    return [await this.once(script, ...args), await this.once(script, "--json", ...args)];
  }

  async once(script: ScriptName, ...args: string[]): Promise<number> {
    return await this.onceWith({}, script, ...args);
  }

  async onceWith(variables: Record<string, string>, script: ScriptName, ...args: string[]): Promise<number> {
    const line = ["--verbose", "--max-wait", "1s", ...args];
    const options = { env: { ...this.#variables, ...variables } };
    // Only a separate process reads TMPDIR.
    const ended = args.includes("--json")
      ? await this.#env.runProcessWith(options, script, ...line)
      : await this.#env.runWith(options, script, ...line);
    const from = [script, ...args].join(" ");
    this.printed.push({ from, text: ended.stdout }, { from, text: ended.stderr });
    return ended.code;
  }

  /** Starts a script and kills it once `happened()` is true. */
  async killed(happened: () => boolean, script: ScriptName, ...args: string[]): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const watch = setInterval(() => {
      if (!happened()) return;
      clearInterval(watch);
      ended.resolve();
    }, 10);
    const child = this.#env.spawnWith(this.#variables, script, "--verbose", ...args);
    await ended.promise;
    child.kill("SIGKILL");
    const { stdout, stderr } = await child.output();
    for (const bytes of [stdout, stderr]) {
      this.printed.push({ from: `${script}, killed`, text: new TextDecoder().decode(bytes) });
    }
  }
}

/** Responses that repeat every secret in every part of a response. */
function echoes(env: TestEnv, rule: FaultRule): FaultRule[] {
  const all = () => env.sandbox.tenant.secrets();
  const last = (pattern: RegExp) => all().findLast((secret) => pattern.test(secret)) ?? "";
  const words = () => all().map((secret) => `see ${secret} or ${encodeURIComponent(secret)}`).join(" and ");
  const headers = () => ({
    "request-id": last(/^eyJ/),
    sprequestguid: last(/^v1\./),
    "x-ms-request-id": last(/^1\./),
    location: last(/^http/) || "http://127.0.0.1:8999/",
    date: last(/^eyJ/),
    "www-authenticate": `Bearer error="${last(/^eyJ/)}", authorization_uri="${last(/^http/)}"`,
  });
  const json = () => ({
    error: {
      code: last(/^eyJ/),
      message: words(),
      innerError: { code: last(/^1\./), "request-id": last(/^eyJ/), innererror: { code: last(/^http/) } },
    },
  });
  const entra = () => ({
    error: last(/^1\./),
    suberror: last(/^eyJ/),
    error_description: words(),
    correlation_id: last(/^eyJ/),
    timestamp: last(/^eyJ/),
  });
  const texts: FaultRule[] = [400, 401, 403, 409, 200].map((status) => ({
    status,
    headers,
    body: rule.service === "login" ? entra : json,
  }));
  return [
    ...texts,
    { status: 400, headers, body: words },
    { status: 302, headers, body: "" },
    { status: 503, headers: { ...headers(), "retry-after": "60" }, body: words },
    { status: 400, headers: { "content-type": "text/html" }, body: () => `<html>${words()}</html>` },
  ].map((response) => ({ ...rule, ...response, times: "always" as const }));
}

/** Runs every script in its successful and failing modes. */
async function everything(env: TestEnv, watched: Watched): Promise<void> {
  const { sandbox } = env;
  const small = await env.file("small.txt", "small");
  const large = await env.file("large.bin", pseudoRandomBytes(4 * UNIT));
  sandbox.tenant.addFile("Documents", "General/down.bin", pseudoRandomBytes(3_000_000));

  assertEquals(await watched.once("whoami", "--prompt"), 0);
  assertEquals(await watched.run("whoami", "--check"), [0, 0]);
  assertEquals(await watched.run("ls", "-l", "-R", "General"), [0, 0]); // refreshes the token
  sandbox.expireAccessTokens();
  assertEquals(await watched.run("ls", "General"), [0, 0]);
  sandbox.addFault({ path: "/children", sideEffect: "claims-required" });
  assertEquals(await watched.run("ls", "General"), [0, 0]);
  assertEquals(await watched.run("put", small, "General/"), [0, 0]);
  assertEquals(await watched.run("put", small, "General/no/folder/"), [3, 3]);
  assertEquals(await watched.run("put-large", ...SMALL, large, "General/"), [0, 0]);
  assertEquals(await watched.once("get", "General/down.bin"), 0);
  assertEquals(await watched.once("get", "--json", "--conflict", "replace", "General/down.bin"), 0);
  assertEquals(await watched.run("get", "General/none"), [3, 3]);

  const before = sandbox.requests.length;
  sandbox.addFault({ ...fragments, nth: 2, delayMs: 60_000 });
  const isStuck = () => sandbox.requests.slice(before).filter(({ method }) => method === "PUT").length > 1;
  await watched.killed(isStuck, "put-large", ...SMALL, large, "General/interrupted.bin");
  sandbox.clearFaults();
  const received = sandbox.requests.length;
  sandbox.addFault({ service: "storage", path: "download.aspx", truncateBodyTo: 2_000_000 });
  sandbox.addFault({ service: "storage", path: "download.aspx", times: "always", delayMs: 60_000 });
  const isWaiting = () =>
    sandbox.requests.slice(received).filter(({ service }) => service === "storage").length > 1;
  await watched.killed(isWaiting, "get", "General/down.bin", "half.bin");
  sandbox.clearFaults();

  await hostile(env, watched, small, large);
  sandbox.clearFaults();
  assertEquals(await watched.run("whoami", "--check"), [0, 0]);
}

/** The same against a service that repeats secrets, whatever the exit codes. */
async function hostile(env: TestEnv, watched: Watched, small: string, large: string): Promise<void> {
  const runs: [FaultRule, ScriptName, ...string[]][] = [
    [{ service: "graph", path: "/me" }, "whoami"],
    [{ service: "graph", path: "/me" }, "whoami", "--check"],
    [{ service: "login" }, "whoami", "--check"],
    [{ service: "graph", path: "/children" }, "ls", "General"],
    [{ service: "graph", path: "/content", method: "PUT" }, "put", small, "General/"],
    [{ service: "graph", path: "createUploadSession" }, "put-large", large, "General/"],
    [fragments, "put-large", ...SMALL, large, "General/"],
    [{ service: "storage", path: "download.aspx" }, "get", "General/down.bin", "other.bin"],
  ];
  for (const [rule, script, ...args] of runs) {
    for (const fault of echoes(env, rule)) {
      if (script === "get" && fault.status === 200) continue; // storage then sends the content of a file
      env.sandbox.clearFaults();
      env.sandbox.addFault(fault);
      await watched.once(script, ...(fault.status === 400 ? ["--json"] : []), ...args);
    }
  }
  for (const fault of echoes(env, { service: "login", path: "/token" })) {
    env.sandbox.clearFaults();
    env.sandbox.expireAccessTokens();
    env.sandbox.addFault(fault);
    await watched.once("ls", "General");
  }
  env.sandbox.clearFaults();
  await watched.once("ls", "General"); // refreshes expired tokens; the next request satisfies the earlier claims challenge
  assertEquals(await watched.once("ls", "General"), 0);
  env.sandbox.addFault({ path: "/children", sideEffect: "interaction-required" });
  assertEquals(await watched.once("ls", "General"), 4);
  env.sandbox.clearFaults();
  assertEquals(await watched.once("whoami", "--prompt"), 0, watched.printed.at(-1)!.text);
}

/** All secrets except user codes, which are shown on purpose and expire after use. */
function secretsOf(env: TestEnv): string[] {
  return env.sandbox.tenant.secrets().filter((secret) => !/^[A-Z0-9]{9}$/.test(secret));
}

function shown({ from, found }: Leak): string {
  return `${from}: ${found}`;
}

function checkTokensKept(env: TestEnv): void {
  const toStorage = env.sandbox.requests.filter(({ service, headers }) =>
    service === "storage" && headers.authorization !== undefined
  );
  assertEquals(toStorage.map(({ path }) => path), []);
}

const home = (env: TestEnv) => env.sandbox.env.GRAPH_SCRIPTS_HOME!;

Deno.test("scripts print no secrets and write them only to the token cache and upload journal", async () => {
  await using env = await startTestEnv({ signIn: false });
  const watched = new Watched(env, {});
  await everything(env, watched);
  assertEquals(leaksIn(watched.printed, secretsOf(env)).map(shown), []);
  const files = await filesBelow(home(env), env.folder);
  const leaks = leaksIn(files, secretsOf(env));
  const where = [...new Set(leaks.map(({ from }) => from.slice(home(env).length + 1)))];
  assertEquals(where.filter((path) => !/^(tokens-[^/]*\.json|uploads\/[0-9a-f]{32}\.json)$/.test(path)), []);
  assert(where.some((path) => path.startsWith("tokens-")), "the scan found no token in the cache");
  assert(where.some((path) => path.startsWith("uploads/")), "there is no unfinished upload");
  assert(
    files.some(({ from }) => /downloads\/[0-9a-f]{32}\.json$/.test(from)),
    "no download was left unfinished",
  );
  checkTokensKept(env);
  assertEquals(await watched.run("whoami", "--sign-out"), [0, 0]);
  const left = leaksIn(await filesBelow(home(env)), secretsOf(env)).map(({ from }) => basename(from));
  assertEquals(left.filter((name) => name.startsWith("tokens-")), []);
});

Deno.test("scripts write no plaintext tokens and print no key when a cache key is set", async () => {
  await using env = await startTestEnv({ signIn: false });
  const [key, other] = [pseudoRandomBytes(32).toBase64(), pseudoRandomBytes(32, 2).toBase64()];
  const watched = new Watched(env, { GRAPH_TOKEN_CACHE_KEY: key });
  await everything(env, watched);
  assertEquals(await watched.onceWith({ GRAPH_TOKEN_CACHE_KEY: other }, "whoami", "--check"), 2);
  const secrets = [...secretsOf(env), key, other];
  assertEquals(leaksIn(watched.printed, secrets).map(shown), []);
  const leaks = leaksIn(await filesBelow(home(env), env.folder), secrets);
  const uploads = join(home(env), "uploads");
  assertEquals(leaks.filter(({ from }) => !from.startsWith(uploads)).map(shown), []);
  assertEquals(leaks.filter(({ secret }) => !/^(http|v1\.)/.test(secret)).map(shown), []);
  checkTokensKept(env);
});

Deno.test("scripts neither print nor store the secret or private key of an app-only sign-in", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { app } = env.sandbox;
  const { certificate, privateKey } = app.newCertificate();
  const keys = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const [secret, pem] = [join(keys, "secret"), join(keys, "app.pem")];
    await Deno.writeTextFile(secret, app.clientSecret, { mode: 0o600 });
    await Deno.writeTextFile(pem, certificate + privateKey, { mode: 0o600 });
    const key = privateKey.split("\n").slice(1, 5).join("");
    for (const variables of [{ GRAPH_CLIENT_SECRET_FILE: secret }, { GRAPH_CLIENT_CERTIFICATE_FILE: pem }]) {
      const folder = join(env.folder, basename(Object.values(variables)[0]!));
      await Deno.mkdir(folder);
      const watched = new Watched(env, { GRAPH_CLIENT_ID: app.clientId, ...variables }, folder);
      assertEquals(await watched.run("whoami"), [0, 0]);
      assertEquals((await watched.run("whoami", "--check")).some((code) => code > 5), false);
      env.sandbox.expireAccessTokens();
      assertEquals(await watched.run("ls", "General"), [0, 0]);
      for (const fault of echoes(env, { service: "login", path: "/token" })) {
        env.sandbox.clearFaults();
        env.sandbox.expireAccessTokens();
        env.sandbox.addFault(fault);
        await watched.once("ls", "General");
      }
      env.sandbox.clearFaults();
      const secrets = [...secretsOf(env), app.clientSecret, key];
      assertEquals(leaksIn(watched.printed, secrets).map(shown), []);
      const kept = leaksIn(await filesBelow(home(env)), [app.clientSecret, key]);
      assertEquals(kept.map(shown), []);
    }
  } finally {
    await Deno.remove(keys, { recursive: true });
  }
});

Deno.test("whoami --sign-in browser prints neither authorization code nor state", async () => {
  await using env = await startTestEnv({ signIn: false });
  const child = env.spawn("whoami", "--verbose", "--sign-in", "browser", "--prompt");
  const [shownText, code] = await signedInWithBrowser(child);
  assertEquals(code, 0, shownText);
  assert(secretsOf(env).length > 0, "there are no secrets to find");
  assertEquals(leaksIn([{ from: "whoami", text: shownText }], secretsOf(env)).map(shown), []);
});

/** Opens the URL that a sign-in shows, and returns all its output. */
async function signedInWithBrowser(child: Deno.ChildProcess): Promise<[string, number]> {
  let text = "";
  let opened: Promise<unknown> | undefined;
  const reading = (async () => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      const address = /\n(http\S+authorize\S+)\n/.exec(text)?.[1];
      if (address) opened ??= browse(address);
    }
  })();
  const output = await new Response(child.stdout).text();
  await reading;
  await opened;
  return [text + output, (await child.status).code];
}

Deno.test("leaksIn() finds parts and encodings of a secret, and nothing else", () => {
  const secret = `eyJhbGciOiJub25lIn0.${"aB3-_x9Zq7".repeat(9)}`;
  const url = `https://h/x?a=1&tempauth=v1.${"kL8mN2pQ4r".repeat(5)}.sig-${"Tt5".repeat(12)}`;
  const seen = (text: string) => leaksIn([{ from: "x", text }], [secret, url, "K7QPX2MZA"]).length;
  for (const whole of [secret, url.split("tempauth=")[1]!]) {
    for (const shift of ["", "a", "ab"]) {
      assertEquals(seen(`x ${btoa(shift + whole)} y`), 1);
      assertEquals(
        seen(btoa(shift + whole).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")),
        1,
      );
    }
    assertEquals(seen(whole.slice(7, 31)), 1);
    assertEquals(seen(`a=${encodeURIComponent(encodeURIComponent(whole))}`), 1);
    assertEquals(seen([...whole].map((c) => c.charCodeAt(0).toString(16)).join("")), 1);
  }
  assertEquals(seen("code K7QPX2MZA"), 1);
  assertEquals(seen("https://h/x?a=1&tempauth=… and eyJhbGciOiJub25lIn0 alone"), 0);
});

Deno.test("scripts reject secrets on the command line without printing them", async () => {
  for (const name of ["accessToken", "tokenCacheKey"] as const) assertEquals("flag" in SETTINGS[name], false);
  await using env = await startTestEnv({ signIn: false });
  const token = env.sandbox.issueToken();
  for (const script of ["whoami", "ls", "get", "put", "put-large"] as const) {
    for (const option of ["--access-token", "--token", "--graph-access-token", "--token-cache-key"]) {
      for (const args of [[`${option}=${token}`], [option, token], ["--json", option, token]]) {
        const { code, stdout, stderr } = await env.run(script, ...args);
        assertEquals([code, stdout], [2, ""]);
        assertMatch(stderr, /unknown option --/);
        assertEquals(leaksIn([{ from: script, text: stderr }], [token]), []);
      }
    }
  }
  assertEquals(env.sandbox.requests, []);
});
