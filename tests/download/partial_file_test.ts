import { assert, assertEquals } from "../assert.ts";
import { newEntry, openDownloadJournal } from "../../lib/download/journal.ts";
import { PartialFile } from "../../lib/download/partial_file.ts";
import type { ByteRange } from "../../lib/content/ranges.ts";
import { RemoteContent } from "../../lib/content/remote_content.ts";
import type { Connection } from "../../lib/connect.ts";
import type { ResolvedItem } from "../../lib/drive/items.ts";
import { join } from "../../lib/std.ts";
import { QuickXorHash } from "../../lib/transfer/quick_xor_hash.ts";
import { pseudoRandomBytes } from "../test_env.ts";

const SIZE = 3 * 1024 * 1024 + 3;
const CONTENT = pseudoRandomBytes(SIZE);

/** A partial file in a temporary folder, with `done` of it written by an earlier process. */
async function openPartialFile(done: ByteRange[] = [], size = SIZE) {
  const folder = await Deno.makeTempDir();
  const journal = openDownloadJournal(join(folder, "journal"), Date.now, () => {});
  const place = {
    journal,
    key: "0".repeat(32),
    path: join(folder, "partial"),
    local: "x",
    signal: undefined,
    notice: () => {},
  };
  const item = { driveId: "d", id: "i", size, hash: null, path: "x" };
  const found = { item, driveItem: { cTag: "1" } } as ResolvedItem;
  const file = await Deno.open(place.path, { read: true, write: true, create: true });
  const before = new Uint8Array(SIZE);
  for (const [start, end] of done) before.set(CONTENT.subarray(start, end), start);
  await file.write(before);
  const content = new RemoteContent({} as Connection, found);
  const partial = new PartialFile(place, file, content, { ...newEntry(found, "x"), done });
  return {
    partial,
    entry: () => journal.read(place.key),
    async [Symbol.asyncDispose]() {
      await partial[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function write(partial: PartialFile, bytes: Uint8Array, ranges: readonly ByteRange[]): Promise<void> {
  await using writer = partial.openWriter();
  for (const [start, end] of ranges) {
    writer.seek(start);
    await writer.write(bytes.subarray(start, end));
    await writer.flush();
  }
}

function hashOf(bytes: Uint8Array): string {
  const hash = new QuickXorHash();
  hash.add(bytes, 0);
  return hash.digest();
}

function splitAtRandom(size: number): ByteRange[] {
  const cuts = Array.from({ length: 9 }, () => Math.floor(Math.random() * size)).toSorted((a, z) => a - z);
  const ranges = [0, ...cuts].map((start, index): ByteRange => [start, cuts[index] ?? size]);
  return ranges.toSorted(() => Math.random() - 0.5);
}

Deno.test("PartialFile hashes ranges written in any order, including those of an earlier process", async () => {
  for (let round = 0; round < 8; round++) {
    const ranges = splitAtRandom(SIZE);
    const earlier = ranges.splice(0, round);
    await using open = await openPartialFile(earlier);

    await write(open.partial, CONTENT, ranges);

    assertEquals(await open.partial.digest(), hashOf(CONTENT));
    await open.partial.record();
    assertEquals((await open.entry())?.done, [[0, SIZE]]);
  }
});

Deno.test("PartialFile marks no range as done while a second copy overwrites the first", async () => {
  await using open = await openPartialFile();
  await write(open.partial, CONTENT, [[0, SIZE]]);

  await open.partial.restartComparing();

  assertEquals((await open.entry())?.done, []);
});

Deno.test("PartialFile compares a second copy byte by byte, also where QuickXorHash collides", async () => {
  const block = 160 * 2048; // a period of QuickXorHash: swapped blocks have the same hash
  const swapped = CONTENT.slice();
  swapped.set(CONTENT.subarray(0, block), block);
  swapped.set(CONTENT.subarray(block, 2 * block), 0);
  assertEquals(hashOf(swapped), hashOf(CONTENT));
  const flipped = CONTENT.slice();
  flipped[SIZE - 1]! ^= 1;
  const copies: [name: string, copy: Uint8Array, isSame: boolean][] = [
    ["equal", CONTENT, true],
    ["blocks swapped", swapped, false],
    ["one bit", flipped, false],
    ["shorter", CONTENT.subarray(0, SIZE - 1), false],
    ["longer", new Uint8Array([...CONTENT, 0]), false],
  ];
  for (const [name, copy, isSame] of copies) {
    await using open = await openPartialFile();
    await write(open.partial, CONTENT, [[0, SIZE]]);
    assert(!open.partial.isSameCopy, "a first copy has no copy to compare with");

    await open.partial.restartComparing();
    await write(open.partial, copy, splitAtRandom(copy.length));

    assertEquals(open.partial.isSameCopy, isSame, name);
    assertEquals(await open.partial.digest(), hashOf(copy), name);
  }
});

Deno.test("PartialFile restarts with an empty file and an empty journal entry", async () => {
  await using open = await openPartialFile([[0, 1000]]);
  assertEquals(open.partial.resumedFrom, 1000);

  await open.partial.restart();

  assertEquals([open.partial.resumedFrom, (await open.entry())?.done], [null, []]);
  assertEquals((await open.partial.file.stat()).size, 0);
});

Deno.test("PartialFile keeps the length of a first copy that is longer than stated in its journal entry", async () => {
  await using open = await openPartialFile([], SIZE - 100);
  await write(open.partial, CONTENT, [[0, SIZE]]);

  await open.partial.restartComparing();

  assertEquals((await open.entry())?.announcedBytes, SIZE);
});
