import { assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { VERSION } from "../../lib/http/client.ts";
import { CONFIG, ROOT } from "../test_env.ts";

const config = JSON.parse(await Deno.readTextFile(CONFIG));

Deno.test("deno.json has the version that the scripts print", () => {
  assertEquals(config.version, VERSION);
});

Deno.test("the lock of the scripts has no package that only tests need", async () => {
  const lock = await Deno.readTextFile(join(ROOT, "deno.lock"));

  assertEquals(/playwright|microsoft-graph-client|fast-check/.test(lock), false);
});
