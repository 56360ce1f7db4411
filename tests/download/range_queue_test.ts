import { assert, assertEquals } from "../assert.ts";
import {
  type ByteRange,
  ByteRanges,
  MAX_SILENCE_MS,
  RangeQueue,
  splitRanges,
} from "../../lib/content/ranges.ts";

const MIB = 1024 * 1024;

Deno.test("ByteRanges returns present and missing ranges, whatever the order of additions", () => {
  for (let round = 0; round < 500; round++) {
    const size = 1 + Math.floor(Math.random() * 60);
    const bytes = new Array<boolean>(size).fill(false);
    const ranges = new ByteRanges();
    for (let count = Math.random() * 8; count > 0; count--) {
      const start = Math.floor(Math.random() * size);
      const end = start + Math.floor(Math.random() * (size - start + 1));
      ranges.add(start, end);
      bytes.fill(true, start, end);
    }
    const list = ranges.toJSON();
    const gaps = ranges.missing(size);
    const marks = (list: readonly ByteRange[]) =>
      bytes.map((_, at) => list.some(([start, end]) => start <= at && at < end));
    assertEquals(marks(list), bytes);
    assertEquals(marks(gaps), bytes.map((there) => !there));
    assertEquals(ranges.total, bytes.filter(Boolean).length);
    assertEquals(ranges.prefixEnd, bytes.includes(false) ? bytes.indexOf(false) : size);
    assertEquals(ranges.isPrefix, list.length === 0 || (list.length === 1 && list[0]![0] === 0));
    assertEquals(ranges.end, bytes.lastIndexOf(true) + 1);
    assertEquals(new ByteRanges(list).toJSON(), list, "adjacent ranges were not joined");
  }
});

Deno.test("splitRanges() covers missing bytes with ranges of a reasonable size", () => {
  for (const [size, connections] of [[3 * MIB, 4], [64 * MIB, 4], [5000 * MIB, 4], [700 * MIB, 1]] as const) {
    const missing: ByteRange[] = [[1000, 2 * MIB], [2 * MIB + 5, size]];
    const ranges = splitRanges(missing, size, connections);
    assertEquals(new ByteRanges(ranges).toJSON(), missing);
    for (const [start, end] of ranges) assert(end - start <= 32 * MIB && end > start);
    assert(ranges.length <= size / MIB + 2);
    assert(size < 8 * MIB || ranges.length >= connections, `${ranges.length} ranges for ${connections}`);
  }
});

/** A queue with a manual clock. */
function queueOf(...ranges: ByteRange[]) {
  const clock = { now: 0 };
  return { clock, queue: new RangeQueue(ranges, () => clock.now) };
}

Deno.test("RangeQueue hands out ranges in order, unfinished ones first", async () => {
  const { queue } = queueOf([0, 10], [10, 20], [20, 30]);
  const one = (await queue.next())!;
  const two = (await queue.next())!;
  assertEquals([one.position, two.position], [0, 10]);
  queue.advance(one, 4);
  queue.release(one);
  const rest = (await queue.next())!;
  assertEquals([rest.position, rest.end], [4, 10]);
  const last = (await queue.next())!;
  assertEquals(last.position, 20);
  for (const job of [two, rest, last]) {
    queue.advance(job, job.end - job.position);
    queue.release(job);
  }
  assertEquals(await queue.next(), undefined);
});

Deno.test("RangeQueue lets an idle worker take over only silent or trickling ranges", async () => {
  for (
    const [name, bytesAt, bytes, isTakenOver] of [
      ["no response", 0, 0, true],
      ["silent after some bytes", 1, 400, true],
      ["a trickle", MAX_SILENCE_MS, 65_535, true],
      ["slow", 2, 65_536, false],
    ] as const
  ) {
    const { clock, queue } = queueOf([0, 100_000]);
    const job = (await queue.next())!;
    clock.now = bytesAt;
    if (bytes > 0) queue.advance(job, bytes);
    const idle = queue.next();
    clock.now = MAX_SILENCE_MS + 1;
    if (!isTakenOver) {
      await new Promise((resolve) => setTimeout(resolve, 600)); // the idle worker checks every 500 ms
      assert(!job.abort.signal.aborted, name);
      queue.advance(job, job.end - job.position);
      queue.release(job);
    }
    const rest = await idle;
    assertEquals(
      [rest?.position, rest?.end],
      isTakenOver ? [bytes, 100_000] : [undefined, undefined],
      name,
    );
    assertEquals(job.abort.signal.aborted, isTakenOver, name);
    if (isTakenOver) assertEquals(job.end, job.position, "the first worker would continue writing");
  }
});

Deno.test("RangeQueue wakes waiting workers when it stops", async () => {
  const { queue } = queueOf([0, 10]);
  const running = (await queue.next())!;
  const waiting = queue.next();
  queue.stop();
  assertEquals(await waiting, undefined);
  assert(running.abort.signal.aborted && queue.stopped.aborted);
});

Deno.test("splitRanges() keeps the list short for the largest file", () => {
  assert(splitRanges([[0, 1024 ** 4]], 1024 ** 4, 16).length <= 32_768);
});
