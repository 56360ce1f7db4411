/** Throttled requests (PROTOCOL 8 and 17.2, item 1). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { assertWaited, type FaultEnv, faultTest, FOUR_FRAGMENTS } from "../campaign/fault_env.ts";
import type { FaultName } from "../sandbox/mod.ts";
import { fastClock } from "../test_env.ts";

interface Command {
  command: string;
  run(env: FaultEnv): ReturnType<FaultEnv["run"]>;
  /** The requests when the first attempt gets this status and the second succeeds. */
  story(status: number): string[];
}

const COMMANDS: Command[] = [
  {
    command: "ls",
    run: (env) => env.run("ls", "General"),
    story: (status) => [`list ${status}`, "list 200"],
  },
  {
    command: "put",
    run: async (env) => await env.run("put", await env.file("a.txt", "a"), "General/"),
    story: (status) => [`put ${status}`, "put 201"],
  },
  {
    command: "put-large",
    run: (env) => env.upload(FOUR_FRAGMENTS),
    // The status of the session is requested before the fragment is sent again.
    story: (
      status,
    ) => [
      "create 200",
      "send 0 202",
      `send 1 ${status}`,
      "ask 200",
      "send 1 202",
      "send 2 202",
      "send 3 201",
    ],
  },
  {
    command: "get",
    run: (env) => env.run("get", "General/Agenda.md"),
    story: (status) => [`download ${status}`, "download 200"],
  },
];

/** Like `faultTest`, with a {@linkcode fastClock}: the test gets the waits in milliseconds. */
function recordedFaultTest(
  name: FaultName,
  title: string,
  test: (env: FaultEnv, waitsMs: number[]) => Promise<void>,
) {
  const http = fastClock();
  faultTest(name, title, (env) => test(env, http.waits), { http });
}

function assertBetween(ms: number | undefined, minMs: number, maxMs: number): void {
  assert(ms !== undefined && ms >= minMs && ms <= maxMs, `waits ${ms} ms instead of ${minMs} to ${maxMs} ms`);
}

/** Bounds of the wait before the retry, in milliseconds. */
const WAITS: [FaultName, string, number, number][] = [
  ["throttled-with-retry-after", "waits as long as the service asks", 2000, 2000],
  ["throttled-with-date", "waits until the date that the service names", 1000, 2000],
  ["throttled-as-plain-text", "retries although the response is not JSON", 500, 1000],
];

for (const [name, title, minMs, maxMs] of WAITS) {
  for (const { command, run, story } of COMMANDS) {
    recordedFaultTest(name, `${command} ${title}`, async (env, waitsMs) => {
      const { code, stderr } = await run(env);
      assertEquals(code, 0, stderr);
      assertEquals(env.story(), story(429));
      assertBetween(waitsMs[0], minMs, maxMs);
      assertEquals(waitsMs.length, 1);
      if (minMs >= 2000) {
        assertMatch(stderr, /^[\w-]+: waiting 0:02: .*(HTTP 429|the service is throttling)/m);
      }
    });
  }
}

for (const { command, run } of COMMANDS) {
  recordedFaultTest(
    "throttled-without-retry-after",
    `${command} retries after half to one second, then after one to two`,
    async (env, waitsMs) => {
      const { code, stderr } = await run(env);
      assertEquals(code, 0, stderr);
      const [first, second, ...more] = waitsMs;
      assertBetween(first, 500, 1000);
      assertBetween(second, 1000, 2000);
      assertEquals(more, []);
      const throttled = env.requests().filter(({ fault }) => fault);
      assertEquals(throttled.map(({ status }) => status), [429, 429]);
    },
  );

  faultTest("throttled-for-an-hour", `${command} fails at once (exit code 8)`, async (env) => {
    const started = performance.now();
    const { code, stderr } = await run(env);
    assertEquals(code, 8, stderr);
    assert(performance.now() - started < 10_000, "waited");
    assertEquals(env.requests().filter(({ fault }) => fault).length, 1);
    assertMatch(stderr, /the service is throttling/);
    if (command !== "put-large") {
      assertMatch(stderr, /wait 1:00:00, as the service asks, then run the same command again/);
    }
    assertMatch(stderr, /activityLimitReached|throttledRequest/);
    assertEquals(env.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
    assertEquals(env.sandbox.tenant.find("Documents", "General/a.txt"), undefined);
    for await (const { name } of Deno.readDir(env.folder)) {
      assert(name !== "Agenda.md", "an error response was saved as a file");
    }
  });
}

for (const { command, run, story } of COMMANDS) {
  recordedFaultTest(
    "server-too-busy",
    `${command} waits as long as the service asks`,
    async (env, waitsMs) => {
      const { code, stderr } = await run(env);
      assertEquals(code, 0, stderr);
      assertEquals(env.story(), story(503));
      assertEquals(waitsMs, [1000]);
    },
  );
}

faultTest(
  "throttled-with-retry-after",
  "put-large completes a throttled session in real time",
  async (env) => {
    const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
    assertEquals(code, 0, stderr);
    assertWaited(env.gapsMs()[0], 2000);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
    assertEquals(env.sandbox.tenant.openSessions(), []);
  },
);

faultTest(
  "throttled-for-an-hour",
  "put-large reports how long the service asks to wait",
  async (env) => {
    const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
    assertEquals(code, 8);
    assertMatch(stderr, /1:00:00/);
    assertEquals(/within 15 minutes/.test(stderr), false, stderr);
  },
);
