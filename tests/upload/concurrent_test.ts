import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { sameBytes } from "../download/download_env.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";

Deno.test("put leaves one whole file when two processes write to one location", async () => {
  await using env = await startTestEnv();
  const [one, two] = [pseudoRandomBytes(6_000_000, 1), pseudoRandomBytes(6_000_000, 2)];
  await env.file("one.bin", one);
  await env.file("two.bin", two);
  const ended = await Promise.all([
    env.runProcess("put", "one.bin", "General/same.bin"),
    env.runProcess("put", "two.bin", "General/same.bin"),
  ]);
  const there = await env.sandbox.tenant.bytes("Documents", "General/same.bin");
  const which = ended.map(({ code }) => code);
  assert(which.includes(0), JSON.stringify(ended));
  assert(sameBytes(there, one) || sameBytes(there, two), "neither");
  assert(ended.every(({ code }) => [0, 6, 8].includes(code)), JSON.stringify(ended));
  assertEquals(env.sandbox.tenant.openSessions(), []);
});

Deno.test("put -r fails only the files of a folder that is deleted during the upload", async () => {
  await using env = await startTestEnv();
  for (const name of ["one", "two"]) {
    await Deno.mkdir(join(env.folder, "tree", name), { recursive: true });
    for (const file of ["1.txt", "2.txt"]) await env.file(`tree/${name}/${file}`, file);
  }
  env.sandbox.addFault({
    method: "PUT",
    path: "/content",
    rewrite: (response) => {
      env.sandbox.tenant.remove("Documents", "General/tree/one");
      return response;
    },
  });
  const { code, stdout, stderr } = await env.run(
    "put",
    "-r",
    "--jobs",
    "1",
    "--max-wait",
    "0s",
    "tree",
    "General/",
  );
  assertEquals(code, 3, stderr);
  assertEquals(stdout.split("\n").filter(Boolean).length, 3, stderr);
  assertEquals(stderr.split("\n").filter((line) => line.includes("2.txt")).length, 1, stderr);
});

Deno.test("put rejects two inputs with the same remote name", async () => {
  await using env = await startTestEnv();
  for (const folder of ["a", "b"]) await Deno.mkdir(join(env.folder, folder));
  const before = env.sandbox.requests.length;
  const { code, stderr } = await env.run(
    "put",
    await env.file("a/x.txt", "1"),
    await env.file("b/X.txt", "2"),
    "General/",
  );
  assertEquals(code, 2);
  assertMatch(stderr, /would have the same name/);
  assertEquals(env.sandbox.requests.length, before);
});
