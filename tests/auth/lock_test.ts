import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { pathToFileURL } from "node:url";
import { join } from "../../lib/std.ts";
import { GraphError } from "../../lib/errors.ts";
import { acquireLock } from "../../lib/local/lock.ts";
import { denoRun, jsonLines, ROOT, startTestEnv } from "../test_env.ts";

const noLocks = () => Promise.reject(new Error("No locks available (os error 37)"));

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts a process that runs code while it holds the lock of `path`. */
async function holder(
  folder: string,
  path: string,
  doing: string,
): Promise<Deno.ChildProcess> {
  const file = join(folder, `${crypto.randomUUID()}.ts`);
  const lib = pathToFileURL(join(ROOT, "lib", "local", "lock.ts")).href;
  await Deno.writeTextFile(
    file,
    `import { acquireLock } from ${JSON.stringify(lib)};
const path = ${JSON.stringify(path)};
const options = { timeoutMs: 60_000 };
${doing}`,
  );
  const [deno, ...args] = denoRun("-A", file);
  return new Deno.Command(deno!, {
    args,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

const HOLD = `const lock = await acquireLock(path, options);
console.log("held"); setInterval(() => lock, 1000);`;
const COUNT = `for (let i = 0; i < 25; i++) {
  const lock = await acquireLock(path, options);
  const count = Number(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, String(count + 1));
  await lock[Symbol.asyncDispose]();
}`;

async function held(child: Deno.ChildProcess): Promise<void> {
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertStringIncludes(new TextDecoder().decode(value), "held");
  await reader.cancel();
}

Deno.test({
  name: "acquireLock() rejects a symlink and leaves its target unchanged",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const [path, precious] = [join(folder, "tokens.json"), join(folder, "precious")];
      await Deno.writeTextFile(precious, "of great value");
      await Deno.symlink(precious, `${path}.lock`);
      const error = await assertRejects(() => acquireLock(path, { timeoutMs: 0 }));
      assert(error instanceof GraphError && error.code === "linkedFile", String(error));
      assertEquals(await Deno.readTextFile(precious), "of great value");
    }),
});

Deno.test("acquireLock() excludes four counting processes", () =>
  inFolder(async (folder) => {
    const path = join(folder, "count");
    await Deno.writeTextFile(path, "0");
    const started = [];
    for (let i = 0; i < 4; i++) started.push(await holder(folder, path, COUNT));
    const ended = await Promise.all(started.map((child) => child.output()));
    assertEquals(ended.map(({ code }) => code), [0, 0, 0, 0]);
    assertEquals(await Deno.readTextFile(path), "100");
    const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name))
      .filter((name) => !name.endsWith(".ts"));
    assertEquals(names.toSorted(), ["count", "count.lock"]);
  }));

Deno.test("acquireLock() names the file when it times out", () =>
  inFolder(async (folder) => {
    const path = join(folder, "cache.json");
    const child = await holder(folder, path, HOLD);
    await held(child);
    const started = performance.now();
    const error = await assertRejects(() => acquireLock(path, { timeoutMs: 300 }));
    assert(error instanceof GraphError && performance.now() - started < 3000);
    assertEquals([error.code, error.exitCode], ["locked", 8]);
    assertStringIncludes(error.message, `another process holds ${path}.lock`);
    child.kill("SIGKILL");
    await child.status;
  }));

Deno.test("acquireLock() takes the lock of a killed process at once", () =>
  inFolder(async (folder) => {
    const path = join(folder, "cache.json");
    const child = await holder(folder, path, HOLD);
    await held(child);
    child.kill("SIGKILL");
    await child.status;
    const started = performance.now();
    const waiting = [1, 2, 3].map(async () => {
      await using _lock = await acquireLock(path, { timeoutMs: 10_000 });
    });
    await Promise.all(waiting);
    const ms = performance.now() - started;
    assert(ms < 2000, `after ${ms} ms`);
  }));

Deno.test("acquireLock() continues on a file system without locks and warns once", () =>
  inFolder(async (folder) => {
    const notices: string[] = [];
    const options = { timeoutMs: 0, tryLock: noLocks, notice: (text: string) => notices.push(text) };
    await using _one = await acquireLock(join(folder, "a.json"), options);
    await using _two = await acquireLock(join(folder, "b.json"), options);
    assertEquals(notices, [
      `the file system of ${folder} has no locks; do not run several of these commands at once`,
    ]);
  }));

Deno.test("acquireLock() retries when the lock file was removed", () =>
  inFolder(async (folder) => {
    if (Deno.build.os === "windows") return; // an open file cannot be removed
    const path = join(folder, "entry.json");
    let once = true;
    const tryLock = async (file: Deno.FsFile) => {
      const got = await file.tryLock(true);
      if (once) await Deno.remove(`${path}.lock`); // as by the previous holder, between open and lock
      once = false;
      return got;
    };
    await using _lock = await acquireLock(path, { timeoutMs: 5000, tryLock });
    assertEquals(
      (await assertRejects(() => acquireLock(path, { timeoutMs: 0 })) as GraphError).code,
      "locked",
    );
  }));

Deno.test("whoami reports that it waits for another process, and Ctrl-C ends it at once", async () => {
  if (Deno.build.os === "windows") return;
  await using env = await startTestEnv();
  const cache = String(jsonLines((await env.run("whoami", "--json")).stdout)[0]!.cache);
  env.sandbox.expireAccessTokens();
  await using _lock = await acquireLock(cache, { timeoutMs: 0 });
  const child = env.spawn("whoami");
  let stderr = "";
  let interrupted = 0;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    if (!interrupted && stderr.includes("\n")) {
      interrupted = performance.now();
      child.kill("SIGINT");
    }
  }
  assertEquals((await child.status).code, 130);
  assertStringIncludes(stderr, `waiting for another process that holds ${cache}.lock`);
  assert(performance.now() - interrupted < 2000, "the wait continued after Ctrl-C");
  await child.stdout.cancel();
});
