import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";

Deno.test("put rejects several files for one file given by its id", async () => {
  await using env = await startTestEnv();
  const before = await env.sandbox.tenant.bytes("Documents", "General/Agenda.md");
  const { id } = env.sandbox.tenant.find("Documents", "General/Agenda.md")!;
  await env.file("1.txt", "1");
  await env.file("2.txt", "2");
  const { code, stdout } = await env.run("put", "1.txt", "2.txt", `id:${id}`);
  assert(code !== 0, stdout);
  assertEquals(await env.sandbox.tenant.bytes("Documents", "General/Agenda.md"), before);
});

Deno.test("put -r keeps the names of several folders in a folder given by its id", async () => {
  await using env = await startTestEnv();
  for (const name of ["a", "b"]) {
    await Deno.mkdir(join(env.folder, name));
    await env.file(`${name}/x.txt`, name);
  }
  const { id } = env.sandbox.tenant.find("Documents", "General")!;
  const { code, stdout, stderr } = await env.run("put", "-r", "a", "b", `id:${id}`);
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).toSorted(), [
    "created General/a/x.txt (1 B, verified)",
    "created General/b/x.txt (1 B, verified)",
  ]);
});

Deno.test("put -r rejects a local folder with a forbidden name before it sends anything", async () => {
  await using env = await startTestEnv();
  await Deno.mkdir(join(env.folder, "what?"));
  await env.file("what?/a.txt", "a");
  await env.file("what?/b.txt", "b");
  const { code, stderr } = await env.run("put", "-r", "what?", "General/");
  assertEquals(code, 2, stderr);
  assertEquals(stderr.split("\n").filter(Boolean).length, 1, stderr);
});

Deno.test("put --dry-run reports that it could not look up the target", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  env.sandbox.addFault({ method: "GET", path: "General:/a.txt", status: 403, times: "always" });
  env.sandbox.addFault({ method: "GET", path: "General/a.txt", status: 403, times: "always" });
  const { code, stdout, stderr } = await env.run("put", "--dry-run", "a.txt", "General/");
  assertEquals([code, stdout], [5, ""], stderr);
});

Deno.test("put reports an impossible path and uploads the other inputs", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  const { code, stdout, stderr } = await env.run("put", "a.txt/x", "a.txt", "General/");
  assertEquals([code, stdout], [2, "created General/a.txt (1 B, verified)\n"], stderr);
});

Deno.test("put names the file in a network error", async () => {
  await using env = await startTestEnv();
  await env.file("a.txt", "a");
  env.sandbox.addFault({ method: "PUT", drop: true, times: "always" });
  const { stderr } = await env.run("put", "--max-wait", "0s", "a.txt", "General/");
  assertMatch(stderr, /a\.txt/);
});

Deno.test("put -r reports an unreadable local entry and uploads the rest", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  await Deno.mkdir(join(env.folder, "photos/sub"), { recursive: true });
  await env.file("photos/a.txt", "a");
  await env.file("photos/sub/b.txt", "b");
  await Deno.symlink("loop", join(env.folder, "photos", "loop"));
  const { code, stdout, stderr } = await env.runProcess("put", "-r", "photos", "General/");
  assertEquals(stdout.split("\n").filter(Boolean).length, 2, stderr);
  assert(code !== 0, "a file was skipped without a report");
  assertMatch(stderr, /photos\/loop/);
});

Deno.test("put does not replace a remote folder that has the name of the file", async () => {
  await using env = await startTestEnv();
  for (const [name, size] of [["a.txt", 1], ["big.bin", 5_000_000]] as const) {
    env.sandbox.tenant.addFolder("Documents", `General/${name}`);
    const { code, stderr } = await env.run("put", await env.file(name, pseudoRandomBytes(size)), "General/");
    assertEquals(code, 6);
    assertMatch(stderr, /is that of a folder or notebook; .*choose another name/);
    assertEquals(env.sandbox.tenant.find("Documents", `General/${name}`)!.kind, "folder");
  }
});

Deno.test("put replaces a file whose name has another Unicode form or case", async () => {
  await using env = await startTestEnv();
  env.sandbox.tenant.addFile("Documents", "General/Ümlaut.txt", "old");
  const file = await env.file("x.txt", "new");
  assertMatch((await env.run("put", file, "General/U\u0308MLAUT.txt")).stdout, /^replaced /);
  assertEquals(
    await env.sandbox.tenant.bytes("Documents", "General/Ümlaut.txt"),
    new TextEncoder().encode("new"),
  );
});
