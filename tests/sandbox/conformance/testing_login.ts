/** Helpers of sign-in tests: the OAuth requests of a device code client. */

import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import type { Sandbox } from "../mod.ts";
import { type Reply, send } from "./testing.ts";

const SCOPES = "User.Read Files.ReadWrite openid profile offline_access";

/** Posts a form to an OAuth endpoint. */
export function post(
  sandbox: Sandbox,
  endpoint: string,
  form: Record<string, string>,
  tenant?: string,
): Promise<Reply> {
  const url = `${sandbox.loginOrigin}/${tenant ?? sandbox.env["GRAPH_TENANT_ID"]}/oauth2/v2.0/${endpoint}`;
  return send(url, { method: "POST", body: new URLSearchParams(form) });
}

/** Requests a device code. */
export function start(sandbox: Sandbox, form: Record<string, string> = {}, tenant?: string): Promise<Reply> {
  return post(
    sandbox,
    "devicecode",
    { client_id: sandbox.env["GRAPH_CLIENT_ID"]!, scope: SCOPES, ...form },
    tenant,
  );
}

/** One poll with the device code. */
export function poll(
  sandbox: Sandbox,
  deviceCode: string,
  form: Record<string, string> = {},
): Promise<Reply> {
  return post(sandbox, "token", {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    client_id: sandbox.env["GRAPH_CLIENT_ID"]!,
    device_code: deviceCode,
    ...form,
  });
}

/** Redeems a refresh token. */
export function refresh(sandbox: Sandbox, refreshToken: string, scope?: string): Promise<Reply> {
  return post(sandbox, "token", {
    grant_type: "refresh_token",
    client_id: sandbox.env["GRAPH_CLIENT_ID"]!,
    refresh_token: refreshToken,
    claims: '{"id_token":{"signin_state":null}}',
    ...(scope === undefined ? {} : { scope }),
  });
}

/** Polls until it gets tokens; the test user must approve. */
export async function signIn(sandbox: Sandbox, form: Record<string, string> = {}): Promise<Reply["json"]> {
  const code = (await start(sandbox, form)).json.device_code;
  for (;;) {
    const reply = await poll(sandbox, code, { client_info: "1" });
    if (reply.status === 200) return reply.json;
    assertEquals(reply.json.error, "authorization_pending", reply.text);
  }
}

/** Asserts the shape and content of an Entra error. */
export function assertEntraError(reply: Reply, status: number, error: string, number: number): void {
  assertEquals(
    [reply.status, reply.json?.error, reply.json?.error_codes],
    [status, error, [number]],
    reply.text,
  );
  assertStringIncludes(reply.json.error_description, `AADSTS${number}: `);
  for (const field of ["timestamp", "trace_id", "correlation_id", "error_uri"]) {
    assert(reply.json[field], field);
  }
}
