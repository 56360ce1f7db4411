import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { signInWithoutWaiting } from "./fake_waits.ts";
import { startTestEnv } from "../test_env.ts";

const cacheOf = (home: string) =>
  [...Deno.readDirSync(home)].map(({ name }) => name).filter((name) => name.endsWith(".json")).map((name) =>
    `${home}/${name}`
  );

Deno.test("whoami shows the device code in the service's words, on standard error only", async () => {
  await using env = await startTestEnv({ signIn: false });
  const { code, stdout, stderr } = await env.run("whoami", "--prompt");
  assertEquals(code, 0, stderr);
  assertMatch(
    stderr,
    /^To sign in, use a web browser to open the page http:\S+\/devicelogin and enter the code \w+ to authenticate\.\nThe code, valid until \d\d:\d\d:\n\w+\n$/,
  );
  assertMatch(stdout, /^Adele Vance <AdeleV@contoso.com>\n/);
  const [inText, alone] = [/code (\w+) to/.exec(stderr)![1], stderr.split("\n").at(-2)];
  assertEquals(alone, inText);
});

Deno.test("whoami leaves no file after a declined sign-in (exit code 5)", async () => {
  await using env = await startTestEnv({ signIn: false, approve: false });
  env.sandbox.user.always = "decline";
  const { code, stderr } = await env.run("whoami", "--prompt");
  assertEquals(code, 5);
  assertStringIncludes(stderr, "you declined");
  assertEquals(cacheOf(env.sandbox.env.GRAPH_SCRIPTS_HOME!), []);
});

Deno.test("whoami fails when the code expires without approval (exit code 4)", async () => {
  await using env = await startTestEnv({ signIn: false, approve: false, deviceCodeLifeSeconds: 1 });
  const { code, stderr } = await env.run("whoami", "--prompt");
  assertEquals(code, 4);
  assertMatch(stderr, /expired/);
});

Deno.test("whoami continues polling after slow_down, 429, 503 and a dropped connection", async () => {
  await using env = await startTestEnv({ signIn: false });
  const poll = { service: "login" as const, path: "/oauth2/v2.0/token", method: "POST" };
  env.sandbox.addFault({ ...poll, status: 429, body: "slow" });
  env.sandbox.addFault({ ...poll, nth: 2, drop: true });
  env.sandbox.addFault({ ...poll, nth: 3, status: 503, body: "busy" });
  env.sandbox.addFault({ ...poll, nth: 4, status: 400, body: { error: "slow_down" } });

  const { info, codes, waits } = await signInWithoutWaiting(env);

  assertEquals([info.username, codes.length], ["AdeleV@contoso.com", 1]);
  assertEquals(waits.slice(0, 4), [5_000, 10_000, 15_000, 20_000]);
});

Deno.test("whoami fails on an error under HTTP 200 instead of a device code (A2)", async () => {
  await using env = await startTestEnv({ signIn: false });
  env.sandbox.addFault({
    path: "/devicecode",
    status: 200,
    body: {
      error: "unauthorized_client",
      error_description: "AADSTS700016: Application not found",
      error_codes: [700016],
    },
  });
  const { code, stderr } = await env.run("whoami", "--prompt");
  assertEquals(code, 2);
  assertMatch(stderr, /the tenant does not know the app.*AADSTS700016/s);
});

Deno.test("whoami ends at once on Ctrl-C while a code waits for approval (exit code 130)", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv({ signIn: false, approve: false, pollIntervalSeconds: 30 });
  const child = env.spawn("whoami", "--prompt");
  while (!env.sandbox.requests.some(({ path }) => path.includes("/devicecode"))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const started = performance.now();
  child.kill("SIGINT");
  assertEquals((await child.output()).code, 130);
  assert(performance.now() - started < 3000, "waited for the next poll");
});

Deno.test("whoami shows the code with --quiet and --json", async () => {
  for (const option of ["--quiet", "--json"]) {
    await using env = await startTestEnv({ signIn: false });
    const { code, stderr } = await env.run("whoami", "--prompt", option);
    assertEquals(code, 0);
    assertMatch(stderr, /until \d\d:\d\d:\n\w{6,}\n$/);
  }
});

Deno.test("whoami escapes control characters of the service", async () => {
  await using env = await startTestEnv({ signIn: false });
  env.sandbox.addFault({ path: "/devicecode", patch: { message: "open \u001b[2Jthis page" } });
  const { stderr } = await env.run("whoami", "--prompt");
  assert(!stderr.includes("\u001b"), JSON.stringify(stderr));
  assertStringIncludes(stderr, "[2Jthis page");
});

Deno.test("scripts do not refresh the token because of a wrong clock", async () => {
  for (const clockOffsetSeconds of [-7200, 7200]) {
    await using env = await startTestEnv({ signIn: false, clockOffsetSeconds });
    assertEquals((await env.run("whoami", "--prompt")).code, 0);
    const before = env.sandbox.requests.length;
    assertEquals((await env.run("whoami", "--no-prompt")).stderr, "");
    assertEquals(env.sandbox.requests.slice(before).map(({ service }) => service), ["graph"]);
  }
});

Deno.test("ls leaves the cache unchanged on Ctrl-C while consent is pending", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv({ consented: ["User.Read"], pollIntervalSeconds: 1 });
  const [cache] = cacheOf(env.sandbox.env.GRAPH_SCRIPTS_HOME!);
  const content = await Deno.readTextFile(cache!);
  env.sandbox.user.ignore();
  const before = env.sandbox.requests.length;
  const child = env.spawn("ls", "--prompt", "me:");
  const asked = () => env.sandbox.requests.slice(before).some(({ path }) => path.includes("/devicecode"));
  while (!asked()) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGINT");
  assertEquals((await child.output()).code, 130);
  assertEquals(await Deno.readTextFile(cache!), content);
});
