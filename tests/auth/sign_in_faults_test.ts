/** `whoami` when a device code sign-in fails (PROTOCOL 13 and 17.2, item 13). */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { assertWaited, type FaultEnv, faultTest } from "../campaign/fault_env.ts";
import { signInWithoutWaiting } from "./fake_waits.ts";
import type { FaultName } from "../sandbox/mod.ts";

const signingIn = { token: false };
const run = (env: FaultEnv) => env.run("whoami", "--prompt");

/** Statuses of the polls. */
function polls(env: FaultEnv): number[] {
  return env.requests().filter(({ path, method }) => method === "POST" && path.includes("/oauth2/v2.0/token"))
    .map(({ status }) => status);
}

/** Token cache files. */
async function caches(env: FaultEnv): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(env.sandbox.env.GRAPH_SCRIPTS_HOME!)) names.push(name);
  return names.filter((name) => name.endsWith(".json"));
}

/** Asserts that the sign-in fails with this exit code and message, and writes no cache. */
async function fails(env: FaultEnv, code: number, message: RegExp): Promise<void> {
  const ended = await run(env);
  assertEquals(ended.code, code, ended.stderr);
  assertEquals(ended.stdout, "");
  assertMatch(ended.stderr, message);
  assertEquals(await caches(env), []);
  assert(env.requests().every(({ service }) => service === "login"), "Graph got a request without a sign-in");
}

const ENDED: [FaultName, string, number, RegExp, number[]][] = [
  [
    "device-code-expired",
    "whoami requests no second code when the code expires",
    4,
    /the code expired or was refused; start again with: scripts\/whoami\.ts.*53003.*AADSTS70020/s,
    [400],
  ],
  [
    "device-code-declined",
    "whoami shows no second code when consent is declined",
    5,
    /you declined the consent or the sign-in.*AADSTS65004/s,
    [400],
  ],
  [
    "public-client-off",
    "whoami names the portal setting and stops polling",
    5,
    /Allow public client flows to Yes.*AADSTS7000218/s,
    [400, 401],
  ],
  [
    "device-code-blocked",
    "whoami names the policy and stops polling",
    5,
    /a Conditional Access policy blocks this sign-in.*for the administrator.*AADSTS53003/s,
    [400],
  ],
  [
    "sign-in-html-at-poll",
    "whoami rejects a web page in response to a poll",
    1,
    /is not from the sign-in service; a proxy/,
    [200],
  ],
  ["sign-in-html", "whoami shows no code", 1, /is not from the sign-in service; a proxy/, []],
  [
    "sign-in-error-under-200",
    "whoami shows no code",
    5,
    /Allow public client flows to Yes.*AADSTS7000218/s,
    [],
  ],
];

for (const [name, title, code, message, expected] of ENDED) {
  faultTest(name, `${title} (exit code ${code})`, async (env) => {
    await fails(env, code, message);
    assertEquals(polls(env), expected);
    const codes = env.requests().filter(({ path }) => path.includes("/devicecode"));
    assertEquals(codes.length, 1);
  }, signingIn);
}

for (const name of ["sign-in-html", "sign-in-error-under-200"] as const) {
  faultTest(name, "whoami prints no instruction without a code", async (env) => {
    const { stderr } = await run(env);
    assertEquals(/To sign in/.test(stderr), false, stderr);
  }, signingIn);
}

faultTest(
  "device-code-never-approved",
  "whoami names a policy as a possible cause (exit code 4)",
  async (env) => {
    await fails(env, 4, /the code expired before it was approved.*53003/s);
    assert(polls(env).length <= 3, "polling did not stop");
  },
  { ...signingIn, pollIntervalSeconds: 1 },
);

// The waits are real: MSAL takes no clock for the interval.
faultTest("authorization-pending", "whoami polls at the interval until the approval", async (env) => {
  const { code, stderr } = await run(env);
  assertEquals(code, 0, stderr);
  assertEquals(polls(env), [400, 400, 400, 200]);
  for (const gap of env.gapsMs()) assertWaited(gap, 400);
}, { ...signingIn, pollIntervalSeconds: 0.4 });

faultTest(
  "slow-down",
  "device code sign-in adds five seconds to the interval, as RFC 8628 requires",
  async (env) => {
    const { waits } = await signInWithoutWaiting(env);
    assertEquals(waits[0], 5000);
  },
  signingIn,
);

faultTest(
  "sign-in-5xx",
  "whoami retries the start, continues polling, and shows one code",
  async (env) => {
    const { info, codes: shown } = await signInWithoutWaiting(env);
    assertEquals([info.username, shown.length], ["AdeleV@contoso.com", 1]);
    const codes = env.requests().filter(({ path }) => path.includes("/devicecode"));
    assertEquals(codes.map(({ status }) => status), [500, 200]);
    assertEquals(polls(env).slice(0, 2), [503, 504]);
    assertEquals(polls(env).at(-1), 200);
  },
  signingIn,
);
