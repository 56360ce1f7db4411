/** The encrypted token cache: keys, mistakes with keys, and changing them. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { basename, dirname } from "@std/path";
import { CacheKey, parseKey } from "../lib/sign_in/cache_key.ts";
import { seal, unseal } from "../lib/sign_in/sealed_text.ts";
import { type Bench, bench, jsonLines } from "./harness.ts";

const windows = Deno.build.os === "windows";
const HEX = "00112233445566778899aabbccddeeff".repeat(2);
const BASE64 = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
const PHRASE = "correct horse battery staple";

const keyed = (key: string) => ({ env: { GRAPH_TOKEN_CACHE_KEY: key } });

async function cacheOf(b: Bench): Promise<string> {
  return String(jsonLines((await b.run("whoami", "--json")).stdout)[0]!.cache);
}

async function keyFile(b: Bench, name: string, content: string | Uint8Array): Promise<string> {
  const path = await b.file(name, content);
  if (!windows) await Deno.chmod(path, 0o600);
  return path;
}

/** Secrets of a cache in clear, of which nothing may be found in an encrypted one. */
function secretsOf(text: string): string[] {
  return [...text.matchAll(/"(?:secret|username|home_account_id)":"([^"]+)"/g)].map(([, value]) => value!);
}

Deno.test("what a key is, its form alone decides", () => {
  for (
    const [text, bytes] of [[HEX, 32], [HEX.toUpperCase(), 32], [BASE64, 32], [`${BASE64}\n`, 32]] as const
  ) {
    const material = parseKey(text, "K");
    assert("raw" in material && material.raw.length === bytes, text);
  }
  assertEquals(
    parseKey(BASE64.replaceAll("+", "-").replaceAll("/", "_"), "K"),
    parseKey(BASE64, "K"),
  );
  for (const text of [PHRASE, `${PHRASE}\r\n`, "zwölf Zeichen", BASE64.slice(0, 43), "x".repeat(43)]) {
    assertEquals(parseKey(text, "K"), { passPhrase: text.trimEnd().normalize("NFC") });
  }
  assertEquals(parseKey("zwo\u0308lf Zeichen", "K"), parseKey("zw\u00f6lf Zeichen", "K"));
});

Deno.test("what looks like a key that went wrong is an error, and no error shows the key", async () => {
  const wrong: [string, RegExp][] = [
    ["", /the key is empty/],
    ["\n", /the key is empty/],
    [` ${BASE64}`, /begins or ends with a space/],
    [`${PHRASE}\n${PHRASE}`, /has a line break/],
    [HEX.slice(1), /has 63 characters: 32 bytes are 64 hex digits or 44/],
    [HEX.slice(0, 32), /has 32 characters/],
    ["q83vASNFZ4mrze8BI0VniQ==", /has 24 characters/],
    ["elf letters", /too short: it needs 12 characters/],
  ];
  for (const [text, why] of wrong) {
    const error = await assertRejects(() => Promise.resolve().then(() => parseKey(text, "THE_KEY"))) as Error;
    assertMatch(error.message, why);
    assertMatch(error.message, /^THE_KEY: /);
    assert(text.trim() === "" || !error.message.includes(text.trim().slice(0, 8)), error.message);
  }
});

Deno.test("a sealed text opens with its key, and no part of it can be changed", async () => {
  for (const text of [HEX, PHRASE]) {
    const key = new CacheKey({ variable: "K", text });
    const derivation = await key.newDerivation();
    const sealed = await seal('{"Account":{}}', key, derivation);
    assertEquals((await unseal(JSON.parse(sealed), key, "f")).text, '{"Account":{}}');
    const again = JSON.parse(await seal('{"Account":{}}', key, derivation));
    const first = JSON.parse(sealed);
    assert(first.iv !== again.iv && first.ciphertext !== again.ciphertext, "an initialization vector twice");
    const flip = (value: string) => (value[0] === "A" ? "B" : "A") + value.slice(1);
    for (const name of ["iv", "ciphertext", "keyCheck", "salt"].filter((name) => name in first)) {
      const changed = { ...first, [name]: flip(first[name]) };
      const outcome = await unseal(changed, key, "f").then(
        () => "opened",
        (error) => error.code ?? error.name,
      );
      assertEquals(outcome, name === "iv" || name === "ciphertext" ? "DamagedSeal" : "wrongKey", name);
    }
    const iterations = await unseal({ ...first, kdf: "PBKDF2-SHA-256", iterations: 1 }, key, "f")
      .then(() => "opened", (error) => error.name);
    assertEquals(iterations, "DamagedSeal");
  }
});

Deno.test("with a key nothing of the tokens is on disk, and renewals keep it so", async () => {
  await using b = await bench({ signIn: false });
  for (const key of [HEX, PHRASE]) {
    const env = { ...keyed(key).env, GRAPH_TOKEN_CACHE: `${b.folder}/${key.slice(0, 3)}/tokens.json` };
    const signIn = await b.runWith({ env }, "whoami", "--prompt");
    assertEquals(signIn.code, 0, signIn.stderr);
    const texts: string[] = [];
    for (let i = 0; i < 2; i++) {
      texts.push(await Deno.readTextFile(env.GRAPH_TOKEN_CACHE));
      b.sandbox.expireAccessTokens();
      const { code, stderr } = await b.runWith({ env }, "whoami");
      assertEquals([code, stderr], [0, ""]);
    }
    const [first, second] = texts.map((text) => JSON.parse(text));
    assert(first.iv !== second.iv);
    assertEquals(first.salt, second.salt); // derived once a process, although it is read and written
    for (const text of texts) assertEquals(/secret|contoso|Adele/.test(text), false);
  }
});

Deno.test("a cache in clear is encrypted at once when a key is set, and that is said once", async () => {
  await using b = await bench();
  const cache = await cacheOf(b);
  const clear = await Deno.readTextFile(cache);
  const before = b.sandbox.requests.length;
  const first = await b.runWith(keyed(HEX), "whoami");
  assertEquals(first.code, 0);
  assertStringIncludes(first.stderr, `${cache} is encrypted from now on; copies made before`);
  const sealed = await Deno.readTextFile(cache);
  assert(secretsOf(clear).length > 3);
  for (const secret of secretsOf(clear)) assert(!sealed.includes(secret));
  const second = await b.runWith(keyed(HEX), "whoami");
  assertEquals([second.code, second.stderr], [0, ""]);
  assertEquals(b.sandbox.requests.slice(before).map(({ service }) => service), ["graph", "graph"]);
});

Deno.test("without its key, or with another, a cache is left as it is: exit code 2 and the setting", async () => {
  await using b = await bench();
  const cache = await cacheOf(b);
  await b.runWith(keyed(HEX), "whoami");
  const sealed = await Deno.readTextFile(cache);
  const before = b.sandbox.requests.length;
  for (const args of [[], ["--prompt"], ["--sign-out"]]) {
    const none = await b.run("whoami", ...args);
    assertEquals([none.code, none.stdout], [2, ""]);
    assertMatch(none.stderr, /is encrypted, and no key is set; set GRAPH_TOKEN_CACHE_KEY_FILE/);
    for (const key of [BASE64, PHRASE]) {
      const other = await b.runWith(keyed(key), "whoami", ...args);
      assertEquals([other.code, other.stdout], [2, ""]);
      assertMatch(other.stderr, /encrypted with another key than that of GRAPH_TOKEN_CACHE_KEY/);
      assert(!other.stderr.includes(key), "the key is shown");
    }
  }
  assertEquals(await Deno.readTextFile(cache), sealed);
  assertEquals(b.sandbox.requests.length, before);
  assertEquals((await b.runWith(keyed(HEX), "whoami")).code, 0);
});

Deno.test("a damaged encrypted cache is set aside; one of a later version is not", async () => {
  await using b = await bench();
  const cache = await cacheOf(b);
  await b.runWith(keyed(HEX), "whoami");
  const sealed = await Deno.readTextFile(cache);
  await Deno.writeTextFile(cache, sealed.replace('"ciphertext":"', '"ciphertext":"AAAA'));
  const damaged = await b.runWith(keyed(HEX), "whoami");
  assertEquals(damaged.code, 4);
  assertMatch(damaged.stderr, /could not be understood; it is kept as/);
  const later = sealed.replace('"graphScriptsTokenCache":1', '"graphScriptsTokenCache":2');
  await Deno.writeTextFile(cache, later, { mode: 0o600 });
  const { code, stderr } = await b.runWith(keyed(HEX), "whoami", "--prompt");
  assertEquals(code, 1);
  assertMatch(stderr, /was written by a later version of these scripts/);
  assertEquals(await Deno.readTextFile(cache), later);
});

Deno.test("each mistake with a key has its own line, and nobody signs in before it is mended", async () => {
  await using b = await bench({ signIn: false });
  const file = (path: string) => ({ GRAPH_TOKEN_CACHE_KEY_FILE: path });
  const good = await keyFile(b, "good.key", `${HEX}\n`);
  const cases: [Record<string, string>, number, RegExp][] = [
    [
      file(`${b.folder}/none.key`),
      2,
      /the key file \S+none\.key .* does not exist; make a key with: .*openssl/,
    ],
    [file(await keyFile(b, "empty.key", "")), 2, /empty\.key .*: the key is empty/],
    [file(await keyFile(b, "short.key", "elf letters")), 2, /too short/],
    [file(await keyFile(b, "two.key", `${HEX}\n${HEX}\n`)), 2, /has a line break/],
    [file(await keyFile(b, "raw.key", new Uint8Array(32).fill(200))), 2, /is not text/],
    [file(await keyFile(b, "long.key", "x".repeat(5000))), 2, /is too long for/],
    [file(b.folder), 2, /is not a file|it is a folder/],
    [{ GRAPH_TOKEN_CACHE_KEY: "short" }, 2, /GRAPH_TOKEN_CACHE_KEY: the pass phrase is too short/],
    [{ GRAPH_TOKEN_CACHE_KEY: `${PHRASE}\n${PHRASE}` }, 2, /GRAPH_TOKEN_CACHE_KEY: the key has a line break/],
    [{ GRAPH_TOKEN_CACHE_KEY: "" }, 2, /GRAPH_TOKEN_CACHE_KEY is set, but empty/],
    [file(""), 2, /GRAPH_TOKEN_CACHE_KEY_FILE is set, but empty/],
    [{ ...file(good), GRAPH_TOKEN_CACHE_KEY: HEX }, 2, /KEY_FILE and GRAPH_TOKEN_CACHE_KEY are both set/],
  ];
  if (!windows) {
    const open = await keyFile(b, "open.key", HEX);
    await Deno.chmod(open, 0o644);
    cases.push([
      file(open),
      5,
      /open\.key .* can be read by other users of this machine; mend it with: chmod/,
    ]);
    cases.push([file("/dev/fd/9"), 2, /only when it is a pipe/]);
  }
  for (const [env, expected, why] of cases) {
    const { code, stdout, stderr } = await b.runWith({ env }, "whoami", "--prompt");
    assertEquals([code, stdout, stderr.trim().split("\n").length], [expected, "", 1], stderr);
    assertMatch(stderr, why);
    assertEquals(/elf letters|00112233|correct horse/.test(stderr), false, stderr);
  }
  assertEquals(b.sandbox.requests, []);
  const ready = { ...file(`${b.folder}/none.key`), GRAPH_ACCESS_TOKEN: b.sandbox.issueToken() };
  assertEquals((await b.runWith({ env: ready }, "whoami")).code, 0); // no cache, no key
  assertEquals((await b.runWith({ env: file(good) }, "whoami", "--prompt")).code, 0);
});

Deno.test("a key that is none is exit code 2 also where the cache is in clear, which stays as it is", async () => {
  await using b = await bench();
  const cache = String(jsonLines((await b.run("whoami", "--json")).stdout)[0]!.cache);
  const before = await Deno.readTextFile(cache);
  const requests = b.sandbox.requests.length;
  for (const script of ["whoami", "ls"] as const) {
    const { code, stdout, stderr } = await b.runWith({ env: { GRAPH_TOKEN_CACHE_KEY: "short" } }, script);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /GRAPH_TOKEN_CACHE_KEY: the pass phrase is too short/);
  }
  assertEquals(await Deno.readTextFile(cache), before);
  assertEquals(b.sandbox.requests.length, requests);
});

Deno.test("keys in the config file are refused, the path of a key file is not", async () => {
  await using b = await bench();
  const config = `${b.sandbox.env.GRAPH_SCRIPTS_HOME}/graph-scripts.json`;
  await Deno.writeTextFile(config, JSON.stringify({ tokenCacheKey: HEX }));
  const refused = await b.run("whoami");
  assertEquals(refused.code, 2);
  assertMatch(refused.stderr, /tokenCacheKey is not a setting of this file/);
  assert(!refused.stderr.includes(HEX));
  const path = await keyFile(b, "a.key", HEX);
  await Deno.writeTextFile(config, JSON.stringify({ tokenCacheKeyFile: path }));
  assertStringIncludes((await b.run("whoami")).stderr, "is encrypted from now on");
});

Deno.test({
  name: "the output of a command can be the key",
  ignore: windows,
  async fn() {
    await using b = await bench();
    const { commandLine, runProcess } = await import("./harness.ts");
    await b.runWith(keyed(PHRASE), "whoami");
    const line = commandLine("whoami", []).map((word) => `'${word}'`).join(" ");
    for (
      const script of [
        `GRAPH_TOKEN_CACHE_KEY_FILE=<(echo '${PHRASE}') ${line}`,
        `GRAPH_TOKEN_CACHE_KEY_FILE=/dev/fd/3 ${line} 3< <(echo '${PHRASE}')`,
      ]
    ) {
      const { code, stdout, stderr } = await runProcess(["bash", "-c", script], { env: b.sandbox.env });
      assertEquals([code, stderr], [0, ""]);
      assertMatch(stdout, /^Adele Vance/);
    }
  },
});

Deno.test("--rekey changes the key, and says what to change in the environment", async () => {
  await using b = await bench();
  const cache = await cacheOf(b);
  const [first, second] = [await keyFile(b, "first key", PHRASE), await keyFile(b, "second key", BASE64)];
  const rekey = async (env: Record<string, string>, ...args: string[]) => {
    const ended = await b.runWith({ env }, "whoami", "--rekey", ...args);
    assertEquals(ended.code, 0, ended.stderr);
    return ended.stdout;
  };
  const requests = b.sandbox.requests.length;
  await rekey({ GRAPH_TOKEN_CACHE_NEW_KEY_FILE: first }); // from clear
  const text = await rekey({ GRAPH_TOKEN_CACHE_KEY_FILE: first, GRAPH_TOKEN_CACHE_NEW_KEY_FILE: second });
  assertStringIncludes(text, `${cache} is encrypted with the new key; from now on:`);
  assertStringIncludes(text, `export GRAPH_TOKEN_CACHE_KEY_FILE='${second}'`);
  assertStringIncludes(text, "unset GRAPH_TOKEN_CACHE_KEY GRAPH_TOKEN_CACHE_NEW_KEY_FILE");
  assertEquals(b.sandbox.requests.length, requests); // it is about the file alone
  assertEquals((await b.runWith({ env: { GRAPH_TOKEN_CACHE_KEY_FILE: first } }, "whoami")).code, 2);
  assertEquals((await b.runWith({ env: { GRAPH_TOKEN_CACHE_KEY_FILE: second } }, "whoami")).code, 0);
  const [result] = jsonLines(
    await rekey({ GRAPH_TOKEN_CACHE_KEY: BASE64, GRAPH_TOKEN_CACHE_NEW_KEY_FILE: basename(first) }, "--json"),
  );
  assertEquals(result, {
    cache,
    encrypted: true,
    // Whole, since what is set in one folder is used in another.
    set: { GRAPH_TOKEN_CACHE_KEY_FILE: await Deno.realPath(first) },
    unset: ["GRAPH_TOKEN_CACHE_KEY", "GRAPH_TOKEN_CACHE_NEW_KEY_FILE"],
  });
  const clear = await b.runWith({ env: { GRAPH_TOKEN_CACHE_KEY_FILE: first } }, "whoami", "--decrypt");
  assertEquals(clear.code, 0, clear.stderr);
  assertStringIncludes(clear.stdout, "is in clear");
  assertEquals((await b.run("whoami")).code, 0);
  if (!windows) assertEquals(((await Deno.stat(cache)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("--rekey and --decrypt that cannot be meant change nothing", async () => {
  await using b = await bench();
  const cache = await cacheOf(b);
  const [good, other] = [await keyFile(b, "good.key", HEX), await keyFile(b, "other.key", BASE64)];
  await b.runWith({ env: { GRAPH_TOKEN_CACHE_KEY_FILE: good } }, "whoami");
  const sealed = await Deno.readTextFile(cache);
  const present = { GRAPH_TOKEN_CACHE_KEY_FILE: good };
  const cases: [Record<string, string>, string[], number, RegExp][] = [
    [present, ["--rekey"], 2, /GRAPH_TOKEN_CACHE_NEW_KEY_FILE is not set/],
    [{ ...present, GRAPH_TOKEN_CACHE_NEW_KEY_FILE: good }, ["--rekey"], 2, /is the present one/],
    [{ ...present, GRAPH_TOKEN_CACHE_NEW_KEY_FILE: `${b.folder}/no` }, ["--rekey"], 2, /does not exist/],
    [{ GRAPH_TOKEN_CACHE_NEW_KEY_FILE: other }, ["--rekey"], 2, /no key is set/],
    [
      { GRAPH_TOKEN_CACHE_KEY_FILE: other, GRAPH_TOKEN_CACHE_NEW_KEY_FILE: good },
      ["--rekey"],
      2,
      /another key/,
    ],
    [{ ...present, GRAPH_TOKEN_CACHE_NEW_KEY_FILE: other }, ["--decrypt"], 2, /NEW_KEY_FILE is set/],
    [{}, ["--decrypt"], 2, /no key is set/],
    [present, ["--decrypt", "--rekey"], 2, /do not go together/],
    [
      { ...present, GRAPH_TOKEN_CACHE_NEW_KEY_FILE: other, GRAPH_TOKEN_CACHE: `${dirname(cache)}/no.json` },
      ["--rekey"],
      3,
      /there is no token cache/,
    ],
  ];
  for (const [env, args, expected, why] of cases) {
    const { code, stdout, stderr } = await b.runWith({ env }, "whoami", ...args);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertMatch(stderr, why);
    assertEquals(await Deno.readTextFile(cache), sealed);
  }
});
