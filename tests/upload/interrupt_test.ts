import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { commandLine, environment, pseudoRandomBytes, startTestEnv } from "../test_env.ts";
import { fragmentCount, oldFile, SMALL, UNIT, until } from "./upload_env.ts";

const fragments = { service: "storage" as const, method: "PUT" };

Deno.test("put reports the progress of an upload when it is interrupted", async () => {
  await using env = await startTestEnv();
  for (const name of ["one.bin", "two.bin"]) {
    await oldFile(env, name, pseudoRandomBytes(20 * 1024 * 1024, name.length));
  }
  env.sandbox.addFault({ service: "storage", method: "PUT", nth: 3, times: "always", delayMs: 20_000 });
  const child = env.spawn("put", "one.bin", "two.bin", "General/");
  await until(() =>
    env.sandbox.requests.filter(({ fault }) => fault !== undefined).length >= 2 ||
    env.sandbox.requests.filter(({ method, service }) => method === "PUT" && service === "storage").length >=
      4
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  const text = new TextDecoder().decode(stderr);
  env.sandbox.clearFaults();
  assertEquals(code, 130, text);
  assertMatch(text, /^put: 2 left, in .*\nput: (one|two)\.bin: .* of 20971520 bytes /);
});

Deno.test("put-large ends at once when it is interrupted before it has a session", async () => {
  await using env = await startTestEnv();
  await oldFile(env, "big.bin", pseudoRandomBytes(2 * UNIT));
  env.sandbox.addFault({
    path: "createUploadSession",
    status: 503,
    times: "always",
    headers: { "retry-after": "60" },
  });
  const child = env.spawn("put-large", ...SMALL, "big.bin", "General/");
  await until(() => env.sandbox.requests.some(({ path }) => path.includes("createUploadSession")));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const started = performance.now();
  child.kill("SIGINT");
  const { code } = await child.output();
  assertEquals(code, 130);
  assert(performance.now() - started < 5_000, `${performance.now() - started} ms`);
});

Deno.test("put ends at once when it is interrupted while hashing", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const path = await env.file("big.bin", "");
  await Deno.truncate(path, 8 * 1024 ** 3); // sparse
  env.sandbox.tenant.addFile("Documents", "General/big.bin", "x");
  env.sandbox.addFault({ path: "big.bin", method: "GET", times: "always", patch: { size: 8 * 1024 ** 3 } });
  const before = env.sandbox.requests.length;
  const child = env.spawn("put", "--if-changed", "big.bin", "General/");
  await until(() => env.sandbox.requests.slice(before).some(({ path }) => path.includes("big.bin")));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const started = performance.now();
  child.kill("SIGINT");
  assertEquals((await child.output()).code, 130);
  assert(performance.now() - started < 3_000, `${performance.now() - started} ms`);
});

Deno.test("put ends at once when it is interrupted while reading standard input", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const [program, ...args] = commandLine("put", ["-", "General/in.bin"], env.sandbox.env);
  const child = new Deno.Command(program!, {
    args,
    cwd: env.folder,
    clearEnv: true,
    env: environment(env.sandbox.env),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(pseudoRandomBytes(6_000_000));
  const spool = join(env.sandbox.env.GRAPH_SCRIPTS_HOME!, "spool");
  while (!await Deno.stat(spool).then(() => true, () => false)) await new Promise((r) => setTimeout(r, 10));
  child.kill("SIGINT");
  const { code, stderr } = await child.status.then(async (status) => ({
    ...status,
    stderr: await new Response(child.stderr).text(),
  }));
  await writer.abort().catch(() => {});
  await child.stdout.cancel();
  assertEquals(code, 130);
  assertEquals(stderr.split("\n").filter(Boolean).length, 1, stderr);
  assertEquals(await Array.fromAsync(Deno.readDir(spool)), []);
});

Deno.test("put-large leaves no session that blocks the name when it is interrupted", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const file = await env.file("big.bin", pseudoRandomBytes(4 * UNIT));
  env.sandbox.addFault({ path: "createUploadSession", delayMs: 700, when: "after" });
  const interrupted = env.spawn("put-large", ...SMALL, file, "General/");
  await until(() => env.sandbox.tenant.openSessions().length > 0);
  interrupted.kill("SIGINT");
  assertEquals((await interrupted.output()).code, 130);
  env.sandbox.addFault({ ...fragments, nth: 2, delayMs: 10_000 });
  const closed = env.spawn("put-large", ...SMALL, file, "General/");
  await until(() => fragmentCount(env) > 1);
  closed.kill("SIGHUP");
  assertEquals((await closed.output()).code, 130);
  env.sandbox.clearFaults();
  assertEquals((await env.run("put-large", ...SMALL, file, "General/")).code, 0);
  assertEquals(env.sandbox.tenant.openSessions(), []);
});
