/** How many connections a download keeps, on simulated lines; without a clock of its own. */

import { assert, assertEquals } from "../assert.ts";
import { ConnectionCount } from "../../lib/content/connection_count.ts";

const GIB = 1024 ** 3;

/**
 * The numbers of connections that are wanted, one after another, where all of them share `line` bytes a millisecond, and each has
 * at most `connection`.
 */
function wantedOn(line: number, connection: number, fixed?: number, jitter = () => 1): number[] {
  let now = 0;
  const count = new ConnectionCount(GIB, fixed, () => now);
  const wanted = [count.wanted];
  for (; now < 5_000; now++) {
    const open = count.wanted;
    for (let index = 0; index < open; index++) {
      count.noteArrival(index, jitter() * Math.min(line / open, connection));
    }
    if (count.wanted !== wanted.at(-1)) wanted.push(count.wanted);
  }
  return wanted;
}

Deno.test("connections stay open where each has a rate of its own", () => {
  assertEquals(wantedOn(50_000, 6_250), [2, 8]);
  assertEquals(wantedOn(1_000_000, 6_250), [2, 8]);
});

Deno.test("connections are closed where they share what the line has", () => {
  const [first, tried, kept] = wantedOn(6_250, 1_000_000);
  assertEquals([first, tried], [2, 8]);
  assert(kept! <= 3, `${kept} connections for a line that one fills`);
});

Deno.test("connections that fill the line together are kept", () => {
  const kept = wantedOn(25_000, 6_250).at(-1)!; // four do
  assert(kept >= 4 && kept <= 6, `${kept} connections`);
});

Deno.test("connections are kept and closed on a line whose rate jitters as well", () => {
  for (let seed = 1; seed <= 50; seed++) {
    let state = seed;
    const jitter = () => (state = state * 16_807 % 2_147_483_647) / 2_147_483_647 * 2; // 0 to 2, 1 on average
    const apart = wantedOn(1_000_000, 6_250, undefined, jitter).at(-1)!;
    const shared = wantedOn(6_250, 1_000_000, undefined, jitter).at(-1)!;
    assert(apart >= 6 && shared <= 4, `seed ${seed}: ${apart} and ${shared} connections`);
  }
});

Deno.test("connections are as many as the user has chosen", () => {
  assertEquals(wantedOn(50_000, 6_250, 5), [5]);
});

Deno.test("a small file has one connection", () => {
  assertEquals(new ConnectionCount(1024 ** 2, undefined).wanted, 1);
});

Deno.test("connections wait for each other before they are measured", () => {
  let now = 0;
  const count = new ConnectionCount(GIB, undefined, () => now);
  for (; now < 5_000; now++) count.noteArrival(0, 1_000); // the second has sent nothing yet
  assertEquals(count.wanted, 2);
});
