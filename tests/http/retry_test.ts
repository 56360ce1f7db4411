import { assert, assertEquals, assertMatch } from "../assert.ts";
import { GraphError } from "../../lib/errors.ts";
import { backoffMs, retryAfterMs, type RetryPolicy } from "../../lib/http/retry.ts";
import { scripted, status } from "./scripted_http.ts";

const url = "https://graph.microsoft.com/v1.0/me";

Deno.test("HttpClient sends again after the statuses of its retry policy", async () => {
  const statuses = [400, 401, 404, 408, 409, 423, 429, 500, 502, 503, 504, 507, 509];
  const retried: Record<RetryPolicy, number[]> = {
    idempotent: [408, 429, 500, 502, 503, 504, 509],
    throttled: [429, 503],
    never: [],
  };
  for (const [retry, codes] of Object.entries(retried) as [RetryPolicy, number[]][]) {
    for (const code of statuses) {
      const { http, sent } = scripted([status(code), status(200)]);
      await http.send({ method: "PUT", url, retry });
      assertEquals(sent.length, codes.includes(code) ? 2 : 1, `${retry} ${code}`);
    }
  }
});

Deno.test("HttpClient sends six times with growing pauses, then returns the last response", async () => {
  const { http, waits } = scripted([408, 429, 500, 502, 503, 504].map((code) => status(code)));
  assertEquals((await http.send({ method: "GET", url, retry: "idempotent" })).status, 504);
  assertEquals(waits.map((ms) => Math.round(ms)), [1000, 2000, 4000, 8000, 16000]);
  assertEquals([backoffMs(1, 0), backoffMs(9, 0), backoffMs(9, 1)], [500, 15_000, 30_000]);
});

Deno.test("HttpClient sends again after a lost connection only with the policy idempotent", async () => {
  const broken = () => new TypeError("fetch failed", { cause: new Error("connection reset") });
  const get = scripted([broken(), status(200)]);
  assertEquals((await get.http.send({ method: "GET", url, retry: "idempotent" })).status, 200);
  const put = scripted([broken()]);
  const error = await put.http.send({ method: "PUT", url, retry: "throttled" }).catch((error) => error);
  assert(error instanceof GraphError);
  assertEquals([error.kind, error.code], ["unavailable", "network"]);
  assertMatch(error.message, /^cannot reach graph\.microsoft\.com: fetch failed: connection reset$/);
});

Deno.test("retryAfterMs() reads seconds and dates", () => {
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
});

Deno.test("HttpClient begins no pause that exceeds the deadline", async () => {
  const { http, waits } = scripted([
    status(429, { "retry-after": "200" }),
    status(429, { "retry-after": "200" }),
  ], { maxWaitMs: 300_000 });
  assertEquals((await http.send({ method: "GET", url, retry: "idempotent" })).status, 429);
  assertEquals(waits, [200_000]);
});

Deno.test("HttpClient sends nothing to a host that has asked to wait", async () => {
  let isFirst = true;
  const others: Promise<unknown>[] = [];
  const { http, waits } = scripted([
    status(429, { "retry-after": "7" }),
    status(200),
    status(200),
    status(200),
  ], {
    onWait: () => {
      if (!isFirst) return;
      isFirst = false;
      for (const other of [url, "https://other.example/"]) {
        others.push(http.forTransfer().send({ method: "GET", url: other, retry: "never" }));
      }
    },
  });
  await http.send({ method: "GET", url, retry: "idempotent" });
  await Promise.all(others);
  assertEquals(waits, [7000, 7000], "the other host was not waited for");
});

Deno.test("HttpClient holds back a host whose throttled request is sent again by its caller", async () => {
  const { http, waits } = scripted([status(429, { "retry-after": "7" }), status(200)]);

  await http.send({ method: "PUT", url, retry: "never" }); // as for fragments
  await http.forTransfer().send({ method: "PUT", url, retry: "never" });

  assertEquals(waits, [7000]);
});
