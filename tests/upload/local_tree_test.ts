import { assert, assertEquals, assertRejects } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { readLocalTree } from "../../lib/upload/local_tree.ts";

Deno.test("readLocalTree() compares ten thousand names of one folder quickly", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const names = Array.from({ length: 10_000 }, (_, i) => `file number ${i}.txt`);
    await Promise.all(names.map((name) => Deno.writeTextFile(join(folder, name), "")));
    const started = performance.now();
    assertEquals((await readLocalTree(folder)).files.length, 10_000);
    assert(performance.now() - started < 3_000, `${performance.now() - started} ms`);
    const ended = new AbortController();
    ended.abort();
    await assertRejects(() => readLocalTree(folder, ended.signal));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
