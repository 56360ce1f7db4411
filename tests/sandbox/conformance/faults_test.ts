import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../assert.ts";
import { Buffer } from "node:buffer";
import { request as nodeRequest } from "node:http";
import { parseFaultRules } from "../fault_file.ts";
import { startSandbox } from "../mod.ts";
import {
  assertError,
  createSession,
  graphOf,
  libraryPath,
  patternBytes,
  send,
  sendFragment,
  until,
} from "./testing.ts";

const KIB_320 = 327_680;

Deno.test("fault rules count matching requests for nth and times", async () => {
  await using sandbox = await startSandbox({
    faults: [{
      name: "busy",
      service: "graph",
      method: "get",
      path: "/me/drive",
      nth: 2,
      times: 2,
      status: 503,
    }],
  });
  const graph = graphOf(sandbox);
  await graph("GET", "/me");
  const statuses = [];
  for (let n = 0; n < 5; n++) statuses.push((await graph("GET", "/me/drive/root")).status);
  assertEquals(statuses, [200, 503, 503, 200, 200]);
  assertEquals(sandbox.requests.map((request) => request.fault), [
    undefined,
    undefined,
    "busy",
    "busy",
    undefined,
    undefined,
  ]);
  sandbox.addFault({ path: "*/me", times: "always", status: 500 });
  for (let n = 0; n < 3; n++) assertEquals((await graph("GET", "/me")).status, 500);
  assertEquals(
    (await graph("GET", "/me?$select=id")).status,
    200,
    "a pattern with * covers path and query as a whole",
  );
  sandbox.clearFaults();
  assertEquals([(await graph("GET", "/me")).status, sandbox.faults.length], [200, 0]);
});

Deno.test("fault rules apply in order, and each keeps its own count", async () => {
  await using sandbox = await startSandbox({
    faults: [{ path: /\/me$/, status: 500 }, { path: "/me", times: 2, status: 429 }, {
      service: "login",
      status: 503,
    }],
  });
  const graph = graphOf(sandbox);
  assertEquals((await graph("GET", "/me")).status, 500);
  assertEquals(
    (await graph("GET", "/me")).status,
    429,
    "the second match, although an earlier rule handled the first",
  );
  assertEquals((await graph("GET", "/me")).status, 200);
  const login = await send(`${sandbox.loginOrigin}/devicelogin`);
  assertEquals([login.status, login.json.error], [503, "temporarily_unavailable"]);
});

Deno.test("fault rule with a status sends the service's usual body, or the given headers and text", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  sandbox.addFault({ status: 429, headers: { "Retry-After": "2" } });
  const throttled = await graph("GET", "/me");
  assertError(throttled, 429, "activityLimitReached", "throttledRequest");
  assertEquals(throttled.headers.get("retry-after"), "2");
  sandbox.addFault({ status: 429, body: "429 TOO MANY REQUESTS" });
  const plain = await graph("GET", "/me");
  assertEquals([plain.text, plain.headers.get("content-type")], [
    "429 TOO MANY REQUESTS",
    "text/plain; charset=utf-8",
  ]);
  sandbox.addFault({ status: 411, body: "<!DOCTYPE html><html></html>" });
  assertStringIncludes((await graph("GET", "/me")).headers.get("content-type")!, "text/html");
  sandbox.addFault({ status: 200, body: { error: { code: "notSupported" } } });
  assertEquals((await graph("GET", "/me")).json.error.code, "notSupported");
  sandbox.addFault({ status: 201 });
  const empty = await graph("GET", "/me");
  assertEquals([empty.status, empty.text], [201, ""]);
});

Deno.test("fault rule with 503 stores the fragment or not", async () => {
  await using sandbox = await startSandbox();
  const bytes = patternBytes(3 * KIB_320);
  const url = await createSession(graphOf(sandbox), libraryPath(sandbox, "root:/x.bin"));
  sandbox.addFault({ service: "storage", method: "PUT", status: 503 });
  assertError(await sendFragment(url, bytes, 0, KIB_320), 503, "serviceNotAvailable");
  assertEquals((await send(url)).json.nextExpectedRanges, ["0-"]);
  sandbox.addFault({ service: "storage", method: "PUT", status: 503, when: "after" });
  assertError(await sendFragment(url, bytes, 0, KIB_320), 503, "serviceNotAvailable");
  assertEquals((await send(url)).json.nextExpectedRanges, [`${KIB_320}-`]);
});

for (const kind of ["Uint8Array", "Blob"]) {
  Deno.test(`fault rule drops the connection before, during or after a fragment (${kind})`, async () => {
    await using sandbox = await startSandbox();
    const bytes = patternBytes(3 * KIB_320);
    const url = await createSession(graphOf(sandbox), libraryPath(sandbox, "root:/x.bin"));
    // An earlier request makes fetch reuse the connection, which is when it silently repeats requests.
    const nextRanges = async () => (await send(url)).json.nextExpectedRanges;
    const put = (start: number, end: number) => {
      const part = bytes.subarray(start, end);
      const headers = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
      return send(url, { method: "PUT", body: kind === "Blob" ? new Blob([part]) : part, headers });
    };
    assertEquals(await nextRanges(), ["0-"]);
    sandbox.addFault({ method: "PUT", drop: true });
    await assertRejects(() => put(0, KIB_320));
    assertEquals(await nextRanges(), ["0-"]);
    sandbox.addFault({ method: "PUT", dropAfterBytes: 100_000 });
    await assertRejects(() => put(0, KIB_320));
    assertEquals(await nextRanges(), ["0-"], "B keeps nothing of a broken fragment");
    const cut = sandbox.requests.findLast((request) => request.fault === "drop")!;
    assert(cut.status === 0 && cut.requestBytes >= 100_000, JSON.stringify(cut));
    sandbox.addFault({ method: "PUT", drop: true, when: "after" });
    await assertRejects(() => put(0, KIB_320));
    assertEquals(await nextRanges(), [`${KIB_320}-`]);
    sandbox.addFault({ method: "PUT", drop: true, when: "after" });
    await assertRejects(() => put(KIB_320, bytes.length));
    assertError(await send(url), 404, "itemNotFound");
    assertEquals(await sandbox.tenant.bytes("Documents", "x.bin"), bytes);
  });
}

Deno.test("fault rule does not drop a client's own retry", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  await graph("GET", "/me");
  sandbox.addFault({ path: "/me", drop: true });
  await assertRejects(() => graph("GET", "/me"));
  assertEquals((await graph("GET", "/me")).status, 200);
});

Deno.test({
  name: "Node's http client sees a drop as a broken connection",
  // The node:http client of Deno 2.7 waits forever when a connection closes without a response.
  ignore: Number(Deno.version.deno.split(".")[1]) < 9,
  fn: async () => {
    await using sandbox = await startSandbox({ faults: [{ drop: true }] });
    const error = await new Promise<Error & { code?: string }>((resolve, reject) => {
      const request = nodeRequest(
        `${sandbox.apiOrigin}/v1.0/me`,
        () => reject(new Error("unexpected response")),
      );
      request.on("error", resolve);
      request.end();
    });
    assertEquals(error.code, "ECONNRESET");
  },
});

Deno.test("truncated body fails while it is read, after intact headers", async () => {
  await using sandbox = await startSandbox();
  const bytes = patternBytes(3_000_000);
  sandbox.tenant.addFile("me", "big.bin", bytes);
  const graph = graphOf(sandbox);
  const url = (await graph("GET", "/me/drive/root:/big.bin:/content")).headers.get("location")!;
  sandbox.addFault({ service: "storage", truncateBodyTo: 1_000_001 });
  const response = await fetch(url);
  assertEquals([response.status, response.headers.get("content-length")], [200, "3000000"]);
  let received = Buffer.alloc(0);
  await assertRejects(async () => {
    for await (const chunk of response.body!) received = Buffer.concat([received, chunk]);
  });
  assertEquals(received.length, 1_000_001);
  assert(received.equals(bytes.subarray(0, received.length)));
  sandbox.addFault({ service: "graph", truncateBodyTo: 10 });
  await assertRejects(() => graph("GET", "/me"));
});

Deno.test("fault rules delay the request or its response, but not the sandbox's close", async () => {
  const sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  sandbox.addFault({ delayMs: 150 });
  const started = performance.now();
  assertEquals((await graph("GET", "/me")).status, 200);
  assert(performance.now() - started >= 145);
  sandbox.addFault({ delayMs: 60_000, when: "after" });
  const waiting = graph("PUT", "/me/drive/root:/late.txt:/content", "x");
  await until(() => sandbox.tenant.find("me", "late.txt") !== undefined);
  assertEquals(
    sandbox.tenant.find("me", "late.txt")?.size,
    1,
    "the request takes effect before its response",
  );
  const closing = performance.now();
  await Promise.all([assertRejects(() => waiting), sandbox.close()]);
  assert(performance.now() - closing < 1000);
});

Deno.test("fault rules hide request headers, and patch or rewrite responses", async () => {
  await using sandbox = await startSandbox();
  const graph = graphOf(sandbox);
  const url = (await graph("GET", "/me/drive/root:/Documents/Letter.docx:/content")).headers.get("location")!;
  sandbox.addFault({ service: "storage", hideHeaders: ["Range"] });
  assertEquals(
    (await fetch(url, { headers: { range: "bytes=5-" } }).then((r) => r.body!.cancel().then(() => r))).status,
    200,
  );
  sandbox.addFault({
    service: "graph",
    patch: { "@odata.nextLink": "https://elsewhere.example/", value: [] },
  });
  const { json } = await graph("GET", "/me/drive/root/children");
  assertEquals([json["@odata.nextLink"], json.value], ["https://elsewhere.example/", []]);
  sandbox.addFault({ service: "graph", patch: { nextExpectedRanges: null } });
  const created = await graph("POST", "/me/drive/root:/x:/createUploadSession", {});
  assertEquals(["nextExpectedRanges" in created.json, "uploadUrl" in created.json], [false, true]);
  sandbox.addFault({ rewrite: (response) => ({ ...response, status: 418 }) });
  assertEquals((await graph("GET", "/me")).status, 418);
  sandbox.addFault({ headers: { "X-Extra": "1" } });
  assertEquals((await graph("GET", "/me")).headers.get("x-extra"), "1");
});

Deno.test("fault rule with 404 fails the first fragment, and a second session works (PROTOCOL U7)", async () => {
  await using sandbox = await startSandbox({
    faults: [{
      service: "storage",
      method: "PUT",
      status: 404,
      body: { error: { code: "itemNotFound", message: "The upload session was not found" } },
    }],
  });
  const graph = graphOf(sandbox);
  const path = libraryPath(sandbox, "root:/General/Report.docx");
  const bytes = patternBytes(5000);
  const first = await createSession(graph, path);
  assertError(await sendFragment(first, bytes, 0, 5000), 404, "itemNotFound");
  await send(first, { method: "DELETE" });
  const second = await createSession(graph, path);
  assertEquals((await sendFragment(second, bytes, 0, 5000)).status, 200);
});

Deno.test("parseFaultRules() reads JSON and names invalid rules", async () => {
  const rules = parseFaultRules(`[
    {"name": "a", "service": "storage", "method": "PUT", "path": "/uploadSession.*guid/", "nth": 2, "times": "always",
     "when": "after", "status": 503, "headers": {"Retry-After": "1"}, "body": {"x": 1}, "delayMs": 5},
    {"drop": true, "path": "/me/drive"}, {"dropAfterBytes": 5}, {"truncateBodyTo": 0}, {"hideHeaders": ["range"]}
  ]`);
  assert(rules[0]!.path instanceof RegExp && rules[0]!.path.test("/a/uploadSession?guid=1"));
  assertEquals([rules.length, rules[1]!.path], [5, "/me/drive"]);
  const mistakes: [string, string][] = [
    ["{}", "JSON array"],
    ["[1]", "rule 1 is not an object"],
    ['[{}, {"staus": 503}]', 'rule 2: there is no field "staus"'],
    ['[{"status": "503"}]', 'rule 1: "status" cannot be "503"'],
    ['[{"nth": 0}]', '"nth" cannot be 0'],
    ['[{"service": "mail"}]', '"service" cannot be "mail"'],
    ['[{"drop": false}]', '"drop" cannot be false'],
    ['[{"rewrite": "x"}]', 'no field "rewrite"'],
  ];
  for (const [text, message] of mistakes) {
    const error = await assertRejects(() => Promise.resolve().then(() => parseFaultRules(text)));
    assertStringIncludes((error as Error).message, message);
  }
});
