/** Side effects of fault rules, as a plain client sees them. */

import { assert, assertEquals, assertMatch, assertRejects } from "../../assert.ts";
import { type FaultName, startSandbox } from "../mod.ts";
import {
  assertError,
  createSession,
  graphOf,
  libraryPath,
  patternBytes,
  send,
  sendFragment,
} from "./testing.ts";

const KIB_320 = 327_680;

Deno.test("lastFragment rule applies only to the last fragment, whatever the fragment size", async () => {
  await using sandbox = await startSandbox({ fault: ["commit-says-500"] });
  for (const [size, fragment] of [[5, 5], [3 * KIB_320, KIB_320]] as const) {
    const bytes = patternBytes(size);
    const url = await createSession(graphOf(sandbox), libraryPath(sandbox, `root:/${size}.bin`));
    const statuses: number[] = [];
    for (let at = 0; at < size; at += fragment) {
      statuses.push((await sendFragment(url, bytes, at, at + fragment)).status);
    }
    // The rule applies once.
    assertEquals(statuses, size === 5 ? [500] : [202, 202, 201]);
    assertEquals(sandbox.tenant.find("Documents", `${size}.bin`)?.size, size);
  }
});

Deno.test("keepPart rule keeps the received part of a fragment, as personal OneDrive does", async () => {
  await using sandbox = await startSandbox();
  const bytes = patternBytes(2 * KIB_320);
  const url = await createSession(graphOf(sandbox), libraryPath(sandbox, "root:/x.bin"));
  sandbox.addFault({ method: "PUT", dropAfterBytes: 100_001, keepPart: true });
  // fetch never silently resends a Blob.
  const headers = { "content-range": `bytes 0-${KIB_320 - 1}/${bytes.length}` };
  const body = new Blob([bytes.subarray(0, KIB_320)]);
  await assertRejects(() => send(url, { method: "PUT", body, headers }));
  assertEquals((await send(url)).json.nextExpectedRanges, ["100001-"]);
  assertEquals((await sendFragment(url, bytes, 100_001, 2 * KIB_320)).status, 201);
  assertEquals(await sandbox.tenant.bytes("Documents", "x.bin"), bytes);
});

Deno.test("link-expires revokes an upload URL for all requests, and allows a new session", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const bytes = patternBytes(2 * KIB_320);
  const statuses = [
    ["link-expires", 401, "unauthenticated", "expiredToken"],
    ["link-forbidden", 403, "accessDenied", undefined],
  ] as const;
  for (const [what, status, code, inner] of statuses) {
    const url = await createSession(graph, libraryPath(sandbox, "root:/x.bin"));
    sandbox.addFault({ service: "storage", method: "PUT", sideEffect: what });
    assertError(await sendFragment(url, bytes, 0, KIB_320), status, code, inner);
    assertError(await send(url), status, code, inner);
    assertError(await send(url, { method: "DELETE" }), status, code, inner);
    const next = await createSession(graph, libraryPath(sandbox, "root:/x.bin"));
    assertEquals((await sendFragment(next, bytes, 0, KIB_320)).status, 202);
    assertEquals((await send(next, { method: "DELETE" })).status, 204);
    sandbox.clearFaults();
  }
});

Deno.test("claims challenge accepts only tokens with its claims, and requires a sign-in if the rule says so", async () => {
  await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0, pendingPolls: 0 });
  const { GRAPH_TENANT_ID, GRAPH_CLIENT_ID } = sandbox.env;
  const login = `${sandbox.loginOrigin}/${GRAPH_TENANT_ID}/oauth2/v2.0`;
  const scope = "User.Read offline_access openid profile";
  const post = (path: string, form: Record<string, string>) =>
    send(`${login}/${path}`, {
      method: "POST",
      body: new URLSearchParams({ client_id: GRAPH_CLIENT_ID!, ...form }),
    });
  const signIn = async (extra: Record<string, string> = {}) => {
    const { device_code } = (await post("devicecode", { scope, ...extra })).json;
    return (await post("token", { grant_type: "device_code", device_code, ...extra })).json;
  };
  const me = (token: string) =>
    send(`${sandbox.apiOrigin}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
  const { access_token, refresh_token } = await signIn();
  assertEquals((await me(access_token)).status, 200);
  sandbox.addFault({ path: "/me", sideEffect: "claims-required" });
  const challenged = await me(access_token);
  assertError(challenged, 401, "InvalidAuthenticationToken");
  const header = challenged.headers.get("www-authenticate")!;
  assert(header.includes('error="insufficient_claims"'), header);
  const claims = atob(/claims="([^"]+)"/.exec(header)![1]!);
  const renew = (extra: Record<string, string>) =>
    post("token", { grant_type: "refresh_token", refresh_token, scope, ...extra });
  assertEquals((await me((await renew({})).json.access_token)).status, 401);
  const other = JSON.stringify({ access_token: { nbf: { essential: true, value: "1" } } });
  assertEquals((await me((await renew({ claims: other })).json.access_token)).status, 401);
  assertEquals((await me((await renew({ claims })).json.access_token)).status, 200);
  sandbox.addFault({ path: "/me", nth: 1, sideEffect: "interaction-required" });
  const again = atob(/claims="([^"]+)"/.exec((await me(access_token)).headers.get("www-authenticate")!)![1]!);
  const refused = await renew({ claims: again });
  assertEquals([refused.status, refused.json.error, refused.json.error_codes], [400, "interaction_required", [
    50076,
  ]]);
  const { access_token: tokenWithClaims } = await signIn({ claims: again });
  assertEquals((await me(tokenWithClaims)).status, 200);
  sandbox.challenge();
  assertEquals((await me(tokenWithClaims)).status, 200, "only rules challenge clients that never said cp1");
});

Deno.test("new folders are missing at first, by path, by id and as parents (PROTOCOL E3)", async () => {
  await using sandbox = await startSandbox({ fault: ["new-folder-not-yet-there"] });
  const graph = graphOf(sandbox);
  const made = await graph("POST", "/me/drive/root/children", { name: "New", folder: {} });
  assertEquals(made.status, 201);
  assertError(await graph("GET", "/me/drive/root:/New:/children"), 404, "itemNotFound");
  assertError(
    await graph("POST", `/me/drive/items/${made.json.id}:/x.bin:/createUploadSession`, {}),
    404,
    "itemNotFound",
  );
  assertEquals((await graph("PUT", `/me/drive/items/${made.json.id}:/x.txt:/content`, "x")).status, 201);
  assertEquals((await graph("GET", "/me/drive/root:/Documents")).status, 200, "other folders are there");
});

Deno.test("emptyFirstPage starts a listing with an empty page, even in a small folder", async () => {
  await using sandbox = await startSandbox({ fault: ["empty-page"] });
  const graph = graphOf(sandbox);
  const first = (await graph("GET", libraryPath(sandbox, "root:/General:/children"))).json;
  assertEquals(first.value, []);
  const second = (await graph("GET", first["@odata.nextLink"])).json;
  assertEquals(second.value.length, sandbox.tenant.find("Documents", "General")!.children.length);
});

Deno.test("request records have the number of their connection", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  await graph("GET", "/me");
  sandbox.addFault({ headers: { connection: "close" } });
  await graph("GET", "/me");
  await graph("GET", "/me");
  const [, second, third] = sandbox.requests.map(({ connection }) => connection);
  assert(third! > second!, "the closed connection was used again");
});

Deno.test("an unknown fault is an error that lists the known ones, for callers without types", async () => {
  const name = "typo" as FaultName;
  await using sandbox = await startSandbox();
  for (const add of [() => sandbox.addFault(name), () => startSandbox({ fault: [name] })]) {
    const error = await assertRejects(async () => await add());
    assertMatch(String(error), /there is no fault "typo"; there are throttled-with-retry-after, /);
  }
});
