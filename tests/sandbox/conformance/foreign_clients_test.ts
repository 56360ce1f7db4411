/** Unmodified third-party clients against the sandbox: Microsoft's Graph SDK and MSAL Node. */

import { assert, assertEquals } from "../../assert.ts";
import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  FileUpload,
  type LargeFileUploadSession,
  LargeFileUploadTask,
  MiddlewareFactory,
  OneDriveLargeFileUploadTask,
  PageIterator,
} from "npm:@microsoft/microsoft-graph-client@3.0.7";
import { LoopbackProxy } from "./loopback_proxy.ts";
import { type Sandbox, startSandbox } from "../mod.ts";
import { patternBytes } from "./testing.ts";
import { publicClient } from "./testing_msal.ts";

/** The SDK with its default middleware, except for the last one, which calls fetch. */
function graphSdk(sandbox: Sandbox): Client {
  const chain = MiddlewareFactory.getDefaultMiddlewareChain({
    getAccessToken: () => Promise.resolve(sandbox.issueToken()),
  });
  chain[chain.length - 1] = new LoopbackProxy(sandbox);
  return Client.initWithMiddleware({ middleware: chain });
}

Deno.test("Graph SDK: PageIterator lists a thousand children", async () => {
  await using sandbox = await startSandbox();
  const client = graphSdk(sandbox);
  const drive = sandbox.tenant.drive("Documents").id;
  const first = await client.api(`/drives/${drive}/root:/Thousand:/children`).select("id,name").top(150)
    .get();
  const seen = new Set<string>();
  const iterator = new PageIterator(client, first, (item) => {
    seen.add(item.name);
    return true;
  });
  await iterator.iterate();
  assertEquals([seen.size, sandbox.requests.length], [1000, 7]);
  assertEquals(sandbox.requests.map((request) => request.status), [200, 200, 200, 200, 200, 200, 200]);
});

Deno.test("Graph SDK: download follows the redirect without the token", async () => {
  await using sandbox = await startSandbox();
  const bytes = patternBytes(3_000_000);
  sandbox.tenant.addFile("Documents", "General/data.bin", bytes);
  const client = graphSdk(sandbox);
  const content = `/drives/${sandbox.tenant.drive("Documents").id}/root:/General/data.bin:/content`;
  const stream: ReadableStream = await client.api(content).getStream();
  assertEquals(new Uint8Array(await new Response(stream).arrayBuffer()), bytes);
  const fromStorage = sandbox.requests.filter((request) => request.service === "storage");
  assertEquals(fromStorage.map((request) => [request.status, "authorization" in request.headers]), [[
    200,
    false,
  ]]);
});

Deno.test("Graph SDK: LargeFileUploadTask uploads 30 MB unchanged", async () => {
  await using sandbox = await startSandbox();
  const bytes = patternBytes(30_000_000);
  const client = graphSdk(sandbox);
  const drive = sandbox.tenant.drive("Documents").id;
  const session: LargeFileUploadSession = await LargeFileUploadTask.createUploadSession(
    client,
    `/drives/${drive}/root:/General/large.bin:/createUploadSession`,
    { item: { "@microsoft.graph.conflictBehavior": "fail", name: "large.bin" } },
  );
  const file = new FileUpload(bytes, "large.bin", bytes.length);
  const task = new LargeFileUploadTask(client, file, session, { rangeSize: 32 * 327_680 });
  const { responseBody } = await task.upload();
  assertEquals((responseBody as { size: number }).size, bytes.length);
  assertEquals(await sandbox.tenant.bytes("Documents", "General/large.bin"), bytes);
  const puts = sandbox.requests.filter((request) => request.method === "PUT");
  assertEquals(puts.map((request) => [request.status, request.headers["authorization"]]), [
    [202, undefined],
    [202, undefined],
    [201, undefined],
  ]);
});

Deno.test("Graph SDK: LargeFileUploadTask resumes at the next expected byte after a lost response", async () => {
  await using sandbox = await startSandbox();
  const bytes = patternBytes(1_500_000);
  const client = graphSdk(sandbox);
  const task = await OneDriveLargeFileUploadTask.createTaskWithFileObject(
    client,
    new FileUpload(bytes, "resumed.bin", bytes.length),
    { path: "/Documents", fileName: "resumed.bin", rangeSize: 327_680, conflictBehavior: "replace" },
  );
  sandbox.addFault({ service: "storage", method: "PUT", nth: 3, drop: true, when: "after" });
  let failed = false;
  try {
    await task.upload();
  } catch {
    failed = true;
  }
  assert(failed, "the SDK does not retry slices");
  await task.resume();
  assertEquals(await sandbox.tenant.bytes("me", "Documents/resumed.bin"), bytes);
});

Deno.test("Graph SDK: BatchRequestContent sends requests that depend on each other", async () => {
  await using sandbox = await startSandbox();
  const client = graphSdk(sandbox);
  // The SDK removes the origin, but not the version (PROTOCOL 4.5c).
  const url = (path: string) => `https://graph.microsoft.com/me/drive/${path}`;
  const body = JSON.stringify({ name: "Batch", folder: {} });
  const headers = { "content-type": "application/json" };
  const content = new BatchRequestContent([
    { id: "make", request: new Request(url("root/children"), { method: "POST", headers, body }) },
    { id: "read", request: new Request(url("root:/Batch"), { method: "GET" }), dependsOn: ["make"] },
    { id: "lost", request: new Request(url("root:/None"), { method: "GET" }), dependsOn: ["read"] },
  ]);

  const response = new BatchResponseContent(await client.api("/$batch").post(await content.getContent()));

  assertEquals(["make", "read", "lost"].map((id) => response.getResponseById(id).status), [201, 200, 404]);
  assertEquals((await response.getResponseById("read").json()).name, "Batch");
});

Deno.test("Graph SDK: PageIterator follows delta to its deltaLink, search and an expansion work", async () => {
  await using sandbox = await startSandbox();
  const client = graphSdk(sandbox);
  const drive = `/drives/${sandbox.tenant.drive("Documents").id}/root`;
  const names: string[] = [];
  const note = ({ name }: { name: string }) => names.push(name) > 0;
  const iterator = new PageIterator(client, await client.api(`${drive}/delta`).top(300).get(), note);
  await iterator.iterate();
  assert(names.length > 1000);
  sandbox.tenant.addFile("Documents", "Later.txt", "later");
  const later = await client.api(iterator.getDeltaLink()!).get();
  assertEquals(later.value.map(({ name }: { name: string }) => name), ["root", "Later.txt"]);
  const found = await client.api(`${drive}/search(q='agenda')`).get();
  assertEquals(found.value.length, 1);
  const { children } = await client.api(`${drive}:/General`).expand("children").get();
  assertEquals(children.length, 6);
});

Deno.test("Graph SDK: errors arrive as GraphError with code and status", async () => {
  await using sandbox = await startSandbox();
  const client = graphSdk(sandbox);
  try {
    await client.api("/me/drive/root:/missing.txt").get();
    assert(false, "there is no such file");
  } catch (error) {
    // The SDK looks for the request id in `innerError` only, which this error lacks (PROTOCOL 9b).
    const { statusCode, code, requestId } = error as { statusCode: number; code: string; requestId: unknown };
    assertEquals([statusCode, code, requestId], [404, "itemNotFound", null]);
  }
});

Deno.test("MSAL: device code sign-in, cached token and forced refresh work", async () => {
  await using sandbox = await startSandbox({ pollIntervalSeconds: 0, pendingPolls: 2 });
  const client = publicClient(sandbox);
  const scopes = ["User.Read", "Files.ReadWrite.All"];
  const signedIn = await client.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: ({ userCode, verificationUri }) => {
      assertEquals(verificationUri, `${sandbox.loginOrigin}/devicelogin`);
      sandbox.user.approve(userCode, "megan");
    },
  });
  assertEquals(signedIn?.account?.username, "MeganB@contoso.com");
  assertEquals(signedIn?.account?.tenantId, sandbox.env["GRAPH_TENANT_ID"]);
  assertEquals(sandbox.requests.length, 4);
  const account = signedIn!.account!;
  const cached = await client.acquireTokenSilent({ account, scopes });
  assertEquals([cached.fromCache, cached.accessToken, sandbox.requests.length], [
    true,
    signedIn!.accessToken,
    4,
  ]);
  const refreshed = await client.acquireTokenSilent({ account, scopes, forceRefresh: true });
  assertEquals([refreshed.fromCache, refreshed.accessToken === cached.accessToken], [false, false]);
  assertEquals(sandbox.requests.length, 5);
  const headers = { authorization: `Bearer ${refreshed.accessToken}` };
  const me = await (await fetch(`${sandbox.apiOrigin}/v1.0/me`, { headers })).json();
  assertEquals(me.displayName, "Megan Bowen");
});

Deno.test("MSAL: missing consent is an InteractionRequiredAuthError, and a short-lived token is refreshed", async () => {
  await using sandbox = await startSandbox({
    approve: true,
    pollIntervalSeconds: 0,
    tokenLifeSeconds: 60,
    consented: ["User.Read", "Files.Read"],
  });
  const client = publicClient(sandbox);
  const signedIn = await client.acquireTokenByDeviceCode({
    scopes: ["User.Read"],
    deviceCodeCallback: () => {},
  });
  const account = signedIn!.account!;
  const renewed = await client.acquireTokenSilent({ account, scopes: ["User.Read"] });
  assertEquals(renewed.fromCache, false, "less than five minutes are left");
  assertEquals(
    (await client.acquireTokenSilent({ account, scopes: ["Files.Read"] })).scopes.includes("Files.Read"),
    true,
  );
  try {
    await client.acquireTokenSilent({ account, scopes: ["Mail.Read"] });
    assert(false, "not consented");
  } catch (error) {
    const { name, subError } = error as { name: string; subError: string };
    assertEquals([name, subError], ["InteractionRequiredAuthError", "consent_required"]);
  }
});
