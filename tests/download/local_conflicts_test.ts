import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";

Deno.test("get does not replace a file that another program creates during the download", async () => {
  for (const how of ["fail", "skip", "resume"]) {
    await using env = await startTestEnv();
    env.sandbox.tenant.addFile("Documents", "General/x.bin", pseudoRandomBytes(1000));
    env.sandbox.addFault({
      service: "storage",
      method: "GET",
      rewrite: async (response) => {
        await env.file("x.bin", "theirs");
        return response;
      },
    });
    const { code, stderr } = await env.run("get", "--conflict", how, "General/x.bin");
    assertEquals(code, 6, `${how}: ${stderr}`);
    assertEquals(await Deno.readTextFile(join(env.folder, "x.bin")), "theirs");
  }
});

Deno.test("get --dry-run reports the conflicts of a real run", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/x.bin", pseudoRandomBytes(1000));
  await env.file("x.bin", pseudoRandomBytes(2000));
  assertEquals((await env.run("get", "--conflict", "resume", "General/x.bin")).code, 6);
  assertEquals((await env.run("get", "--dry-run", "--conflict", "resume", "General/x.bin")).code, 6);
  assertEquals((await env.run("get", "General/x.bin", "nowhere/x.bin")).code, 3);
  assertEquals((await env.run("get", "--dry-run", "General/x.bin", "nowhere/x.bin")).code, 3);
  await env.file("y.bin", pseudoRandomBytes(1000));
  const { stdout } = await env.run("get", "--dry-run", "--conflict", "resume", "General/x.bin", "y.bin");
  assertMatch(stdout, /^unchanged/);
});

Deno.test("get rejects a dangling symlink before it fetches anything", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/x.bin", "abc");
  await Deno.symlink("nowhere", join(env.folder, "x.bin"));
  for (const how of ["fail", "skip", "resume", "replace"]) {
    const { code, stderr } = await env.run("get", "--conflict", how, "General/x.bin");
    assertEquals(code, 2, how);
    assertMatch(stderr, /x\.bin is a dangling symbolic link/);
  }
  assertEquals(env.sandbox.requests.filter(({ service }) => service === "storage"), []);
  assertEquals((await Array.fromAsync(Deno.readDir(env.folder))).map(({ name }) => name), ["x.bin"]);
});

Deno.test("get accepts the longest name and does not replace a pipe", async () => {
  if (Deno.build.os !== "linux") return;
  await using env = await startTestEnv();
  const name = `${"世".repeat(80)}.txt`;
  env.sandbox.tenant.addFile("Documents", `General/${name}`, "x");
  assertEquals((await env.run("get", `General/${name}`)).code, 0);
  await new Deno.Command("mkfifo", { args: [join(env.folder, "pipe")] }).output();
  assertEquals((await env.run("get", "--conflict", "replace", `General/${name}`, "pipe")).code, 2);
  assert((await Deno.stat(join(env.folder, "pipe"))).isFifo, "replaced");
});
