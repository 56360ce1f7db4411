import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import { GraphError } from "../../lib/errors.ts";
import { Deadline } from "../../lib/http/deadline.ts";

/** A clock that only advances when it is set. */
function clock() {
  let now = 0;
  return {
    now: () => now,
    /** Work that takes the given time by this clock. */
    takes: (ms: number) => () => {
      now += ms;
      return Promise.resolve();
    },
  };
}

Deno.test("Deadline counts waits, and no time between them", async () => {
  const { now, takes } = clock();
  const deadline = new Deadline(20_000, now);
  await deadline.wait(takes(6_000));
  await takes(60_000)();
  await deadline.wait(takes(6_000));
  assertEquals(deadline.remainingMs, 8_000);
  assertEquals([deadline.allows(8_000), deadline.allows(8_001)], [true, false]);
});

Deno.test("Deadline restarts with progress, and expires without", async () => {
  const { now, takes } = clock();
  const deadline = new Deadline(20_000, now);
  await deadline.wait(takes(19_000));
  deadline.progress();
  await deadline.wait(takes(20_000));
  const error = await assertRejects(() => deadline.wait(() => new Promise(() => {})));
  assert(error instanceof GraphError);
  assertEquals([error.kind, error.code, error.message], [
    "unavailable",
    "stalled",
    "no progress within 20 s",
  ]);
});

Deno.test("Deadline of a transfer expires despite progress of others, and together with its parent", async () => {
  const { now, takes } = clock();
  const run = new Deadline(20_000, now);
  const [slow, other] = [new Deadline(20_000, now, run), new Deadline(20_000, now, run)];
  await slow.wait(takes(20_000));
  other.progress();
  const never = () => new Promise<void>(() => {});
  assertEquals((await assertRejects(() => slow.wait(never)) as GraphError).code, "noProgress");
  assert(other.remainingMs > 0);
  await other.wait(takes(20_000));
  const another = new Deadline(20_000, now, run);
  assertEquals((await assertRejects(() => another.wait(never)) as GraphError).code, "stalled");
});

Deno.test("Deadline limits silence to a quarter of its length, at most 60 seconds", async () => {
  const silences = [0, 20_000, 300_000].map((ms) => new Deadline(ms, Date.now).maxSilenceMs);
  assertEquals(silences, [2_000, 5_000, 60_000]);
  const error = await assertRejects(() =>
    new Deadline(20_000, Date.now).wait(() => new Promise(() => {}), 10)
  );
  assertEquals((error as Error).name, "TimeoutError");
  assertMatch(String(error), /silent for/);
});
