import { assert, assertEquals } from "../assert.ts";
import { RATE_WINDOW_MS } from "../../lib/content/byte_rate.ts";
import { type RangeJob, RangeQueue, splitRanges } from "../../lib/content/range_queue.ts";
import { type ByteRange, ByteRanges } from "../../lib/content/ranges.ts";

const MIB = 1024 * 1024;

Deno.test("ranges say what is there and what lacks, in whatever order they come", () => {
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
    assertEquals(new ByteRanges(list).toJSON(), list, "ranges that touch were not joined");
  }
});

Deno.test("parts make up what lacks, and are neither tiny nor endless", () => {
  for (const [size, connections] of [[3 * MIB, 4], [64 * MIB, 4], [5000 * MIB, 4], [700 * MIB, 1]] as const) {
    const missing: ByteRange[] = [[1000, 2 * MIB], [2 * MIB + 5, size]];
    const parts = splitRanges(missing, size, connections);
    assertEquals(new ByteRanges(parts).toJSON(), missing);
    for (const [start, end] of parts) assert(end - start <= 32 * MIB && end > start);
    assert(parts.length <= size / MIB + 2);
    assert(size < 8 * MIB || parts.length >= connections, `${parts.length} parts for ${connections}`);
  }
});

/** Parts with a clock that is set by hand. */
function partsOf(...ranges: ByteRange[]) {
  const clock = { now: 0 };
  return { clock, parts: new RangeQueue(ranges, () => clock.now) };
}

function take(part: RangeJob, bytes: number): void {
  part.position += bytes;
  part.rate.add(bytes);
}

Deno.test("parts are taken in order; what a connection did not fetch comes first again", async () => {
  const { parts } = partsOf([0, 10], [10, 20], [20, 30]);
  const one = (await parts.next(0))!;
  const two = (await parts.next(0))!;
  assertEquals([one.position, two.position], [0, 10]);
  take(one, 4);
  parts.release(one);
  const rest = (await parts.next(0))!;
  assertEquals([rest.position, rest.end], [4, 10]);
  const last = (await parts.next(0))!;
  assertEquals(last.position, 20);
  for (const part of [two, rest, last]) {
    take(part, part.end - part.position);
    parts.release(part);
  }
  assertEquals(await parts.next(0), undefined);
});

Deno.test("an idle connection takes over what is silent or almost so, and nothing else", async () => {
  for (
    const [name, bytesOfVictim, pace, taken] of [
      ["silent", 0, 0, true],
      ["ten times slower", 400, 1, true],
      ["somewhat slower", 1000, 1, false],
    ] as const
  ) {
    const { clock, parts } = partsOf([0, 100_000]);
    const victim = (await parts.next(0))!;
    clock.now = RATE_WINDOW_MS - 1;
    take(victim, bytesOfVictim);
    const idle = parts.next(pace);
    clock.now = RATE_WINDOW_MS + 1;
    if (!taken) {
      take(victim, victim.end - victim.position);
      parts.release(victim);
    }
    const rest = await idle;
    assertEquals(
      [rest?.position, rest?.end],
      taken ? [bytesOfVictim, 100_000] : [undefined, undefined],
      name,
    );
    assertEquals(victim.abort.signal.aborted, taken, name);
    if (taken) assertEquals(victim.end, victim.position, "the victim would go on writing");
  }
});

Deno.test("an end of all wakes those that wait", async () => {
  const { parts } = partsOf([0, 10]);
  const running = (await parts.next(0))!;
  const waiting = parts.next(0);
  parts.stop();
  assertEquals(await waiting, undefined);
  assert(running.abort.signal.aborted && parts.stopped.aborted);
});

Deno.test("splitRanges() keeps the list short for the largest file", () => {
  assert(splitRanges([[0, 1024 ** 4]], 1024 ** 4, 16).length <= 32_768);
});
