import { Pace } from "../lib/graph/pace.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { GraphError } from "../lib/errors.ts";
import { Http, type HttpOptions, retryAfterMs } from "../lib/graph/http.ts";
import { StorageClient } from "../lib/graph/storage.ts";
import { CLOUDS } from "../lib/clouds.ts";

/** Answers from a list; waits take no time and are remembered. */
function scripted(answers: (Response | Error)[], options: HttpOptions = {}) {
  const waits: number[] = [];
  const sent: Request[] = [];
  let now = Date.parse("2026-01-01T00:00:00Z");
  const http = new Http({
    fetch: (input, init) => {
      sent.push(new Request(input, init));
      const answer = answers.shift();
      if (answer === undefined) throw new Error("one request too many");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    sleep: (ms) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
    random: () => 0.999999,
    now: () => now,
    ...options,
  });
  return { http, waits, sent };
}

const status = (code: number, headers: Record<string, string> = {}) =>
  new Response("", { status: code, headers });
const url = "https://graph.microsoft.com/v1.0/me";

Deno.test("faults that pass are tried again with growing waits, requests that may not be repeated are not", async () => {
  const passing = [408, 429, 500, 502, 503];
  const all = scripted([...passing.map((code) => status(code)), status(200)]);
  assertEquals((await all.http.send({ method: "GET", url, retry: "repeatable" })).status, 200);
  assertEquals(all.waits.map((ms) => Math.round(ms)), [1000, 2000, 4000, 8000, 16000]);
  for (const code of [500, 502, 504, 509, 408]) {
    const { http } = scripted([status(code)]);
    assertEquals((await http.send({ method: "POST", url, retry: "refused", body: "{}" })).status, code);
  }
  for (const code of [429, 503]) {
    const { http } = scripted([status(code), status(201)]);
    assertEquals((await http.send({ method: "POST", url, retry: "refused", body: "{}" })).status, 201);
    const never = scripted([status(code)]);
    assertEquals((await never.http.send({ method: "PUT", url, retry: "never" })).status, code);
  }
});

Deno.test("a broken connection is tried again only where the request may be repeated", async () => {
  const broken = () => new TypeError("fetch failed", { cause: new Error("connection reset") });
  const get = scripted([broken(), status(200)]);
  assertEquals((await get.http.send({ method: "GET", url, retry: "repeatable" })).status, 200);
  const put = scripted([broken()]);
  const error = await put.http.send({ method: "PUT", url, retry: "refused" }).catch((error) => error);
  assert(error instanceof GraphError);
  assertEquals([error.kind, error.code], ["unavailable", "network"]);
  assertMatch(error.message, /^cannot reach graph\.microsoft\.com: fetch failed: connection reset$/);
});

Deno.test("Retry-After is obeyed to the second, as number and as date; RateLimit-Reset where it is longer", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const wait = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), now);
  assertEquals(wait({ "retry-after": "7" }), 7000);
  assertEquals(wait({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }), 30_000);
  assertEquals(wait({ "retry-after": "Wed, 31 Dec 2025 00:00:30 GMT" }), 0);
  assertEquals(wait({ "retry-after": "soon" }), undefined);
  assertEquals(wait({}), undefined);
  assertEquals(
    wait({ "retry-after": "Thu, 01 Jan 2026 09:00:07 GMT", date: "Thu, 01 Jan 2026 09:00:00 GMT" }),
    7000,
    "by the service's clock, not by ours",
  );
  assertEquals(wait({ "retry-after": "5", "ratelimit-remaining": "0", "ratelimit-reset": "31" }), 31_000);
  assertEquals(wait({ "retry-after": "5", "ratelimit-remaining": "9", "ratelimit-reset": "31" }), 5000);
});

Deno.test("the waits of a request stay within its budget", async () => {
  const { http, waits } = scripted([
    status(429, { "retry-after": "200" }),
    status(429, { "retry-after": "200" }),
  ], { maxWaitMs: 300_000 });
  assertEquals((await http.send({ method: "GET", url, retry: "repeatable" })).status, 429);
  assertEquals(waits, [200_000]);
});

Deno.test("a service that never answers is given up, and an abort ends a request and a wait", async () => {
  const silent = (_: unknown, init?: RequestInit) =>
    new Promise<Response>((_resolve, reject) =>
      init?.signal?.addEventListener("abort", () => reject(new Error("aborted")))
    );
  const http = new Http({ fetch: silent });
  const late = await http.send({ method: "GET", url, retry: "never", headerTimeoutMs: 20 }).catch((error) =>
    error
  );
  assertMatch(late.message, /no answer within 0 s/);
  const controller = new AbortController();
  const aborted = new Http({ fetch: silent, signal: controller.signal });
  const request = aborted.send({ method: "GET", url, retry: "repeatable" }).catch((error) => error);
  const wait = aborted.wait(60_000, "test").catch((error) => error);
  controller.abort();
  assertEquals([(await request).kind, (await wait).kind], ["interrupted", "interrupted"]);
});

Deno.test("a body that stays silent is given up", async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  const { http } = scripted([new Response(body)], { stallTimeoutMs: 20 });
  const answer = await http.send({ method: "GET", url, retry: "never" });
  const error = await answer.text().catch((error) => error);
  assertEquals(error.kind, "unavailable");
  assertMatch(error.message, /silent for 0 s/);
});

Deno.test("what must not be repeated is on the wire once, even when a reused connection breaks", async () => {
  const { createServer } = await import("node:http");
  const requests: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      requests.push(
        `${request.method} ${request.headers["content-length"]} ${request.headers["transfer-encoding"]}`,
      );
      if (request.method === "PUT") request.socket.destroy();
      else response.end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const local = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  try {
    const http = new Http();
    await (await http.send({ method: "GET", url: local, retry: "never" })).text(); // leaves a connection to reuse
    const error = await http.send({ method: "PUT", url: local, retry: "refused", body: new Uint8Array(5) })
      .catch((error) => error);
    assertEquals(error.kind, "unavailable");
    assertEquals(requests, ["GET undefined undefined", "PUT 5 undefined"]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("a trace holds no query and no path of a pre-authenticated URL", async () => {
  const events: unknown[] = [];
  const { http } = scripted([status(200), status(200)], { trace: (event) => events.push(event) });
  await http.send({ method: "GET", url: `${url}?$select=id`, retry: "never" });
  await http.send({
    method: "GET",
    url: "https://contoso.sharepoint.com/secret?tempauth=secret",
    retry: "never",
    secretUrl: true,
  });
  assertEquals(JSON.stringify(events).includes("secret"), false);
  assertMatch(JSON.stringify(events), /contoso\.sharepoint\.com\/…/);
});

Deno.test("transfer links are followed to storage hosts only", () => {
  const storage = new StorageClient(new Http(), [...CLOUDS.global.storageHosts, "127.0.0.1:8080"]);
  const allowed = [
    "https://contoso.sharepoint.com/x",
    "https://a.b.sharepoint.com/x",
    "https://my.microsoftpersonalcontent.com/x",
    "https://x.up.1drv.com/y",
    "http://127.0.0.1:8080/x",
  ];
  const refused = [
    "http://contoso.sharepoint.com/x",
    "https://sharepoint.com.evil.example/x",
    "https://evilsharepoint.com/x",
    "https://contoso.sharepoint.com:8443/x",
    "https://contoso.sharepoint.com@evil.example/x",
    "http://127.0.0.1:8081/x",
    "https://graph.microsoft.com/x",
    "ftp://contoso.sharepoint.com/x",
    "not a url",
  ];
  for (const link of allowed) storage.check(link);
  for (const link of refused) {
    let error: unknown;
    try {
      storage.check(link);
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof GraphError, link);
  }
});

Deno.test("a host that has asked to wait is left alone by all requests, others are not", async () => {
  const { http, waits } = scripted([
    status(429, { "retry-after": "7" }),
    status(200),
    status(200),
    status(200),
  ]);
  const other = http.outliving(1);
  const first = http.send({ method: "GET", url, retry: "repeatable" });
  await first;
  assertEquals(waits, [7000]);
  const pace = new Pace();
  pace.hold("a.example", 1000);
  assertEquals(pace.turn("a.example", 400).ms, 600);
  assertEquals(pace.turn("b.example", 400).ms, 0);
  assertEquals(pace.turn("a.example", 1000).ms, 0);
  assertEquals((await other.send({ method: "GET", url, retry: "never" })).status, 200);
});

Deno.test("no more requests go out in five minutes than the service takes", () => {
  const pace = new Pace(3);
  const at = (now: number) => pace.turn("graph.microsoft.com", now).ms;
  assertEquals([at(0), at(1000), at(2000)], [0, 0, 0]);
  assertEquals(at(3000), 297_000);
  assertEquals(at(300_000), 0);
  assertEquals(at(300_000), 1000);
  assertEquals([at(301_000), at(302_000)], [0, 0]);
});

Deno.test("a request that is no longer wanted waits no longer", async () => {
  const controller = new AbortController();
  let waiting = () => {};
  const isWaiting = new Promise<void>((resolve) => waiting = resolve);
  const http = new Http({
    fetch: () => Promise.resolve(status(429, { "retry-after": "100" })),
    onWait: () => waiting(),
    signal: new AbortController().signal,
  });
  const request = http.send({ method: "GET", url, retry: "repeatable", signal: controller.signal }).catch((
    error,
  ) => error);
  await isWaiting;
  controller.abort();
  assertEquals((await request).kind, "interrupted");
});
