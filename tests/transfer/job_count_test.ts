/** How many transfers run at the same time, as the service throttles them. */

import { assertEquals } from "../assert.ts";
import { runPool } from "../../lib/transfer/jobs.ts";
import { JobCount } from "../../lib/transfer/job_count.ts";

/** Ends transfers, and returns the limit after each. */
function afterEnds(count: JobCount, transfers: number): number[] {
  return Array.from({ length: transfers }, () => {
    count.ended();
    return count.limit;
  });
}

Deno.test("jobs start at eight, and slowly become sixteen", () => {
  const limits = afterEnds(new JobCount({ throttledResponses: 0 }), 400);
  assertEquals(limits.slice(0, 16), [...Array(15).fill(8), 9]);
  assertEquals(limits.indexOf(10), 16 + 18 - 1);
  assertEquals(limits.at(-1), 16);
});

Deno.test("jobs are halved once for transfers that are throttled together, and again for later ones", () => {
  const http = { throttledResponses: 0 };
  const count = new JobCount(http);
  afterEnds(count, 3);
  for (let burst = 0; burst < 8; burst++) {
    http.throttledResponses++;
    count.ended();
  }
  assertEquals(count.limit, 4);
  http.throttledResponses++;
  assertEquals(afterEnds(count, 1), [2]);
  assertEquals(afterEnds(count, 4), [2, 2, 2, 3]);
  for (let burst = 0; burst < 30; burst++) {
    http.throttledResponses++;
    count.ended();
  }
  assertEquals(count.limit, 1);
});

Deno.test("jobs are as many as the user has chosen", () => {
  const http = { throttledResponses: 0 };
  const count = new JobCount(http, 5);
  http.throttledResponses = 9;
  assertEquals(afterEnds(count, 100), Array(100).fill(5));
});

Deno.test("runPool() starts no more transfers than the limit, also after it has become lower", async () => {
  const http = { throttledResponses: 0 };
  const count = new JobCount(http);
  const starts: { running: number; limit: number }[] = [];
  let running = 0;
  await runPool(Array.from({ length: 40 }, (_, number) => number), count, async (number) => {
    starts.push({ running: ++running, limit: count.limit });
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (number === 3) http.throttledResponses++;
    running--;
  });
  assertEquals(starts.filter(({ running, limit }) => running > limit), []);
  assertEquals([starts[7]!.running, starts.some(({ limit }) => limit === 4)], [8, true]);
});
