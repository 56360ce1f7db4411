import { assertEquals } from "../assert.ts";
import { largeFiles } from "./check_file_sizes.ts";

Deno.test("largeFiles() names tracked files above the limit, and no others", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const git = (...args: string[]) => new Deno.Command("git", { args, cwd: folder }).output();
    await git("init", "-q");
    for (
      const [name, size] of [["small", 10], ["large name", 11], ["deleted", 99], ["untracked", 99]] as const
    ) {
      await Deno.writeFile(`${folder}/${name}`, new Uint8Array(size));
    }
    await git("add", "small", "large name", "deleted");
    await Deno.remove(`${folder}/deleted`);
    assertEquals(await largeFiles(folder, 10), ["large name: 11 bytes, more than 10"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
