/** lib/std.ts loads packages from JSR where it responds, and the adapters elsewhere, without configuration. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { ROOT, runProcess } from "../test_env.ts";

const encoder = new TextEncoder();

/** The packages of a loopback JSR: recognizable copies of the adapters. */
const PACKAGES: Record<string, { version: string; exports: Record<string, string>; source: string }> = {
  cli: {
    version: "1.0.32",
    exports: { "./parse-args": "./mod.ts" },
    source: 'export const parseArgs = () => ({ _: ["from JSR"] });',
  },
  path: {
    version: "1.1.5",
    exports: { "./posix": "./mod.ts", "./windows": "./mod.ts" },
    source: `const from = (): string => "from JSR";
export { from as basename, from as dirname, from as join, from as resolve };`,
  },
};

/** Serves JSR's registry protocol: versions, the files of a version, and the files. */
async function jsrAnswer(path: string): Promise<Response> {
  const [, name = "", file = ""] = /^\/@std\/(\w+)\/(.+)$/.exec(path) ?? [];
  const found = PACKAGES[name];
  if (!found) return new Response(null, { status: 404 });
  const { version, exports, source } = found;
  if (file === "meta.json") {
    return Response.json({ scope: "std", name, latest: version, versions: { [version]: {} } });
  }
  if (file === `${version}/mod.ts`) return new Response(source);
  if (file !== `${version}_meta.json`) return new Response(null, { status: 404 });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(source)));
  const checksum = `sha256-${digest.toHex()}`;
  return Response.json({
    manifest: { "/mod.ts": { size: encoder.encode(source).length, checksum } },
    exports,
  });
}

/** Runs `deno SUBCOMMAND` on a program that uses lib/std.ts, with a separate cache and no lock. */
async function onProgram(
  jsrUrl: string,
  ...subcommand: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    await Deno.mkdir(join(folder, "compat"));
    for (const file of ["std.ts", "compat/parse_args.ts", "compat/path.ts"]) {
      await Deno.copyFile(join(ROOT, "lib", file), join(folder, file));
    }
    await Deno.writeTextFile(join(folder, "deno.json"), "{}");
    await Deno.writeTextFile(
      join(folder, "main.ts"),
      `import { join, parseArgs } from "./std.ts";
console.log(join("a", "b"), parseArgs(["x"], { string: ["_"], boolean: [] })._);`,
    );
    return await runProcess([Deno.execPath(), ...subcommand, "main.ts"], {
      cwd: folder,
      env: { JSR_URL: jsrUrl, DENO_DIR: join(folder, "cache") },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("lib/std.ts loads packages from JSR where it responds, in run and check", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => jsrAnswer(new URL(url).pathname),
  );
  const jsrUrl = `http://127.0.0.1:${server.addr.port}`;
  const run = await onProgram(jsrUrl, "run", "-q");
  assertEquals([run.code, run.stdout], [0, 'from JSR [ "from JSR" ]\n'], run.stderr);
  const check = await onProgram(jsrUrl, "check");
  assertEquals(check.code, 0, check.stderr);
});

Deno.test("lib/std.ts loads the adapters where JSR refuses connections or lacks the packages", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("no such package", { status: 404 }),
  );
  for (const jsrUrl of ["http://127.0.0.1:9", `http://127.0.0.1:${server.addr.port}`]) {
    const run = await onProgram(jsrUrl, "run", "-q");
    assertEquals([run.code, run.stdout], [0, 'a/b [ "x" ]\n'], run.stderr);
    const check = await onProgram(jsrUrl, "check");
    assertEquals(check.code, 0, check.stderr);
  }
});

Deno.test("lib/std.ts fails on a JSR package that is not the locked one", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => jsrAnswer(new URL(url).pathname),
  );
  const cache = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const { code, stderr } = await runProcess(
      [Deno.execPath(), "run", "-q", "-A", join(ROOT, "scripts", "ls.ts"), "--version"],
      { env: { JSR_URL: `http://127.0.0.1:${server.addr.port}`, DENO_DIR: cache } },
    );
    assertEquals(code === 0, false);
    assertStringIncludes(stderr, "Integrity check failed");
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
