import { assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { VERSION } from "../../lib/http/client.ts";
import { CONFIG, ROOT } from "../test_env.ts";

const config = JSON.parse(await Deno.readTextFile(CONFIG));

Deno.test("deno.json has the version that the scripts print", () => {
  assertEquals(config.version, VERSION);
});

Deno.test("each script's first line runs it with its own permission set", async () => {
  const files = await Array.fromAsync(Deno.readDir(join(ROOT, "scripts")), ({ name }) => name);
  const scripts = files.filter((name) => name.endsWith(".ts")).map((name) => name.replace(/\.ts$/, ""));

  for (const script of scripts) {
    const text = await Deno.readTextFile(join(ROOT, "scripts", `${script}.ts`));
    assertEquals(text.split("\n")[0], `#!/usr/bin/env -S deno run -q -P=${script}`);
  }
  assertEquals(Object.keys(config.permissions).toSorted(), scripts.toSorted());
});

Deno.test("the lock of the scripts has no package that only tests need", async () => {
  const lock = await Deno.readTextFile(join(ROOT, "deno.lock"));

  assertEquals(/playwright|microsoft-graph-client|fast-check/.test(lock), false);
});
