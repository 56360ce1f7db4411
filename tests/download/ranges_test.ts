import { assert, assertEquals } from "../assert.ts";
import { type ByteRange, ByteRanges, splitRanges } from "../../lib/content/ranges.ts";

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

Deno.test("splitRanges() covers missing bytes with a range for each connection, and none of a few bytes", () => {
  for (const [size, connections] of [[3 * MIB, 4], [64 * MIB, 4], [5000 * MIB, 4], [700 * MIB, 1]] as const) {
    const missing: ByteRange[] = [[1000, 2 * MIB], [2 * MIB + 5, size]];
    const ranges = splitRanges(missing, connections);
    assertEquals(new ByteRanges(ranges).toJSON(), missing);
    for (const [start, end] of ranges) {
      assert(end - start <= Math.max(MIB, size / connections) && end > start);
    }
    assert(size < 8 * MIB || ranges.length >= connections, `${ranges.length} ranges for ${connections}`);
    assert(ranges.length <= connections + missing.length);
  }
});
