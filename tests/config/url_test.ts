/** Scripts run from a URL, and snippets import the library from one, without a configuration. */

import { assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { ROOT, runProcess, startTestEnv } from "../test_env.ts";
import { block } from "../docs/markdown.ts";

/** Serves the files that a release publishes. */
function serveRepository(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ url }) => {
    const { pathname } = new URL(url);
    if (!/^\/(lib|scripts)\/[\w/-]+\.ts$/.test(pathname)) return new Response(null, { status: 404 });
    const text = await Deno.readTextFile(join(ROOT, pathname));
    return new Response(text, { headers: { "content-type": "application/typescript" } });
  });
}

Deno.test("scripts run from a URL, and name themselves by it", async () => {
  await using server = serveRepository();
  await using env = await startTestEnv({ signIn: false });
  const scripts = `http://127.0.0.1:${server.addr.port}/scripts`;
  const run = (script: string, ...args: string[]) =>
    runProcess([Deno.execPath(), "run", "-q", "-A", `${scripts}/${script}.ts`, ...args], {
      cwd: env.folder,
      env: env.sandbox.env,
    });
  await env.file("large.bin", new Uint8Array(5_000_000));

  const early = await run("ls");
  assertMatch(
    early.stderr,
    new RegExp(`^ls: not signed in; sign in once, in a terminal, with: ${scripts}/whoami\\.ts`),
  );
  assertEquals((await run("whoami", "--prompt")).code, 0);
  const { code, stdout, stderr } = await run("put-large", "large.bin", "General/");
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^created General\/large\.bin .*verified/);
});

Deno.test("a snippet imports the library from a URL", async () => {
  await using server = serveRepository();
  await using env = await startTestEnv();
  const snippet = await env.file(
    "snippet.ts",
    `import { connect, list } from "http://127.0.0.1:${server.addr.port}/lib/mod.ts";
for await (const { name } of list(await connect(), "General")) console.log(name);
`,
  );
  const { code, stdout, stderr } = await runProcess(
    [Deno.execPath(), "run", "-q", "-A", "--check", snippet],
    {
      cwd: env.folder,
      env: env.sandbox.env,
    },
  );
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^Agenda\.md$/m);
});

Deno.test("a release has lib, scripts, README.md and LICENSE only, and passes the checks of JSR", async () => {
  const { code, stderr } = await runProcess([Deno.execPath(), "publish", "--dry-run", "--allow-dirty"], {
    cwd: ROOT,
  });
  assertEquals(code, 0, stderr);
  const names = [...stderr.matchAll(/^ +file:\S+?\/([^/]+) \(.*\)$/gm)].map(([line]) =>
    line.trim().slice("file://".length + ROOT.length).split(/[/ ]/)[0]
  );
  assertEquals([...new Set(names)].toSorted(), ["LICENSE", "README.md", "deno.json", "lib", "scripts"]);
});

Deno.test({
  name: "the line of the README installs a command from a URL",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using server = serveRepository();
    await using env = await startTestEnv({ signIn: false });
    const { GRAPH_SCRIPTS_HOME: _, ...settings } = env.sandbox.env;
    await Deno.symlink(Deno.execPath(), join(env.folder, "deno"));
    const variables = {
      ...settings,
      HOME: env.folder,
      DENO_INSTALL_ROOT: env.folder,
      PATH: `${env.folder}:${Deno.env.get("PATH")}`,
    };
    const hosts = [env.sandbox.loginOrigin, env.sandbox.apiOrigin].map((origin) => new URL(origin).host);
    const line = block("README.md", "sh", "deno install -gq")
      .replace("https://HOST/PATH", `http://127.0.0.1:${server.addr.port}`)
      .replace(/--allow-net=\S+/, `--allow-net=${hosts.join(",")}`);
    const installed = await runProcess(["sh", "-c", line], { env: variables });
    assertEquals(installed.code, 0, installed.stderr);

    const command = [join(env.folder, "bin", "graph-ls")];
    assertEquals((await runProcess([...command, "General", "--prompt"], { env: variables })).code, 0);
    const { code, stdout, stderr } = await runProcess([...command, "General"], { env: variables });
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^Agenda\.md$/m);
  },
});
