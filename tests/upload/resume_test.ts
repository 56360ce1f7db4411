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

/** Starts an upload and kills it after the given number of fragment requests. */
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

Deno.test("put-large resumes at the next expected byte after a kill", async () => {
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

Deno.test("put and put-large resume from another folder, by another path and with another fragment size", async () => {
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

Deno.test("put-large keeps its journal entry private", async () => {
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

Deno.test("put-large does not resume a changed local file, and cancels the old session", async () => {
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

Deno.test("put-large --conflict fail does not resume an upload that may replace", async () => {
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

Deno.test("put-large --no-resume starts from the first byte", async () => {
  await using env = await startTestEnv();
  await killed(env, 4);
  const { stdout } = await env.run("put-large", "--json", "--no-resume", ...SMALL, "big.bin", "General/");
  assertEquals(jsonLines(stdout)[0]!.resumedFrom, null);
  await arrived(env);
});

Deno.test("put-large sends nothing when the killed process had committed the upload", async () => {
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

Deno.test("put-large finds the committed file when the process was killed after the last response", async () => {
  await using env = await startTestEnv();
  await killed(env, 9);
  env.sandbox.tenant.addFile("Documents", "General/big.bin", content);
  const { code, stdout } = await env.run("put-large", "--json", ...SMALL, "big.bin", "General/big.bin");
  assertEquals(
    [code, jsonLines(stdout)[0]!.resumedFrom],
    [0, 8 * UNIT],
    "the existing file hid the unfinished upload",
  );
  assertEquals(await journal(env), []);
});

Deno.test("put-large restarts an upload whose session is lost or whose URL is refused", async () => {
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

Deno.test("put-large reports progress and how to resume after Ctrl-C or an outage", async () => {
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

Deno.test("put-large rejects a concurrent upload of the same file", async () => {
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

Deno.test("put-large moves an unreadable journal entry aside", async () => {
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
    // Without its journal entry the old session blocks the name until it expires.
    assertEquals(again.code, 6);
    assertMatch(again.stderr, /is not readable; it is kept as \S+\.unreadable-/);
  }
});

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the process has just ended
  }
}

/** `GRAPH_SCRIPTS_KILLS=200` runs the campaign in full. */
const KILLS = Number(Deno.env.get("GRAPH_SCRIPTS_KILLS") ?? 12);

Deno.test(`put-large survives ${KILLS} kills at random moments, and resends at most one fragment for each`, async () => {
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
      // Later and later, so that a busy machine, on which a process starts slowly, finishes as well.
      const timer = setTimeout(() => kill(child), 60 + Math.random() * (250 + 50 * mine));
      const { code } = await child.output();
      clearTimeout(timer);
      if (code === 6) {
        // Killed after the service created the session and before its response arrived: the URL is lost. Once a
        // fragment is sent, the journal has it.
        assertEquals(sent(env).length, before, "a session with fragments was lost");
        lost++;
        break;
      }
      if (code !== 0) mine++;
      // A process killed after the commit leaves nothing to resume either.
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
  assertEquals(env.sandbox.tenant.openSessions().length, lost);
  assertEquals(await journal(env), []);
});
