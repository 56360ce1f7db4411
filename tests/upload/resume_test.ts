import { assert, assertEquals, assertMatch } from "../assert.ts";
import { jsonLines, pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

const UNIT = 327_680;
const SIZE = 8 * UNIT + 11;
const SMALL = ["--fragment-size", "320KiB"];
const fragments = { service: "storage" as const, method: "PUT" };
const content = pseudoRandomBytes(SIZE);

function sent(env: TestEnv): { range: string; bytes: number }[] {
  return env.sandbox.requests.filter(({ service, method }) => service === "storage" && method === "PUT")
    .map(({ headers, requestBytes }) => ({ range: headers["content-range"] ?? "", bytes: requestBytes }));
}

async function journal(env: TestEnv): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${env.sandbox.env.GRAPH_SCRIPTS_HOME}/uploads`)) {
    names.push(name);
  }
  return names.filter((name) => name.endsWith(".json"));
}

/** Starts an upload and kills it when so many fragments are on their way. */
async function killed(
  env: TestEnv,
  afterFragments: number,
  signal: Deno.Signal = "SIGKILL",
): Promise<string> {
  const file = await env.file("big.bin", content);
  await Deno.utime(file, new Date(1_700_000_000_000), new Date(1_700_000_000_000));
  env.sandbox.addFault({ ...fragments, nth: afterFragments, delayMs: 20_000 });
  const before = sent(env).length;
  const child = env.spawn("put-large", ...SMALL, file, "General/");
  while (
    env.sandbox.requests.filter(({ fault }) => fault !== undefined).length === 0 &&
    sent(env).length - before < afterFragments
  ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill(signal);
  const { stderr } = await child.output();
  env.sandbox.clearFaults();
  return new TextDecoder().decode(stderr);
}

async function arrived(env: TestEnv): Promise<void> {
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), content);
  assertEquals(env.sandbox.tenant.openSessions(), []);
  assertEquals(await journal(env), []);
}

Deno.test("after a kill the same command goes on where the server stands", async () => {
  await using env = await startTestEnv();
  await killed(env, 4);
  assertEquals((await journal(env)).length, 1);
  const before = sent(env).length;
  const { code, stdout, stderr } = await env.run("put-large", "--json", ...SMALL, "big.bin", "General/");
  assertEquals(code, 0, stderr);
  assertEquals(jsonLines(stdout)[0]!.resumedFrom, 3 * UNIT);
  assertEquals(sent(env).slice(before).length, 6);
  await arrived(env);
});

Deno.test("it goes on from another folder, by another path, with another fragment size, and with put", async () => {
  await using env = await startTestEnv();
  await killed(env, 3);
  await Deno.mkdir(`${env.folder}/sub`);
  const { code, stdout, stderr } = await env.runProcessWith(
    { cwd: `${env.folder}/sub` },
    "put-large",
    "--json",
    "--fragment-size",
    "640KiB",
    "../big.bin",
    "site:TestTeam/General/big.bin",
  );
  assertEquals(code, 0, stderr);
  assertEquals(jsonLines(stdout)[0]!.resumedFrom, 2 * UNIT);
  await arrived(env);
});

Deno.test("the record of an unfinished upload is private", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  await killed(env, 2);
  const [name] = await journal(env);
  const path = `${env.sandbox.env.GRAPH_SCRIPTS_HOME}/uploads/${name}`;
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  await Deno.chmod(path, 0o644);
  const { code, stderr } = await env.run("put-large", "big.bin", "General/");
  assertEquals(code, 5);
  assertMatch(stderr, /chmod 600/);
});

Deno.test("a changed local file is never gone on with: the old session is cancelled", async () => {
  await using env = await startTestEnv();
  await killed(env, 4);
  const other = pseudoRandomBytes(SIZE, 5);
  await env.file("big.bin", other);
  await Deno.utime(`${env.folder}/big.bin`, new Date(1_700_000_000_000), new Date(1_700_000_000_000));
  const { code, stdout, stderr } = await env.run("put-large", "--json", ...SMALL, "big.bin", "General/");
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /has changed since its upload was interrupted/);
  assertEquals(jsonLines(stdout)[0]!.resumedFrom, null);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), other);
  assertEquals(env.sandbox.tenant.openSessions(), []);
});

Deno.test("an unfinished upload that may replace is not gone on with when that is not wanted", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/big.bin", "theirs");
  await killed(env, 4);
  const { code, stderr } = await env.run("put-large", "--conflict", "fail", ...SMALL, "big.bin", "General/");
  assertEquals(code, 6, stderr);
  assertEquals(
    await env.sandbox.tenant.bytes("Documents", "General/big.bin"),
    new TextEncoder().encode("theirs"),
  );
  assertEquals(env.sandbox.tenant.openSessions(), []);
});

Deno.test("--no-resume starts from the first byte", async () => {
  await using env = await startTestEnv();
  await killed(env, 4);
  const { stdout } = await env.run("put-large", "--json", "--no-resume", ...SMALL, "big.bin", "General/");
  assertEquals(jsonLines(stdout)[0]!.resumedFrom, null);
  await arrived(env);
});

Deno.test("an upload that was complete when its process died is found finished, and nothing is sent", async () => {
  await using env = await startTestEnv();
  const file = await env.file("big.bin", content);
  env.sandbox.addFault({ ...fragments, nth: 9, when: "after", delayMs: 20_000 });
  const child = env.spawn("put-large", ...SMALL, file, "General/");
  while (env.sandbox.tenant.find("Documents", "General/big.bin") === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill("SIGKILL");
  await child.output();
  env.sandbox.clearFaults();
  const before = sent(env).length;
  const { code, stdout, stderr } = await env.run("put-large", "--json", ...SMALL, file, "General/");
  assertEquals(code, 0, stderr);
  assertEquals([jsonLines(stdout)[0]!.result, sent(env).length], ["created", before]);
  await arrived(env);
});

Deno.test("a process that dies between the last answer and its end is found finished, too", async () => {
  await using env = await startTestEnv();
  await killed(env, 9);
  env.sandbox.tenant.addFile("Documents", "General/big.bin", content);
  const { code, stdout } = await env.run("put-large", "--json", ...SMALL, "big.bin", "General/big.bin");
  assertEquals(
    [code, jsonLines(stdout)[0]!.resumedFrom],
    [0, 8 * UNIT],
    "the file that is there by now hid the unfinished upload",
  );
  assertEquals(await journal(env), []);
});

Deno.test("a session that is gone, or whose URL is dead, is begun anew", async () => {
  await using env = await startTestEnv();
  for (const status of [404, 401, 403]) {
    await killed(env, 3);
    env.sandbox.addFault({
      service: "storage",
      method: "GET",
      status,
      body: { error: { code: "itemNotFound" } },
    });
    const { code, stdout, stderr } = await env.run("put-large", "--json", ...SMALL, "big.bin", "General/");
    assertEquals(code, 0, stderr);
    assertEquals(jsonLines(stdout)[0]!.resumedFrom, null);
    await arrived(env);
  }
});

Deno.test("Ctrl-C says how far it got and how to go on; so does a service that stays away", async () => {
  await using env = await startTestEnv();
  if (Deno.build.os !== "windows") {
    assertMatch(
      await killed(env, 4, "SIGINT"),
      /^put-large: \S+big\.bin: interrupted; 983040 of 2621451 bytes \(37 %\) are uploaded; run the same command again/,
    );
  } else await killed(env, 4);
  assertEquals((await env.run("put-large", ...SMALL, "big.bin", "General/")).code, 0);
  await arrived(env);
});

Deno.test("an unfinished upload of another file to the same place gives way", async () => {
  await using env = await startTestEnv();
  await killed(env, 3);
  const { code, stderr } = await env.run(
    "put-large",
    await env.file("other.bin", pseudoRandomBytes(UNIT, 3)),
    "General/big.bin",
  );
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /cancelling the unfinished upload of \S+big\.bin to the same place/);
  assertEquals(env.sandbox.tenant.openSessions(), []);
  assertEquals(await journal(env), []);
});

Deno.test("two processes do not send the same upload", async () => {
  await using env = await startTestEnv();
  const file = await env.file("big.bin", content);
  env.sandbox.addFault({ ...fragments, nth: 2, delayMs: 1500 });
  const child = env.spawn("put-large", ...SMALL, file, "General/");
  while (sent(env).length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  const { code, stderr } = await env.run("put-large", ...SMALL, file, "General/");
  assertEquals(code, 8);
  assertMatch(stderr, /another process holds/);
  assertEquals((await child.output()).code, 0);
  await arrived(env);
});

Deno.test("a record that cannot be understood is set aside", async () => {
  await using env = await startTestEnv();
  await killed(env, 3);
  const [name] = await journal(env);
  const path = `${env.sandbox.env.GRAPH_SCRIPTS_HOME}/uploads/${name}`;
  for (const text of ["{ half", "{}", "null"]) {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    if (Deno.build.os !== "windows") await Deno.chmod(path, 0o600);
    const { stderr } = await env.run("put-large", ...SMALL, "big.bin", "General/other.bin");
    assertEquals(stderr, "", "an entry of another upload was touched");
    const again = await env.run("put-large", ...SMALL, "big.bin", "General/");
    // Without its record our own session blocks the name, until it ends by itself.
    assertEquals(again.code, 6);
    assertMatch(again.stderr, /is not readable; it is kept as \S+\.unreadable-/);
  }
});

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended this very moment
  }
}

/** `GRAPH_SCRIPTS_KILLS=200` runs the campaign in full. */
const KILLS = Number(Deno.env.get("GRAPH_SCRIPTS_KILLS") ?? 12);

Deno.test(`${KILLS} kills at random moments: the bytes are right, at most one fragment is sent again for each`, async () => {
  await using env = await startTestEnv();
  const file = await env.file("big.bin", content);
  let kills = 0;
  let lost = 0;
  env.sandbox.addFault({ ...fragments, times: "always", delayMs: 15 });
  for (let uploads = 0; kills < KILLS; uploads++) {
    const before = sent(env).length;
    let mine = 0;
    for (let over = false; !over;) {
      const child = env.spawn("put-large", ...SMALL, file, `General/${uploads}.bin`);
      const timer = setTimeout(() => kill(child), 60 + Math.random() * 250);
      const { code } = await child.output();
      clearTimeout(timer);
      if (code === 6) {
        lost++; // killed after the service made the session and before its answer was here: nobody knows its URL
        break;
      }
      if (code !== 0) mine++;
      // Killed after its work was done, it has nothing to go on with either.
      over = code === 0 ||
        (env.sandbox.tenant.find("Documents", `General/${uploads}.bin`) !== undefined &&
          (await journal(env)).length === 0);
      if (!over) continue;
      const bytes = sent(env).slice(before).reduce((sum, { bytes }) => sum + bytes, 0);
      assert(bytes <= SIZE + (mine + 1) * UNIT, `${bytes} bytes for ${SIZE} after ${mine} kills`);
      assertEquals(await env.sandbox.tenant.bytes("Documents", `General/${uploads}.bin`), content);
    }
    kills += mine;
  }
  assert(lost <= KILLS / 10, `${lost} sessions were lost`);
  assertEquals(env.sandbox.tenant.openSessions().length, lost);
  assertEquals(await journal(env), []);
});
