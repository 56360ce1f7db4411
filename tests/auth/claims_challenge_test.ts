/**
 * Claims challenges (PROTOCOL 9.1, A10). The scripts do not declare `cp1`, so the service should not send them any;
 * if one arrives, they satisfy it once and never loop.
 */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { UserSession } from "../../lib/auth/user_session.ts";
import { HttpClient } from "../../lib/http/client.ts";
import { readSettings } from "../../lib/settings.ts";
import { pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";

const CHALLENGE = `Bearer realm="", error="insufficient_claims", claims="${
  btoa('{"access_token":{"nbf":{"essential":true,"value":"1"}}}')
}"`;

/** Requests since number `before`, such as `login 200 /token`. */
function since(env: TestEnv, before: number): string[] {
  return env.sandbox.requests.slice(before).map(({ service, status, path }) =>
    `${service} ${status} ${path.split("?")[0]!.split("/").at(-1)}`
  );
}

Deno.test("scripts do not declare cp1 and are not challenged", async () => {
  await using env = await startTestEnv();
  env.sandbox.challenge();
  const before = env.sandbox.requests.length;
  assertEquals((await env.run("whoami")).code, 0);
  assertEquals(since(env, before), ["graph 200 me"]);
});

Deno.test("ls satisfies a claims challenge silently, once for all later runs", async () => {
  await using env = await startTestEnv();
  env.sandbox.challenge("tokens", "all");
  let before = env.sandbox.requests.length;
  const { code, stderr } = await env.run("whoami", "--no-prompt");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(since(env, before), ["graph 401 me", "login 200 token", "graph 200 me"]);
  before = env.sandbox.requests.length;
  assertEquals((await env.run("whoami")).code, 0);
  assertEquals(since(env, before).filter((line) => line.startsWith("graph 401")), []);
});

Deno.test("ls starts a device code for a challenge that requires the user, or fails unattended (exit code 4)", async () => {
  await using env = await startTestEnv();
  env.sandbox.challenge("interaction_required", "all");
  let before = env.sandbox.requests.length;
  const unattended = await env.run("whoami");
  assertEquals(unattended.code, 4);
  assertMatch(unattended.stderr, /multi-factor authentication.*AADSTS50076/);
  assertEquals(since(env, before), ["graph 401 me", "login 400 token"]);
  before = env.sandbox.requests.length;
  const asked = await env.run("whoami", "--prompt");
  assertEquals(asked.code, 0, asked.stderr);
  assertEquals(since(env, before).filter((line) => line.includes("devicecode")).length, 1);
  assertEquals((await env.run("whoami")).code, 0);
});

Deno.test("ls makes at most two extra requests when the service keeps challenging", async () => {
  await using env = await startTestEnv();
  env.sandbox.addFault({
    service: "graph",
    path: "/v1.0/me",
    times: "always",
    status: 401,
    headers: { "www-authenticate": CHALLENGE },
    body: { error: { code: "InvalidAuthenticationToken", message: "TokenCreatedWithOutdatedPolicies" } },
  });
  for (const [args, asked, extra] of [[["--no-prompt"], 0, 1], [["--prompt"], 1, 2]] as const) {
    const before = env.sandbox.requests.length;
    const { code, stderr } = await env.run("whoami", ...args);
    assertEquals(code, 4, stderr);
    const requests = since(env, before);
    assertEquals(requests.filter((line) => line.startsWith("graph")).length, 1 + extra);
    assertEquals(requests.filter((line) => line.includes("devicecode")).length, asked);
  }
});

for (
  const [title, args] of [
    ["ls requests the next page with the new token after a challenge", ["Thousand"]],
    ["ls -R refreshes the token once after a challenge to concurrent requests", ["-R"]],
  ] as const
) {
  Deno.test(title, async () => {
    await using env = await startTestEnv();
    assertEquals((await env.run("ls", "General")).code, 0);
    const all = (await env.run("ls", ...args)).stdout;
    env.sandbox.addFault({
      service: "graph",
      path: "/children",
      nth: 2,
      sideEffect: "claims-required",
      when: "before",
    });
    const before = env.sandbox.requests.length;
    const { code, stdout, stderr } = await env.run("ls", "--no-prompt", ...args);
    assertEquals([code, stderr, stdout], [0, "", all]);
    const requests = since(env, before);
    const challenges = requests.filter((line) => line.startsWith("graph 401")).length;
    assert(args[0] === "-R" ? challenges >= 1 && challenges <= 8 : challenges === 1, `${challenges}`);
    assertEquals(requests.filter((line) => line.startsWith("login")), ["login 200 token"]);
  });
}

Deno.test("put-large sends nothing twice after a challenge", async () => {
  await using env = await startTestEnv();
  const bytes = pseudoRandomBytes(4 * 327_680);
  const file = await env.file("big.bin", bytes);
  assertEquals((await env.run("ls", "General")).code, 0);
  env.sandbox.addFault({
    service: "storage",
    method: "PUT",
    nth: 2,
    sideEffect: "claims-required",
    when: "before",
  });
  const { code, stderr } = await env.run("put-large", "--fragment-size", "320KiB", file, "General/");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(await env.sandbox.tenant.bytes("TestTeam", "General/big.bin"), bytes);
  const fragments = env.sandbox.requests.filter(({ service, method }) =>
    service === "storage" && method === "PUT"
  );
  assertEquals(fragments.length, 4);
  env.sandbox.challenge("interaction_required", "all");
  const refused = await env.run("put-large", "--conflict", "replace", file, "General/");
  assertEquals(refused.code, 4);
  assertEquals(await env.sandbox.tenant.bytes("TestTeam", "General/big.bin"), bytes);
});

Deno.test("UserSession asks the user once for many challenged requests", async () => {
  await using env = await startTestEnv();
  const settings = await readSettings({}, (name) => env.sandbox.env[name]);
  let asked = 0;
  const session = new UserSession({
    settings,
    access: "identity",
    http: new HttpClient(),
    notice: () => {},
    interact: () => {
      asked++;
      return Promise.resolve(null);
    },
  });
  const refused = await session.token();
  env.sandbox.challenge("interaction_required", "all");
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  const ended = await Promise.allSettled(
    Array.from({ length: 5 }, () => session.token({ claims, refused })),
  );
  assert(ended.every(({ status }) => status === "rejected"));
  assertEquals(asked, 1);
});
