import { assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, type ScriptName, startTestEnv } from "../test_env.ts";

Deno.test("put, put-large and get --dry-run leave no local files", async () => {
  await using env = await startTestEnv();
  await Deno.mkdir(join(env.folder, "photos"));
  await env.file("photos/big.bin", pseudoRandomBytes(5_000_000));
  await env.file("photos/a.docx", pseudoRandomBytes(500));
  env.sandbox.tenant.addFile("Documents", "General/x.pdf", pseudoRandomBytes(1000));
  const list = async () =>
    (await Array.fromAsync(Deno.readDir(env.sandbox.env.GRAPH_SCRIPTS_HOME!), ({ name }) => name))
      .filter((name) => name !== "places.json") // what was looked up is remembered all the same
      .toSorted();
  const before = await list();
  for (
    const args of [["put", "-r", "--if-changed", "photos", "General/"], [
      "put-large",
      "photos/big.bin",
      "General/",
    ], [
      "get",
      "-r",
      "--if-changed",
      "General",
      "there",
    ]] as [ScriptName, ...string[]][]
  ) {
    const [script, ...rest] = args;
    const { code, stderr } = await env.run(script, "--dry-run", ...rest);
    assertEquals(code, 0, stderr);
  }
  assertEquals(await list(), before);
  assertEquals((await Array.fromAsync(Deno.readDir(env.folder))).map(({ name }) => name), ["photos"]);
  const stdin = pseudoRandomBytes(5_000_000);
  assertEquals((await env.runWith({ stdin }, "put", "--dry-run", "-", "General/in.bin")).code, 0);
});
