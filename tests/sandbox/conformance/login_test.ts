import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "../../assert.ts";
import { Buffer } from "node:buffer";
import { startSandbox } from "../mod.ts";
import { graphOf, send } from "./testing.ts";
import { assertEntraError, poll, signIn, start } from "./testing_login.ts";

function payload(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString());
}

Deno.test("device code stays pending for n polls after its approval, then yields tokens once (PROTOCOL A7)", async () => {
  await using sandbox = await startSandbox({ approve: true, pendingPolls: 2, pollIntervalSeconds: 0 });
  const started = await start(sandbox);
  assertEquals(started.json.verification_uri, `${sandbox.loginOrigin}/devicelogin`);
  assertEquals([started.json.expires_in, started.json.interval], [900, 0]);
  assertStringIncludes(started.json.message, started.json.user_code);
  const code = started.json.device_code;
  assertEntraError(await poll(sandbox, code), 400, "authorization_pending", 70016);
  assertEntraError(await poll(sandbox, code), 400, "authorization_pending", 70016);
  const { json } = await poll(sandbox, code, { grant_type: "device_code", client_info: "1" });
  assertEquals([json.token_type, json.scope], ["Bearer", "User.Read Files.ReadWrite openid profile"]);
  assertEquals([json.expires_in, json.ext_expires_in], [3599, 3599]);
  assert(json.access_token.length > 1400);
  assertMatch(json.access_token, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
  const claims = payload(json.id_token);
  assertEquals(claims["preferred_username"], "AdeleV@contoso.com");
  assertEquals([claims["aud"], claims["tid"]], [
    sandbox.env["GRAPH_CLIENT_ID"],
    sandbox.env["GRAPH_TENANT_ID"],
  ]);
  assertEquals(claims["iss"], `${sandbox.loginOrigin}/${sandbox.env["GRAPH_TENANT_ID"]}/v2.0`);
  const info = JSON.parse(Buffer.from(json.client_info, "base64url").toString());
  assertEquals(info, { uid: claims["oid"], utid: claims["tid"] });
  assertEntraError(await poll(sandbox, code), 400, "invalid_grant", 70000);
});

Deno.test("token response contains only requested tokens and scopes", async () => {
  await using sandbox = await startSandbox({ approve: true, pendingPolls: 0, pollIntervalSeconds: 0 });
  const code = (await start(sandbox, { scope: "https://graph.microsoft.com/Files.Read" })).json.device_code;
  const { json } = await poll(sandbox, code);
  assertEquals(json.scope, "https://graph.microsoft.com/Files.Read");
  assertEquals([json.refresh_token, json.id_token, json.client_info], [undefined, undefined, undefined]);
});

Deno.test(".default requests all consented scopes", async () => {
  await using sandbox = await startSandbox({
    approve: true,
    pollIntervalSeconds: 0,
    consented: ["User.Read"],
  });
  assertEquals((await signIn(sandbox, { scope: ".default openid" })).scope, "User.Read openid");
});

Deno.test("sign-in reports a wrong tenant, client, scope or form with its own error", async () => {
  await using sandbox = await startSandbox();
  assertEntraError(await start(sandbox, {}, "fabrikam.com"), 400, "invalid_request", 90002);
  assertEntraError(await start(sandbox, {}, "fabrikam"), 400, "invalid_request", 900023);
  assertEntraError(await start(sandbox, {}, "common"), 400, "invalid_request", 50194);
  assertEntraError(await start(sandbox, {}, "consumers"), 400, "invalid_request", 9002332);
  assertEntraError(
    await start(sandbox, { client_id: crypto.randomUUID() }),
    400,
    "unauthorized_client",
    700016,
  );
  assertEntraError(await start(sandbox, { client_id: "" }), 400, "invalid_request", 900144);
  assertEntraError(await start(sandbox, { scope: "" }), 400, "invalid_request", 900144);
  assertEntraError(await start(sandbox, { scope: "Files.Write" }), 400, "invalid_scope", 70011);
  assertEntraError(await start(sandbox, { client_secret: "x" }), 401, "invalid_client", 700025);
  assertEntraError(await poll(sandbox, "made up"), 400, "bad_verification_code", 70018);
  assertEntraError(
    await poll(sandbox, "x", { grant_type: "password" }),
    400,
    "unsupported_grant_type",
    70003,
  );
  assertEquals((await start(sandbox, {}, "contoso.com")).status, 200);
  const json = await send(`${sandbox.loginOrigin}/contoso.com/oauth2/v2.0/devicecode`, {
    method: "POST",
    body: "{}",
  });
  assertEntraError(json, 400, "invalid_request", 900561);
});

Deno.test("polling a declined, expired or unapproved code returns its own error (PROTOCOL A4)", async () => {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 0, deviceCodeLifeSeconds: 0.3 });
  sandbox.user.always = "decline";
  const declined = (await start(sandbox)).json.device_code;
  assertEntraError(await poll(sandbox, declined), 400, "authorization_declined", 65004);
  sandbox.user.ignore();
  const ignored = (await start(sandbox)).json.device_code;
  assertEntraError(await poll(sandbox, ignored), 400, "authorization_pending", 70016);
  await new Promise((resolve) => setTimeout(resolve, 320));
  assertEntraError(await poll(sandbox, ignored), 400, "expired_token", 70020);
  await assertRejects(() => Promise.resolve().then(() => sandbox.user.approve()));
});

Deno.test("user approves one of two codes as Megan", async () => {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 0, pendingPolls: 0 });
  const first = (await start(sandbox)).json;
  const second = (await start(sandbox)).json;
  sandbox.user.approve(second.user_code.toLowerCase(), "megan");
  assertEntraError(await poll(sandbox, first.device_code), 400, "authorization_pending", 70016);
  const { json } = await poll(sandbox, second.device_code);
  assertEquals(payload(json.id_token)["name"], "Megan Bowen");
});

Deno.test("polling faster than the interval returns slow_down", async () => {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 1 });
  const code = (await start(sandbox)).json.device_code;
  assertEquals((await poll(sandbox, code)).json.error, "authorization_pending");
  assertEquals((await poll(sandbox, code)).json.error, "slow_down");
  // RFC 8628: the interval is five seconds longer from now on.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assertEquals((await poll(sandbox, code)).json.error, "slow_down");
});

Deno.test("sign-in without public client flows fails only after the approval (PROTOCOL A1)", async () => {
  await using sandbox = await startSandbox({
    publicClientFlows: false,
    pollIntervalSeconds: 0,
    pendingPolls: 0,
  });
  const code = (await start(sandbox)).json;
  assertEntraError(await poll(sandbox, code.device_code), 400, "authorization_pending", 70016);
  sandbox.user.approve(code.user_code);
  assertEntraError(await poll(sandbox, code.device_code), 401, "invalid_client", 7000218);
});

Deno.test("secrets() contains every issued secret", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0 });
  const tokens = await signIn(sandbox);
  const graph = graphOf(sandbox);
  const { json } = await graph("GET", "/me/drive/root:/Documents/Letter.docx");
  const url: string = json["@microsoft.graph.downloadUrl"];
  const known = new Set(sandbox.tenant.secrets());
  const tempauth = /tempauth=([^&]+)/.exec(url)![1]!;
  for (const secret of [tokens.access_token, tokens.refresh_token, tokens.id_token, url, tempauth]) {
    assert(known.has(secret));
  }
});

Deno.test("discovery returns the sandbox's own endpoints", async () => {
  await using sandbox = await startSandbox();
  const tenant = sandbox.env["GRAPH_TENANT_ID"];
  const { json } = await send(`${sandbox.loginOrigin}/${tenant}/v2.0/.well-known/openid-configuration`);
  assertEquals(json.token_endpoint, `${sandbox.loginOrigin}/${tenant}/oauth2/v2.0/token`);
  assert(json.issuer.startsWith(sandbox.loginOrigin));
  const issuers = [["common", "{tenantid}"], ["consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"]] as const;
  for (const [name, issuer] of issuers) {
    const found = await send(`${sandbox.loginOrigin}/${name}/v2.0/.well-known/openid-configuration`);
    assertEquals(found.json.issuer, `${sandbox.loginOrigin}/${issuer}/v2.0`);
    assertEquals(found.json.authorization_endpoint, `${sandbox.loginOrigin}/${name}/oauth2/v2.0/authorize`);
  }
  const instance = await send(`${sandbox.loginOrigin}/common/discovery/instance?api-version=1.1`);
  assertStringIncludes(instance.json.tenant_discovery_endpoint, sandbox.loginOrigin);
  assertEquals((await send(`${sandbox.loginOrigin}/nothing/here`)).status, 501);
});
