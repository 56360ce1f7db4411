import { assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { VERSION } from "../../lib/http/client.ts";
import { CONFIG, denoRun, ROOT, runProcess } from "../test_env.ts";
import { lockedPackages } from "../tools/packages.ts";

const config = JSON.parse(await Deno.readTextFile(CONFIG));

Deno.test("deno.json has the version that the scripts print", () => {
  assertEquals(config.version, VERSION);
});

// With Deno 2.9.6, `deno test tests/` runs only the tests of a member in that folder, and says nothing of the others.
Deno.test("deno.json has no workspace, although the sandbox has a manifest of its own", () => {
  assertEquals(config.workspace, undefined);
});

Deno.test("the lock of the scripts has no package that only tests need", async () => {
  const lock = await Deno.readTextFile(join(ROOT, "deno.lock"));

  assertEquals(/playwright|microsoft-graph-client|fast-check/.test(lock), false);
});

Deno.test("every package is pinned to a version, and the npm ones install without scripts", async () => {
  const { specifiers } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.lock")));
  const own = (await lockedPackages()).filter(({ askedBy }) => askedBy.length === 0);
  for (const { registry, name, version } of own) {
    assertEquals(specifiers[`${registry}:${name}@${version}`], version);
  }
  const { code, stderr } = await runProcess(denoRun("-A", join(ROOT, "tests", "tools", "packages.ts")), {});
  assertEquals([code, stderr], [0, ""]);
});
