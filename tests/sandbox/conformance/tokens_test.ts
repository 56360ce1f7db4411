import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { startSandbox } from "../mod.ts";
import { graphOf, send } from "./testing.ts";
import { assertEntraError, refresh, signIn } from "./testing_login.ts";

Deno.test("refresh returns a new refresh token, and the old one still works", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0, tokenLifeSeconds: 1 });
  const first = await signIn(sandbox);
  const second = (await refresh(sandbox, first.refresh_token)).json;
  assert(second.refresh_token !== first.refresh_token);
  assertEquals([second.expires_in, second.scope], [1, first.scope]);
  assertEquals((await refresh(sandbox, first.refresh_token)).status, 200);
  assertEquals(
    (await refresh(sandbox, second.refresh_token, "Files.Read offline_access")).json.scope,
    "Files.Read",
  );
  const unknown = await refresh(sandbox, `1.${"A".repeat(700)}`);
  const malformed = await refresh(sandbox, "made up");
  assertEntraError(unknown, 400, "invalid_grant", 70000);
  assertEntraError(malformed, 400, "invalid_grant", 9002313);
  assertEquals([unknown.json.suberror, malformed.json.suberror], ["bad_token", undefined]);
  assertEquals(malformed.headers.get("x-ms-request-id"), malformed.json.trace_id);
});

Deno.test("revokeOldRefreshTokens revokes used refresh tokens", async () => {
  await using sandbox = await startSandbox({
    approve: true,
    pollIntervalSeconds: 0,
    revokeOldRefreshTokens: true,
  });
  const { refresh_token } = await signIn(sandbox);
  assertEquals((await refresh(sandbox, refresh_token)).status, 200);
  const reply = await refresh(sandbox, refresh_token);
  assertEntraError(reply, 400, "invalid_grant", 50173);
  assertEquals(reply.json.suberror, "bad_token");
});

Deno.test("scope without consent requires the user once", async () => {
  await using sandbox = await startSandbox({
    approve: true,
    pollIntervalSeconds: 0,
    consented: ["User.Read"],
  });
  const { refresh_token } = await signIn(sandbox, { scope: "User.Read offline_access" });
  const reply = await refresh(sandbox, refresh_token, "Files.Read");
  assertEntraError(reply, 400, "invalid_grant", 65001);
  assertEquals(reply.json.suberror, "consent_required");
  await signIn(sandbox, { scope: "Files.Read" });
  assertEquals((await refresh(sandbox, refresh_token, "Files.Read")).status, 200);
});

Deno.test("access token works until the second of its expiry", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0, tokenLifeSeconds: 1 });
  const { access_token } = await signIn(sandbox);
  const headers = { authorization: `Bearer ${access_token}` };
  assertEquals((await send(`${sandbox.apiOrigin}/v1.0/me`, { headers })).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 1050));
  const reply = await send(`${sandbox.apiOrigin}/v1.0/me`, { headers });
  assertEquals([reply.status, reply.json.error.code], [401, "InvalidAuthenticationToken"]);
  assertStringIncludes(reply.json.error.message, "expired");
});

Deno.test("access tokens can be expired and refresh tokens revoked at any time", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0 });
  const { refresh_token } = await signIn(sandbox);
  const graph = graphOf(sandbox);
  assertEquals((await graph("GET", "/me")).status, 200);
  sandbox.expireAccessTokens();
  assertEquals((await graph("GET", "/me")).status, 401);
  assertEquals((await graphOf(sandbox)("GET", "/me")).status, 200);
  sandbox.revokeRefreshTokens();
  assertEntraError(await refresh(sandbox, refresh_token), 400, "invalid_grant", 50173);
});
