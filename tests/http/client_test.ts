import { Pace } from "../../lib/http/pace.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { GraphError } from "../../lib/errors.ts";
import { GraphClient } from "../../lib/graph/client.ts";
import { HttpClient, type HttpOptions } from "../../lib/http/client.ts";
import { retryAfterMs } from "../../lib/http/retry.ts";
import { StorageClient } from "../../lib/graph/storage.ts";
import { CLOUDS } from "../../lib/clouds.ts";

/** Answers from a list; waits take no time and are remembered. */
function scripted(answers: (Response | Error)[], options: HttpOptions = {}) {
  const waits: number[] = [];
  const sent: Request[] = [];
  let now = Date.parse("2026-01-01T00:00:00Z");
  const http = new HttpClient({
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
  assertEquals((await all.http.send({ method: "GET", url, retry: "idempotent" })).status, 200);
  assertEquals(all.waits.map((ms) => Math.round(ms)), [1000, 2000, 4000, 8000, 16000]);
  for (const code of [500, 502, 504, 509, 408]) {
    const { http } = scripted([status(code)]);
    assertEquals((await http.send({ method: "POST", url, retry: "throttled", body: "{}" })).status, code);
  }
  for (const code of [429, 503]) {
    const { http } = scripted([status(code), status(201)]);
    assertEquals((await http.send({ method: "POST", url, retry: "throttled", body: "{}" })).status, 201);
    const never = scripted([status(code)]);
    assertEquals((await never.http.send({ method: "PUT", url, retry: "never" })).status, code);
  }
});

Deno.test("a broken connection is tried again only where the request may be repeated", async () => {
  const broken = () => new TypeError("fetch failed", { cause: new Error("connection reset") });
  const get = scripted([broken(), status(200)]);
  assertEquals((await get.http.send({ method: "GET", url, retry: "idempotent" })).status, 200);
  const put = scripted([broken()]);
  const error = await put.http.send({ method: "PUT", url, retry: "throttled" }).catch((error) => error);
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
  assertEquals((await http.send({ method: "GET", url, retry: "idempotent" })).status, 429);
  assertEquals(waits, [200_000]);
});

Deno.test("a service that never answers is given up, and an abort ends a request and a wait", async () => {
  const silent = (_: unknown, init?: RequestInit) =>
    new Promise<Response>((_resolve, reject) =>
      init?.signal?.addEventListener("abort", () => reject(new Error("aborted")))
    );
  const http = new HttpClient({ fetch: silent });
  const late = await http.send({ method: "GET", url, retry: "never", headerTimeoutMs: 20 }).catch((error) =>
    error
  );
  assertMatch(late.message, /silent for 0 s/);
  const controller = new AbortController();
  const aborted = new HttpClient({ fetch: silent, signal: controller.signal });
  const request = aborted.send({ method: "GET", url, retry: "idempotent" }).catch((error) => error);
  const wait = aborted.wait(60_000, "test").catch((error) => error);
  controller.abort();
  assertEquals([(await request).kind, (await wait).kind], ["interrupted", "interrupted"]);
});

Deno.test("a body that stays silent is given up", async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  const { http } = scripted([new Response(body)], { maxWaitMs: 0 });
  const answer = await http.send({ method: "GET", url, retry: "never" });
  const error = await answer.text().catch((error) => error);
  assertEquals(error.kind, "unavailable");
  assertMatch(error.message, /silent for 2 s/);
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
    const http = new HttpClient();
    await (await http.send({ method: "GET", url: local, retry: "never" })).text(); // leaves a connection to reuse
    const error = await http.send({ method: "PUT", url: local, retry: "throttled", body: new Uint8Array(5) })
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
  const storage = new StorageClient(new HttpClient(), [...CLOUDS.global.storageHosts, "127.0.0.1:8080"]);
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
  const other = http.forTransfer();
  const first = http.send({ method: "GET", url, retry: "idempotent" });
  await first;
  assertEquals(waits, [7000]);
  const pace = new Pace();
  pace.hold("a.example", 1000);
  assertEquals(pace.delayMs("a.example", 400), 600);
  assertEquals(pace.delayMs("b.example", 400), 0);
  assertEquals(pace.delayMs("a.example", 1000), 0);
  assertEquals((await other.send({ method: "GET", url, retry: "never" })).status, 200);
});

Deno.test("a request that is no longer wanted waits no longer", async () => {
  const controller = new AbortController();
  let waiting = () => {};
  const isWaiting = new Promise<void>((resolve) => waiting = resolve);
  const http = new HttpClient({
    fetch: () => Promise.resolve(status(429, { "retry-after": "100" })),
    onWait: () => waiting(),
    signal: new AbortController().signal,
  });
  const request = http.send({ method: "GET", url, retry: "idempotent", signal: controller.signal }).catch((
    error,
  ) => error);
  await isWaiting;
  controller.abort();
  assertEquals((await request).kind, "interrupted");
});

/** A body that never ends, in steps of 1 MiB. */
function endless(): { body: ReadableStream<Uint8Array>; sentBytes: () => number } {
  let sent = 0;
  const chunk = new TextEncoder().encode(" ".repeat(1024 ** 2));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
  return { body, sentBytes: () => sent };
}

Deno.test("an endless answer is an error after 32 MiB, an endless error body is cut after 64 KiB", async () => {
  const [success, failure] = [endless(), endless()];
  const { http } = scripted([new Response(success.body), new Response(failure.body, { status: 400 })]);
  const answer = await http.send({ method: "GET", url, retry: "idempotent" });
  const error = await answer.text().then(() => ({} as GraphError), (error) => error);
  assertEquals([error.kind, error.code], ["failed", "tooLarge"]);
  assert(success.sentBytes() < 40 * 1024 ** 2);
  const refused = await http.send({ method: "GET", url, retry: "idempotent" });
  assertEquals((await refused.errorText()).length, 64 * 1024);
  assert(failure.sentBytes() < 4 * 1024 ** 2);
});

/** A Graph client with answers from a list. */
function graphWith(...answers: (Response | Error)[]) {
  const { http, waits, sent } = scripted(answers);
  const tokens = { token: () => Promise.resolve("token") };
  return { graph: new GraphClient(http, "https://graph.microsoft.com", tokens), waits, sent };
}

const brokenBody = () =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"id":'));
        controller.error(new Error("connection reset"));
      },
    }),
  );

Deno.test("a GET whose body breaks off, is cut, or is no JSON is tried again like one whose answer is lost", async () => {
  const lost = [
    brokenBody(),
    new Response('{"id":'),
    new Response("<html>proxy</html>"),
    new Response("null"),
  ];
  const { graph, sent } = graphWith(...lost, new Response('{"id":"me"}'));
  assertEquals(await graph.requestJson<{ id: string }>("/me", { what: "who" }), { id: "me" });
  assertEquals(sent.length, 5);
  const hopeless = graphWith(...Array.from({ length: 6 }, () => new Response("secret")));
  const error = await hopeless.graph.requestJson<GraphError>("/me", { what: "who" }).catch((
    error: GraphError,
  ) => error);
  assertEquals([error.code, error.exitCode], ["invalidAnswer", 1]);
  assert(!String(error.message + error.hint).includes("secret"));
});

Deno.test("a POST whose answer is cut is not sent again, and its body is not shown", async () => {
  const { graph, sent } = graphWith(new Response('{"uploadUrl":"https://x.sharepoint.com/secret'));
  const error = await graph.requestJson<GraphError>("/x", { method: "POST", what: "x", json: {} }).catch((
    error: GraphError,
  ) => error);
  assertEquals([error.code, sent.length], ["invalidAnswer", 1]);
  assert(!String(error.message + error.hint).includes("secret"));
});

Deno.test("a page without a list of items is invalid: tried again, then an error, also as a later page", async () => {
  const pagesOf = async (...bodies: unknown[]) => {
    const { graph, sent } = graphWith(...bodies.map((body) => new Response(JSON.stringify(body))));
    const names: string[] = [];
    try {
      for await (const page of graph.pages<string>("/list", "listing")) names.push(...page);
      return { names, requests: sent.length };
    } catch (error) {
      return { names, code: (error as GraphError).code, requests: sent.length };
    }
  };
  const next = { "@odata.nextLink": "https://graph.microsoft.com/v1.0/list?$skiptoken=2" };
  const invalid = [{}, null, { id: "item", name: "a" }, { value: {} }, [], "text"];
  for (const body of invalid) {
    assertEquals(await pagesOf(body, { value: ["a"] }), { names: ["a"], requests: 2 }, JSON.stringify(body));
    const again = Array.from({ length: 6 }, () => body);
    assertEquals(await pagesOf(...again), { names: [], code: "invalidAnswer", requests: 6 });
    assertEquals(await pagesOf({ value: ["a"], ...next }, ...again), {
      names: ["a"],
      code: "invalidAnswer",
      requests: 7,
    });
  }
});
