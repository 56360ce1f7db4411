/** Many processes on one token cache, and processes that are killed while they renew it. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { dirname } from "../../lib/std.ts";
import { acquireLock } from "../../lib/local/lock.ts";
import { jsonLines, startTestEnv, type TestEnv } from "../test_env.ts";

const PROCESSES = Number(Deno.env.get("GRAPH_SCRIPTS_PROCESSES") ?? 50);
const ENCRYPTED_PROCESSES = Number(Deno.env.get("GRAPH_SCRIPTS_PROCESSES") ?? 10);
const KILLS = Number(Deno.env.get("GRAPH_SCRIPTS_KILLS") ?? 12);

/** Shown if the wait is long on a busy machine. */
const LONG_WAIT = /^ls: waiting for another process that holds \S+\n/;

type Entries = Record<string, { secret: string; home_account_id: string }>;

async function cacheOf(env: TestEnv): Promise<string> {
  return String(jsonLines((await env.run("whoami", "--json")).stdout)[0]!.cache);
}

async function sectionOf(cache: string, name: "RefreshToken" | "AccessToken" | "Account"): Promise<Entries> {
  return JSON.parse(await Deno.readTextFile(cache))[name];
}

/** Files beside the cache other than its lock, and the places that are remembered. */
async function leftBeside(cache: string): Promise<{ name: string; size: number }[]> {
  const left = [];
  for await (const { name } of Deno.readDir(dirname(cache))) {
    const path = `${dirname(cache)}/${name}`;
    if (path !== cache && path !== `${cache}.lock` && name !== "places.json") {
      left.push({ name, size: (await Deno.stat(path)).size });
    }
  }
  return left;
}

const tokenRequests = (env: TestEnv) =>
  env.sandbox.requests.filter(({ service, path }) =>
    service === "login" && path.includes("/oauth2/v2.0/token")
  );

for (const [encrypted, processes] of [[false, PROCESSES], [true, ENCRYPTED_PROCESSES]] as const) {
  Deno.test(`${processes} processes with an expired token refresh ${encrypted ? "an encrypted" : "a"} cache once`, async () => {
    await using env = await startTestEnv({ revokeOldRefreshTokens: true });
    const cache = await cacheOf(env);
    const variables: Record<string, string> = encrypted
      ? { GRAPH_TOKEN_CACHE_KEY: "0123456789abcdef".repeat(4) }
      : {};
    assertEquals((await env.runWith({ env: variables }, "ls", "General")).code, 0); // requests the permissions of ls
    env.sandbox.expireAccessTokens();
    const before = tokenRequests(env).length;
    const runs = Array.from(
      { length: processes },
      () => env.runProcessWith({ env: variables }, "ls", "General"),
    );
    const ended = await Promise.all(runs);
    assertEquals(
      ended.map(({ code, stderr }) => `${code}${stderr.replace(LONG_WAIT, "")}`),
      Array(processes).fill("0"),
    );
    assertEquals(new Set(ended.map(({ stdout }) => stdout)).size, 1);
    assertEquals(tokenRequests(env).slice(before).map(({ status }) => status), [200]);
    assertEquals(await leftBeside(cache), []);
    assertEquals((await env.runWith({ env: variables }, "ls", "General")).stderr, "");
  });
}

Deno.test(`token cache survives ${KILLS} kills during refreshes`, async () => {
  await using env = await startTestEnv();
  assertEquals((await env.run("ls")).code, 0);
  const cache = await cacheOf(env);
  const started = performance.now();
  env.sandbox.expireAccessTokens();
  await env.runProcess("ls");
  const wholeMs = performance.now() - started;
  const seen = { old: 0, new: 0, late: 0 };
  for (let i = 0; i < KILLS; i++) {
    const before = await Deno.readTextFile(cache);
    env.sandbox.expireAccessTokens();
    const asked = tokenRequests(env).length;
    const child = env.spawn("ls");
    let ended = false;
    const status = child.status.then((status) => (ended = true, status));
    // Every other kill aims at the write of the new tokens, which random kills rarely hit.
    if (i % 2) {
      while (!ended && tokenRequests(env).length === asked) await new Promise((go) => setTimeout(go, 1));
    }
    await new Promise((go) => setTimeout(go, Math.random() * (i % 2 ? 40 : wholeMs)));
    try {
      child.kill("SIGKILL");
    } catch {
      // the process has just ended
    }
    await Promise.all([status, child.stdout.cancel(), child.stderr.cancel()]);
    const after = await Deno.readTextFile(cache);
    seen[after === before ? "old" : (await status).signal ? "new" : "late"]++;
    const { RefreshToken, AccessToken, Account } = JSON.parse(after);
    assertEquals([RefreshToken, Account].map((section) => Object.keys(section).length), [1, 1]);
    assert(Object.values<{ secret: string }>(AccessToken).every(({ secret }) => secret.length > 100));
    const next = await env.run("ls", "--no-prompt");
    assertEquals([next.code, next.stderr], [0, ""]);
    for (const { name, size } of await leftBeside(cache)) {
      assertMatch(name, /\.tmp$/);
      assertEquals(size, 0, `${name} with ${JSON.stringify(seen)}`); // an empty probe file, removed by the next refresh
    }
  }
  if (KILLS >= 12) assert(seen.old > 0 && seen.new + seen.late > 0, JSON.stringify(seen));
  env.sandbox.expireAccessTokens();
  assertEquals((await env.run("ls", "--no-prompt")).code, 0);
  assertEquals(await leftBeside(cache), []);
});

/** Starts a sign-in and waits until it shows its code. */
async function waitingSignIn(env: TestEnv, account: string) {
  const child = env.spawn("whoami", "--prompt", "--account", account);
  let stderr = "";
  const shown = Promise.withResolvers<string>();
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      const [, code] = /enter the code (\w+) to/.exec(stderr) ?? [];
      if (code) shown.resolve(code);
    }
    shown.reject(new Error(`no code was shown: ${stderr}`));
  })();
  const stdout = new Response(child.stdout).text();
  return {
    code: await shown.promise,
    async ended() {
      const { code } = await child.status;
      await reading;
      return { code, stderr, stdout: await stdout };
    },
  };
}

Deno.test("whoami keeps both users who sign in at the same time", async () => {
  await using env = await startTestEnv({ signIn: false, approve: false, pendingPolls: 0 });
  const adele = await waitingSignIn(env, "AdeleV@contoso.com");
  const megan = await waitingSignIn(env, "MeganB@contoso.com");
  const folder = env.sandbox.env.GRAPH_SCRIPTS_HOME!;
  const lock = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).find((name) =>
    name.endsWith(".lock")
  )!;
  const cache = `${folder}/${lock.replace(/\.lock$/, "")}`;
  {
    await using _lock = await acquireLock(cache, { timeoutMs: 5000 });
    env.sandbox.user.approve(adele.code, "adele");
    env.sandbox.user.approve(megan.code, "megan");
    // Both have received their tokens, and neither can write yet.
    while (tokenRequests(env).filter(({ status }) => status === 200).length < 2) {
      await new Promise((go) => setTimeout(go, 10));
    }
    const there = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assertEquals(there, [lock]);
  }
  for (const { code, stderr, stdout } of await Promise.all([adele.ended(), megan.ended()])) {
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /@contoso.com/i);
  }
  assertEquals(Object.keys(await sectionOf(cache, "Account")).length, 2);
  assertEquals(Object.keys(await sectionOf(cache, "RefreshToken")).length, 2);
  for (const account of ["AdeleV@contoso.com", "MeganB@contoso.com"]) {
    const { code, stderr } = await env.run("whoami", "--no-prompt", "--account", account);
    assertEquals([code, stderr], [0, ""]);
  }
});

Deno.test("a process that waited for another's refresh does not refresh", async () => {
  await using env = await startTestEnv();
  const cache = await cacheOf(env);
  env.sandbox.expireAccessTokens();
  const asked = tokenRequests(env).length;
  const lock = await acquireLock(cache, { timeoutMs: 0 });
  const refused = env.sandbox.requests.length;
  const waiting = env.runProcess("whoami");
  while (env.sandbox.requests.length === refused) await new Promise((go) => setTimeout(go, 10));
  // Simulates a refresh by another process: its tokens are written while this test holds the lock.
  const content = JSON.parse(await Deno.readTextFile(cache));
  for (const entry of Object.values<Record<string, string>>(content.AccessToken)) {
    entry.secret = env.sandbox.issueToken();
  }
  await Deno.writeTextFile(cache, JSON.stringify(content));
  await lock![Symbol.asyncDispose]();
  const { code, stderr } = await waiting;
  assertEquals([code, stderr], [0, ""]);
  assertEquals(tokenRequests(env).length, asked);
});
