import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("get -r leaves no incomplete file on Ctrl-C (exit code 130)", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  for (let i = 0; i < 6; i++) {
    env.sandbox.tenant.addFile("Documents", `General/Many/${i}.bin`, pseudoRandomBytes(3_000_000, i + 1));
  }
  for (const fault of [{ path: "/children" }, { service: "storage" as const, method: "GET", nth: 3 }]) {
    env.sandbox.clearFaults();
    env.sandbox.addFault({ ...fault, times: "always", delayMs: 15_000 });
    const before = env.sandbox.requests.length;
    const child = env.spawn("get", "-r", "General/Many", "here");
    await until(() =>
      env.sandbox.requests.slice(before).filter(({ path, service }) =>
        "path" in fault ? path.includes("General/Many") : service === "storage"
      ).length >= 1
    );
    await new Promise((resolve) => setTimeout(resolve, 400));
    const started = performance.now();
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assertEquals(code, 130);
    assert(performance.now() - started < 3_000);
    const text = new TextDecoder().decode(stderr);
    assertMatch(text, /^(get: .* left, in 0:\d\d\n)?get: interrupted; run the same command again .*\n$/);
    const here = await Array.fromAsync(Deno.readDir(join(env.folder, "here"))).catch(() => []);
    for (const { name } of here.filter(({ name }) => name.endsWith(".bin"))) {
      assertEquals((await Deno.stat(join(env.folder, "here", name))).size, 3_000_000, name);
    }
    assertEquals(here.filter(({ name }) => !name.endsWith(".bin")), [], "the partial file was removed");
  }
});
