/** What scripts do when they are throttled (PROTOCOL 8 and 17.2, item 1). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { assertWaited, type FaultEnv, faultTest, FOUR_FRAGMENTS } from "../campaign/fault_env.ts";
import type { FaultName } from "../sandbox/mod.ts";

interface Work {
  /** As the word of a sentence. */
  of: string;
  run(env: FaultEnv): ReturnType<FaultEnv["struck"]>;
  /** What happens when the first try is answered by this status, and the second is not. */
  story(status: number): string[];
}

const WORKS: Work[] = [
  {
    of: "a listing",
    run: (env) => env.struck("ls", "General"),
    story: (status) => [`list ${status}`, "list 200"],
  },
  {
    of: "an upload in one request",
    run: async (env) => await env.struck("put", await env.file("a.txt", "a"), "General/"),
    story: (status) => [`put ${status}`, "put 201"],
  },
  {
    of: "a fragment",
    run: (env) => env.upload(FOUR_FRAGMENTS),
    // The session is asked where it stands before anything is sent again.
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
    of: "a download",
    run: (env) => env.struck("get", "General/Agenda.md"),
    story: (status) => [`download ${status}`, "download 200"],
  },
];

/** From the answer to the next try, in milliseconds. */
const WAITS: [FaultName, string, number, number][] = [
  ["throttled-with-retry-after", "waits as long as the service asks", 2000, 2000],
  ["throttled-with-date", "waits until the date that the service names", 1000, 2000],
  ["throttled-as-plain-text", "is tried again though the answer is no JSON", 500, 1000],
];

for (const [name, sentence, leastMs, mostMs] of WAITS) {
  for (const { of, run, story } of WORKS) {
    faultTest(name, `${of} ${sentence}`, async (env) => {
      const { code, stderr } = await run(env);
      assertEquals(code, 0, stderr);
      assertEquals(env.story(), story(429));
      assertWaited(env.gapsMs()[0], leastMs, mostMs);
      if (leastMs >= 2000) {
        assertMatch(stderr, /^[\w-]+: waiting 0:02: .*(HTTP 429|the service is throttling)/m);
      }
    });
  }
}

for (const { of, run } of WORKS) {
  faultTest(
    "throttled-without-retry-after",
    `${of} is tried again after half to one second, then after one to two`,
    async (env) => {
      const { code, stderr } = await run(env);
      assertEquals(code, 0, stderr);
      const [first, second, ...more] = env.gapsMs();
      assertWaited(first, 500, 1000);
      assertWaited(second, 1000, 2000);
      assertEquals(more, []);
      const struck = env.requests().filter(({ fault }) => fault);
      assertEquals(struck.map(({ status }) => status), [429, 429]);
    },
  );

  faultTest("throttled-for-an-hour", `${of} is given up at once: exit code 8`, async (env) => {
    const started = performance.now();
    const { code, stderr } = await run(env);
    assertEquals(code, 8, stderr);
    assert(performance.now() - started < 10_000, "waited");
    assertEquals(env.requests().filter(({ fault }) => fault).length, 1);
    assertMatch(stderr, /the service is throttling/);
    if (of !== "a fragment") {
      assertMatch(stderr, /wait 1:00:00, as the service asks, then run the same command again/);
    }
    assertMatch(stderr, /activityLimitReached|throttledRequest/);
    assertEquals(env.sandbox.tenant.find("Documents", "General/big.bin"), undefined);
    assertEquals(env.sandbox.tenant.find("Documents", "General/a.txt"), undefined);
    for await (const { name } of Deno.readDir(env.folder)) {
      assert(name !== "Agenda.md", "an answer became a file");
    }
  });
}

for (const { of, run, story } of WORKS) {
  faultTest("server-too-busy", `${of} is tried again over a new connection, to the second`, async (env) => {
    const { code, stderr } = await run(env);
    assertEquals(code, 0, stderr);
    assertEquals(env.story(), story(503));
    assertWaited(env.gapsMs()[0], 1000);
    const requests = env.requests();
    const busy = requests.findIndex(({ fault }) => fault);
    const { service, connection } = requests[busy]!;
    const later = requests.slice(busy + 1).filter((request) => request.service === service);
    assert(later.length > 0, "nothing was tried again");
    assert(later.every((request) => request.connection !== connection), "the old connection was used again");
  });
}

faultTest(
  "throttled-with-retry-after",
  "nothing of the session is lost, and none is left open",
  async (env) => {
    const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
    assertEquals(code, 0, stderr);
    assertEquals(await env.sandbox.tenant.bytes("Documents", "General/big.bin"), FOUR_FRAGMENTS);
    assertEquals(env.sandbox.tenant.openSessions(), []);
  },
);

faultTest(
  "throttled-for-an-hour",
  "a fragment's error tells the hour that the service asks for",
  async (env) => {
    const { code, stderr } = await env.upload(FOUR_FRAGMENTS);
    assertEquals(code, 8);
    assertMatch(stderr, /1:00:00/);
    assertEquals(/within 15 minutes/.test(stderr), false, stderr);
  },
);
