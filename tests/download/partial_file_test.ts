import { assert, assertEquals } from "../assert.ts";
import { openDownloadJournal, PartialFile } from "../../lib/download/partial_file.ts";
import type { ByteRange } from "../../lib/content/ranges.ts";
import { RemoteContent } from "../../lib/content/remote_content.ts";
import type { Connection } from "../../lib/connect.ts";
import type { ResolvedItem } from "../../lib/drive/items.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes } from "../test_env.ts";
import { sameBytes } from "./download_env.ts";

const SIZE = 3 * 1024 * 1024 + 3;
const CONTENT = pseudoRandomBytes(SIZE);

/** A partial file in a temporary folder, with `done` of it written by an earlier process. */
async function openPartialFile(done: ByteRange[] = []) {
  const folder = await Deno.makeTempDir();
  const journal = openDownloadJournal(join(folder, "journal"), Date.now, () => {});
  const place = {
    journal,
    key: "0".repeat(32),
    path: join(folder, "partial"),
    notice: () => {},
  };
  const item = { driveId: "d", id: "i", size: SIZE, hash: null, path: "x" };
  const found = { item, driveItem: { cTag: "1" } } as ResolvedItem;
  const file = await Deno.open(place.path, { read: true, write: true, create: true });
  const before = new Uint8Array(SIZE);
  for (const [start, end] of done) before.set(CONTENT.subarray(start, end), start);
  await file.write(before);
  const content = new RemoteContent({} as Connection, found);
  const partial = new PartialFile(place, file, content, {
    driveId: "d",
    itemId: "i",
    version: "1",
    size: SIZE,
    path: "x",
    guessedFrom: null,
    done,
  });
  return {
    partial,
    bytes: () => Deno.readFile(place.path),
    entry: () => journal.read(place.key),
    async [Symbol.asyncDispose]() {
      partial[Symbol.dispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function splitAtRandom(size: number): ByteRange[] {
  const cuts = Array.from({ length: 9 }, () => Math.floor(Math.random() * size)).toSorted((a, z) => a - z);
  const ranges = [0, ...cuts].map((start, index): ByteRange => [start, cuts[index] ?? size]);
  return ranges.toSorted(() => Math.random() - 0.5);
}

Deno.test("PartialFile writes ranges in any order and at the same time, beside those of an earlier process", async () => {
  for (let round = 0; round < 8; round++) {
    const ranges = splitAtRandom(SIZE);
    const earlier = ranges.splice(0, round);
    await using open = await openPartialFile(earlier);

    await Promise.all(
      ranges.map(([start, end]) => open.partial.write(CONTENT.subarray(start, end), start)),
    );

    assert(sameBytes(await open.bytes(), CONTENT), "bytes are in the wrong place");
    await open.partial.record();
    assertEquals((await open.entry())?.done, [[0, SIZE]]);
  }
});

Deno.test("PartialFile restarts with an empty file and an empty journal entry", async () => {
  await using open = await openPartialFile([[0, 1000]]);
  assertEquals(open.partial.resumedFrom, 1000);

  await open.partial.restart();

  assertEquals([open.partial.resumedFrom, (await open.entry())?.done], [null, []]);
  assertEquals((await open.partial.file.stat()).size, 0);
});
