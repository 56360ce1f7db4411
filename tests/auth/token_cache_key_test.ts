/** Scripts with an encrypted token cache, and its key. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { commandLine, jsonLines, runProcess, startTestEnv, type TestEnv } from "../test_env.ts";

const windows = Deno.build.os === "windows";
const HEX = "00112233445566778899aabbccddeeff".repeat(2);
const BASE64 = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
const OTHER = "f".repeat(64);

const keyed = (key: string) => ({ env: { GRAPH_TOKEN_CACHE_KEY: key } });

async function cacheOf(env: TestEnv): Promise<string> {
  return String(jsonLines((await env.run("whoami", "--json")).stdout)[0]!.cache);
}

async function keyFile(env: TestEnv, name: string, content: string | Uint8Array): Promise<string> {
  const path = await env.file(name, content);
  if (!windows) await Deno.chmod(path, 0o600);
  return path;
}

/** Secrets of a plaintext cache, which must not appear in an encrypted one. */
function secretsOf(text: string): string[] {
  return [...text.matchAll(/"(?:secret|username|home_account_id)":"([^"]+)"/g)].map(([, value]) => value!);
}

Deno.test("scripts with a cache key write no plaintext, also after refreshes", async () => {
  await using env = await startTestEnv({ signIn: false });
  const variables = { ...keyed(HEX).env, GRAPH_TOKEN_CACHE: `${env.folder}/tokens.json` };
  const signIn = await env.runWith({ env: variables }, "whoami", "--prompt");
  assertEquals(signIn.code, 0, signIn.stderr);
  const texts: string[] = [];
  for (let i = 0; i < 2; i++) {
    texts.push(await Deno.readTextFile(variables.GRAPH_TOKEN_CACHE));
    env.sandbox.expireAccessTokens();
    const { code, stderr } = await env.runWith({ env: variables }, "whoami");
    assertEquals([code, stderr], [0, ""]);
  }
  const [first, second] = texts.map((text) => JSON.parse(text));
  assert(first.iv !== second.iv);
  for (const text of texts) assertEquals(/secret|contoso|Adele/.test(text), false);
});

Deno.test("scripts encrypt a plaintext cache at once when a key is set, with one notice", async () => {
  await using env = await startTestEnv();
  const cache = await cacheOf(env);
  const plaintext = await Deno.readTextFile(cache);
  const before = env.sandbox.requests.length;
  const first = await env.runWith(keyed(HEX), "whoami");
  assertEquals(first.code, 0);
  assertStringIncludes(first.stderr, `${cache} is now encrypted; earlier copies`);
  const encrypted = await Deno.readTextFile(cache);
  assert(secretsOf(plaintext).length > 3);
  for (const secret of secretsOf(plaintext)) assert(!encrypted.includes(secret));
  const second = await env.runWith(keyed(HEX), "whoami");
  assertEquals([second.code, second.stderr], [0, ""]);
  assertEquals(env.sandbox.requests.slice(before).map(({ service }) => service), ["graph", "graph"]);
});

Deno.test("the key is changed by signing out all accounts and signing in again", async () => {
  await using env = await startTestEnv();
  const cache = await cacheOf(env);
  await env.runWith(keyed(HEX), "whoami");
  assertEquals((await env.runWith(keyed(OTHER), "whoami", "--prompt")).code, 2);
  assertEquals((await env.runWith(keyed(HEX), "whoami", "--sign-out", "--all")).code, 0);
  assertEquals(await Deno.stat(cache).then(() => true, () => false), false);
  const { code, stderr } = await env.runWith(keyed(OTHER), "whoami", "--prompt");
  assertEquals(code, 0, stderr);
  assertEquals((await env.runWith(keyed(OTHER), "whoami")).code, 0);
});

Deno.test("scripts leave an encrypted cache unchanged without its key, and name the setting (exit code 2)", async () => {
  await using env = await startTestEnv();
  const cache = await cacheOf(env);
  await env.runWith(keyed(HEX), "whoami");
  const encrypted = await Deno.readTextFile(cache);
  const before = env.sandbox.requests.length;
  for (const args of [[], ["--prompt"], ["--sign-out"]]) {
    const none = await env.run("whoami", ...args);
    assertEquals([none.code, none.stdout], [2, ""]);
    assertMatch(none.stderr, /is encrypted, and no key is set; set GRAPH_TOKEN_CACHE_KEY_FILE/);
    for (const key of [BASE64, OTHER]) {
      const other = await env.runWith(keyed(key), "whoami", ...args);
      assertEquals([other.code, other.stdout], [2, ""]);
      assertMatch(other.stderr, /cannot be decrypted with the key of GRAPH_TOKEN_CACHE_KEY/);
      assert(!other.stderr.includes(key), "the key is shown");
    }
  }
  assertEquals(await Deno.readTextFile(cache), encrypted);
  assertEquals(env.sandbox.requests.length, before);
  assertEquals((await env.runWith(keyed(HEX), "whoami")).code, 0);
});

Deno.test("scripts leave a damaged encrypted cache unchanged (exit code 2)", async () => {
  await using env = await startTestEnv();
  const cache = await cacheOf(env);
  await env.runWith(keyed(HEX), "whoami");
  const damaged = (await Deno.readTextFile(cache)).replace('"ciphertext":"', '"ciphertext":"AAAA');
  await Deno.writeTextFile(cache, damaged);
  const { code, stderr } = await env.runWith(keyed(HEX), "whoami", "--prompt");
  assertEquals(code, 2);
  assertMatch(stderr, /cannot be decrypted .*or the file is damaged, delete it and sign in again/);
  assertEquals(await Deno.readTextFile(cache), damaged);
});

Deno.test("scripts report each invalid key in its own words and do not sign in", async () => {
  await using env = await startTestEnv({ signIn: false });
  const file = (path: string) => ({ GRAPH_TOKEN_CACHE_KEY_FILE: path });
  const good = await keyFile(env, "good.key", `${HEX}\n`);
  const cases: [Record<string, string>, number, RegExp][] = [
    [
      file(`${env.folder}/none.key`),
      2,
      /the key file \S+none\.key .* does not exist; make a key with: .*openssl/,
    ],
    [file(await keyFile(env, "empty.key", "")), 2, /empty\.key .*: the key must be one line of/],
    [file(await keyFile(env, "short.key", "elf letters")), 2, /must be one line of/],
    [file(await keyFile(env, "two.key", `${HEX}\n${HEX}\n`)), 2, /must be one line of/],
    [file(await keyFile(env, "raw.key", new Uint8Array(32).fill(200))), 2, /must be one line of/],
    [file(env.folder), 2, /is not a file|it is a folder/],
    [{ GRAPH_TOKEN_CACHE_KEY: "short" }, 2, /GRAPH_TOKEN_CACHE_KEY: the key must be one line of/],
    [{ GRAPH_TOKEN_CACHE_KEY: "" }, 2, /GRAPH_TOKEN_CACHE_KEY is set, but empty/],
    [file(""), 2, /GRAPH_TOKEN_CACHE_KEY_FILE is set, but empty/],
  ];
  if (!windows) {
    const open = await keyFile(env, "open.key", HEX);
    await Deno.chmod(open, 0o644);
    cases.push([
      file(open),
      5,
      /open\.key .* can be read by other users of this machine; fix it with: chmod/,
    ]);
  }
  for (const [variables, expected, why] of cases) {
    const { code, stdout, stderr } = await env.runWith({ env: variables }, "whoami", "--prompt");
    assertEquals([code, stdout, stderr.trim().split("\n").length], [expected, "", 1], stderr);
    assertMatch(stderr, why);
    assertEquals(/elf letters|00112233/.test(stderr), false, stderr);
  }
  assertEquals(env.sandbox.requests, []);
  const ready = { ...file(`${env.folder}/none.key`), GRAPH_ACCESS_TOKEN: env.sandbox.issueToken() };
  assertEquals((await env.runWith({ env: ready }, "whoami")).code, 0); // no cache, no key
  assertEquals((await env.runWith({ env: file(good) }, "whoami", "--prompt")).code, 0);
});

Deno.test("scripts reject an invalid key and leave a plaintext cache unchanged (exit code 2)", async () => {
  await using env = await startTestEnv();
  const cache = String(jsonLines((await env.run("whoami", "--json")).stdout)[0]!.cache);
  const before = await Deno.readTextFile(cache);
  const requests = env.sandbox.requests.length;
  for (const script of ["whoami", "ls"] as const) {
    const { code, stdout, stderr } = await env.runWith({ env: { GRAPH_TOKEN_CACHE_KEY: "short" } }, script);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /GRAPH_TOKEN_CACHE_KEY: the key must be one line of/);
  }
  assertEquals(await Deno.readTextFile(cache), before);
  assertEquals(env.sandbox.requests.length, requests);
});

Deno.test("scripts accept the path of a key in the config file, but no key", async () => {
  await using env = await startTestEnv();
  const config = `${env.sandbox.env.GRAPH_SCRIPTS_HOME}/graph-scripts.json`;
  await Deno.writeTextFile(config, JSON.stringify({ tokenCacheKey: HEX }));
  const refused = await env.run("whoami");
  assertEquals(refused.code, 2);
  assertMatch(refused.stderr, /tokenCacheKey is not a setting of this file/);
  assert(!refused.stderr.includes(HEX));
  const path = await keyFile(env, "a.key", HEX);
  await Deno.writeTextFile(config, JSON.stringify({ tokenCacheKeyFile: path }));
  assertStringIncludes((await env.run("whoami")).stderr, "is now encrypted");
});

Deno.test({
  name: "GRAPH_TOKEN_CACHE_KEY_FILE accepts the output of a command",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv();
    await env.runWith(keyed(BASE64), "whoami");
    // A command line cannot name the descriptor of `<(…)` beforehand, so that this takes all of them.
    const line = commandLine("whoami", [], {
      ...env.sandbox.env,
      GRAPH_TOKEN_CACHE_KEY_FILE: "/dev/fd",
    }).map((word) => `'${word}'`).join(" ");
    for (
      const script of [
        `GRAPH_TOKEN_CACHE_KEY_FILE=<(echo '${BASE64}') ${line}`,
        `GRAPH_TOKEN_CACHE_KEY_FILE=/dev/fd/3 ${line} 3< <(echo '${BASE64}')`,
      ]
    ) {
      const { code, stdout, stderr } = await runProcess(["bash", "-c", script], { env: env.sandbox.env });
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, /^Adele Vance/);
    }
  },
});
