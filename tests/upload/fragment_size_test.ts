/** How fragments adapt to a line that needs a pause and a time per byte for each; without a clock. */

import { assertEquals } from "../assert.ts";
import { FragmentSize } from "../../lib/upload/fragment_size.ts";

const MIB = 1024 * 1024;

/** The sizes of fragments in MiB, on a line with a pause after each, in milliseconds, and a rate in MiB a second. */
function sizesOn(pauseMs: number, rate: number, chosen?: number): number[] {
  const size = new FragmentSize(chosen);
  return Array.from({ length: 8 }, () => {
    const { bytes } = size;
    size.acknowledged(bytes, pauseMs + bytes / MIB / rate * 1000);
    return bytes / MIB;
  });
}

Deno.test("fragments grow to 30 MiB while the pause between two is a twentieth of their time", () => {
  assertEquals(sizesOn(500, 25), [10, 20, 30, 30, 30, 30, 30, 30]);
});

Deno.test("fragments stop growing where the pause is a small part of their time", () => {
  assertEquals(sizesOn(40, 25), [10, 20, 20, 20, 20, 20, 20, 20]);
});

Deno.test("fragments stay as they are where a larger one was not worth it", () => {
  assertEquals(sizesOn(2, 300), [10, 20, 10, 10, 10, 10, 10, 10]); // loopback
  assertEquals(sizesOn(40, 1), [10, 20, 10, 10, 10, 10, 10, 10]); // a slow line
  assertEquals(sizesOn(1, 10_000), Array(8).fill(10)); // within the precision of such times
});

Deno.test("fragments keep the size that the user has chosen", () => {
  assertEquals(sizesOn(500, 25, 20 * MIB), Array(8).fill(20));
});

Deno.test("fragments are halved after a failure, and do not grow again", () => {
  const size = new FragmentSize();
  size.acknowledged(10 * MIB, 900);
  size.shrink();
  assertEquals(size.bytes, 10 * MIB);
  size.acknowledged(size.bytes, 900);
  size.acknowledged(size.bytes, 900);
  assertEquals(size.bytes, 10 * MIB);
});

Deno.test("fragments are multiples of 320 KiB down to one of them", () => {
  const size = new FragmentSize();
  for (let halvings = 0; halvings < 10; halvings++) {
    size.shrink();
    assertEquals(size.bytes % 327_680, 0);
  }
  assertEquals(size.bytes, 327_680);
});
