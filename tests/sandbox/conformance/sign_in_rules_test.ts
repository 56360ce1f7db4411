import { assert, assertEquals } from "../../assert.ts";
import { Buffer } from "node:buffer";
import { startSandbox } from "../mod.ts";
import { graphOf } from "./testing.ts";
import { assertEntraError, refresh, signIn, start } from "./testing_login.ts";
import { failure, publicClient, unattendedClient } from "./testing_msal.ts";

const QUICK = { approve: true, pollIntervalSeconds: 0, pendingPolls: 0 } as const;

Deno.test("refresh token expires when unused, and every use restarts its lifetime", async () => {
  await using sandbox = await startSandbox({ ...QUICK, refreshTokenIdleSeconds: 0.6 });
  const { refresh_token } = await signIn(sandbox);
  for (let n = 0; n < 3; n++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals((await refresh(sandbox, refresh_token)).status, 200);
  }
  await new Promise((resolve) => setTimeout(resolve, 650));
  const reply = await refresh(sandbox, refresh_token);
  assertEntraError(reply, 400, "invalid_grant", 700082);
  assertEquals(reply.json.suberror, "token_expired");
});

Deno.test("sign-in frequency counts from the sign-in, despite later refreshes (PROTOCOL A6)", async () => {
  await using sandbox = await startSandbox({ ...QUICK, signInFrequencySeconds: 0.6 });
  const first = await signIn(sandbox);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { json } = await refresh(sandbox, first.refresh_token);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assertEntraError(await refresh(sandbox, json.refresh_token), 400, "invalid_grant", 70043);
  assertEquals((await refresh(sandbox, (await signIn(sandbox)).refresh_token)).status, 200);
});

Deno.test("MSAL: refresh tokens that are revoked, unused, too old or blocked fail with their AADSTS number", async () => {
  const expected = [
    [50076, "InteractionRequiredAuthError", "interaction_required"],
    [50173, "InteractionRequiredAuthError", "invalid_grant"],
    [53003, "ServerError", "access_denied"],
    [70043, "ServerError", "invalid_grant"],
    [700082, "ServerError", "invalid_grant"],
  ] as const;
  for (const [number, name, errorCode] of expected) {
    await using sandbox = await startSandbox(QUICK);
    const client = publicClient(sandbox);
    const scopes = ["User.Read"];
    const { account } = (await client.acquireTokenByDeviceCode({ scopes, deviceCodeCallback: () => {} }))!;
    sandbox.revokeRefreshTokens(number);
    const refused = await failure(
      client.acquireTokenSilent({ account: account!, scopes, forceRefresh: true }),
    );
    assertEquals([Number(refused.errorNo), refused.name, refused.errorCode], [number, name, errorCode]);
  }
});

Deno.test("refresh token works only for its app", async () => {
  await using sandbox = await startSandbox(QUICK);
  const { refresh_token } = await signIn(sandbox);
  const client = unattendedClient(sandbox, { clientSecret: sandbox.app.clientSecret });
  const refused = await failure(
    client.acquireTokenByRefreshToken({ refreshToken: refresh_token, scopes: ["User.Read"] }),
  );
  assertEquals(Number(refused.errorNo), 70000);
});

Deno.test("clockOffsetSeconds shifts Date headers and token times, but not lifetimes", async () => {
  const offset = -7200;
  await using sandbox = await startSandbox({ ...QUICK, clockOffsetSeconds: offset });
  const close = (seconds: number) => assert(Math.abs(seconds - Date.now() / 1000 - offset) < 5);
  const started = await start(sandbox);
  close(Date.parse(started.headers.get("date")!) / 1000);
  const tokens = await signIn(sandbox);
  assertEquals(tokens.expires_in, 3599);
  for (const token of [tokens.id_token, tokens.access_token]) {
    const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
    close(claims.iat);
    close(claims.exp - 3600);
  }
  const reply = await graphOf(sandbox)("GET", "/me");
  assertEquals(reply.status, 200);
  close(Date.parse(reply.headers.get("date")!) / 1000);
});

Deno.test("MSAL: assertion of an app with a wrong clock is rejected", async () => {
  await using sandbox = await startSandbox({ clockOffsetSeconds: 3600 });
  const { thumbprintSha256, privateKey } = sandbox.app.newCertificate();
  const client = unattendedClient(sandbox, { clientCertificate: { thumbprintSha256, privateKey } });
  const refused = await failure(
    client.acquireTokenByClientCredential({ scopes: ["https://graph.microsoft.com/.default"] }),
  );
  assertEquals([refused.errorCode, Number(refused.errorNo)], ["invalid_client", 700024]);
});
