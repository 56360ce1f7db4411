import { assert, assertEquals } from "../assert.ts";
import { startTestEnv } from "../test_env.ts";

Deno.test("put continues when standard output or error is closed", async () => {
  await using env = await startTestEnv();
  const files = await Promise.all(["1.txt", "2.txt", "3.txt"].map((name) => env.file(name, name)));
  env.sandbox.addFault({ method: "PUT", path: "/content", delayMs: 300 });
  const child = env.spawn("put", "--verbose", files[0]!, "nope.txt", files[1]!, files[2]!, "General/");
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  assertEquals((await child.status).code, 3);
  for (const name of ["1.txt", "2.txt", "3.txt"]) {
    assert(env.sandbox.tenant.find("Documents", `General/${name}`), name);
  }
});
