/** The token cache as a file: owner, permissions, symlinks, read-only folders. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { dirname } from "../../lib/std.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

const windows = Deno.build.os === "windows";
const root = Deno.uid() === 0;

/** The path of the token cache. */
async function cacheOf(env: TestEnv): Promise<string> {
  const { stdout } = await env.run("whoami", "--json");
  return String(jsonLines(stdout)[0]!.cache);
}

/** Makes a folder read-only, also for root. */
async function freeze(folder: string): Promise<AsyncDisposable | undefined> {
  const attribute = async (change: string) => {
    try {
      return (await new Deno.Command("chattr", { args: [change, folder], stderr: "null" }).output()).success;
    } catch {
      return false; // the command does not exist here
    }
  };
  if (root ? !await attribute("+i") : (await Deno.chmod(folder, 0o500), false)) return undefined;
  return {
    async [Symbol.asyncDispose]() {
      await (root ? attribute("-i") : Deno.chmod(folder, 0o700));
    },
  };
}

async function canFreeze(): Promise<boolean> {
  if (windows) return false;
  const folder = await Deno.makeTempDir();
  const frozen = await freeze(folder);
  await frozen?.[Symbol.asyncDispose]();
  await Deno.remove(folder);
  return frozen !== undefined;
}

const noFreezing = !await canFreeze();

Deno.test({
  name: "scripts reject a cache or folder that other users may write, with the command that fixes it",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv();
    const cache = await cacheOf(env);
    const cases = [
      [cache, 0o640, 0o600, `chmod 600 ${cache}`],
      [cache, 0o602, 0o600, `chmod 600 ${cache}`],
      [dirname(cache), 0o770, 0o700, `chmod go-w ${dirname(cache)}`],
      [dirname(cache), 0o707, 0o755, `chmod go-w ${dirname(cache)}`],
    ] as const;
    for (const [path, bad, good, command] of cases) {
      await Deno.chmod(path, bad);
      const { code, stdout, stderr } = await env.run("whoami");
      assertEquals([code, stdout], [5, ""]);
      assertStringIncludes(stderr, `fix it with: ${command}`);
      await Deno.chmod(path, good);
      assertEquals((await env.run("whoami")).code, 0);
    }
    await Deno.chmod(dirname(cache), 0o1777); // like /tmp: other users may add files, but not rename this one
    assertEquals((await env.run("whoami")).code, 0);
  },
});

Deno.test({
  name: "whoami does not sign in to a cache in a folder that others may write to",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    const folder = `${env.folder}/open`;
    await Deno.mkdir(folder);
    await Deno.chmod(folder, 0o777);
    const variables = { GRAPH_TOKEN_CACHE: `${folder}/tokens.json` };
    const { code, stderr } = await env.runWith({ env: variables }, "whoami", "--prompt");
    assertEquals([code, env.sandbox.requests.length], [5, 0]);
    assertStringIncludes(stderr, "could swap tokens.json");
  },
});

Deno.test({
  name: "scripts reject a cache of another user, also as root",
  ignore: !root,
  async fn() {
    await using env = await startTestEnv();
    const cache = await cacheOf(env);
    await Deno.chown(cache, 54_321, 54_321);
    await Deno.chown(dirname(cache), 54_321, 54_321);
    const before = await Deno.readTextFile(cache);
    for (const args of [[], ["--sign-out"], ["--prompt"]]) {
      const { code, stderr } = await env.run("whoami", ...args);
      assertEquals(code, 5);
      assertMatch(stderr, /belongs to another user of this machine \(uid 54321\); run this as that user/);
      assertStringIncludes(stderr, `sudo chown "$(id -u)" ${cache}`);
    }
    assertEquals([await Deno.readTextFile(cache), (await Deno.stat(cache)).uid], [before, 54_321]);
    await Deno.chown(cache, 0, 0);
    assertEquals((await env.run("whoami")).code, 0); // root may read the folder of another user
  },
});

Deno.test({
  name: "scripts reject a cache that is a symlink, and accept a symlinked folder",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv();
    const cache = await cacheOf(env);
    const link = `${env.folder}/link.json`;
    await Deno.symlink(cache, link);
    for (const args of [[], ["--prompt"], ["--sign-out"]]) {
      const { code, stderr } = await env.runWith({ env: { GRAPH_TOKEN_CACHE: link } }, "whoami", ...args);
      assertEquals(code, 5);
      assertStringIncludes(stderr, `${link} is a symbolic link; give the path of the file itself`);
    }
    assertEquals((await Deno.lstat(link)).isSymlink, true);
    await Deno.symlink(`${env.folder}/nothing`, `${env.folder}/dangling.json`);
    const variables = { GRAPH_TOKEN_CACHE: `${env.folder}/dangling.json` };
    assertEquals((await env.runWith({ env: variables }, "whoami", "--prompt")).code, 5);
    await Deno.symlink(dirname(cache), `${env.folder}/home`);
    const linked = { GRAPH_SCRIPTS_HOME: `${env.folder}/home` };
    assertEquals((await env.runWith({ env: linked }, "whoami")).code, 0);
  },
});

Deno.test("scripts reject a cache path that is a folder or below a file, before sign-in (exit code 2)", async () => {
  await using env = await startTestEnv({ signIn: false });
  const file = await env.file("plain.txt", "x");
  for (const [path, why] of [[env.folder, "is not a file"], [`${file}/tokens.json`, "not a folder"]]) {
    const { code, stderr } = await env.runWith({ env: { GRAPH_TOKEN_CACHE: path! } }, "whoami", "--prompt");
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, why!);
  }
  assertEquals(env.sandbox.requests, []);
});

Deno.test({
  name: "scripts in a read-only folder use a valid token, and refresh an expired one for one run",
  ignore: noFreezing,
  async fn() {
    await using env = await startTestEnv();
    const cache = await cacheOf(env);
    const before = await Deno.readTextFile(cache);
    await using _frozen = await freeze(dirname(cache));
    const silent = await env.run("whoami");
    assertEquals([silent.code, silent.stderr], [0, ""]);
    env.sandbox.expireAccessTokens();
    for (let i = 0; i < 2; i++) {
      const { code, stderr } = await env.run("whoami", "--no-prompt");
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /the sign-in works for this run, but cannot be kept in .*permission denied/);
    }
    assertEquals(await Deno.readTextFile(cache), before);
    const signOut = await env.run("whoami", "--sign-out");
    assertEquals([signOut.code, signOut.stdout], [5, ""]);
    assertEquals(await Deno.readTextFile(cache), before);
  },
});

Deno.test({
  name: "whoami does not sign in when the cache cannot be written",
  ignore: noFreezing,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    const folder = `${env.folder}/frozen`;
    await Deno.mkdir(folder, { mode: 0o700 });
    await using _frozen = await freeze(folder);
    const variables = { GRAPH_TOKEN_CACHE: `${folder}/tokens.json` };
    const { code, stderr } = await env.runWith({ env: variables }, "whoami", "--prompt");
    assertEquals([code, env.sandbox.requests.length], [5, 0]);
    assertMatch(stderr, /permission denied: open .*tokens\.json\.lock/);
  },
});

Deno.test("scripts remove leftovers of a killed process with the next write", async () => {
  await using env = await startTestEnv();
  const cache = await cacheOf(env);
  const left = `${cache}.${crypto.randomUUID()}.tmp`;
  const others = [`${cache}.tmp`, `${cache}.notes.tmp`];
  for (const path of [left, ...others]) await Deno.writeTextFile(path, "{ half", { mode: 0o600 });
  env.sandbox.expireAccessTokens();
  assertEquals((await env.run("whoami")).code, 0);
  const names = await Array.fromAsync(
    Deno.readDir(dirname(cache)),
    ({ name }) => `${dirname(cache)}/${name}`,
  );
  assert(!names.includes(left), "a leftover file was not removed");
  for (const path of others) assert(names.includes(path), `${path} is not ours to remove`);
});
