/** Installed commands, bundles and compiled programs do the work of the scripts with the permissions that they were given. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { join } from "../../lib/std.ts";
import {
  denoRun,
  type ProcessResult,
  pseudoRandomBytes,
  ROOT,
  runProcess,
  type ScriptName,
  startTestEnv,
  type TestEnv,
} from "../test_env.ts";
import { startCompanyNetwork, useAllScripts } from "../http/company_network.ts";
import { bundleCode } from "../tools/bundle.ts";
import { compileCode } from "../tools/compile.ts";
import { moveOldFolder } from "../tools/install.ts";

const windows = Deno.build.os === "windows";

/** What does not work on this machine: why, or `undefined`. */
async function whyNot(attempt: (folder: string) => Promise<unknown>): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    await attempt(folder);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    // deno-lint-ignore no-console
    console.log(`programs_test.ts: some tests are skipped, because this does not work here: ${message}`);
    return message;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const noBundles = await whyNot(() => bundleCode("ls")) !== undefined;
const noBinaries = noBundles ||
  await whyNot((folder) => compileCode("", [], join(folder, "empty"))) !== undefined;

/** A sandbox, and a home folder. */
type Settled = Pick<TestEnv, "sandbox" | "folder">;

/** Programs of one kind, made with the settings of the sandbox. */
interface Programs {
  /** The folder in which they run, which is also the home folder. */
  folder: string;
  run(script: ScriptName, ...args: string[]): Promise<ProcessResult>;
}

/** Environment of a program whose folders are the usual ones in a home folder. */
function homeEnv({ sandbox, folder }: Settled): Record<string, string> {
  const { GRAPH_SCRIPTS_HOME: _, ...settings } = sandbox.env;
  return { ...settings, HOME: folder };
}

/** Runs one of the tools that make programs, as its task does, with these settings. */
async function runTool(
  { folder }: Settled,
  variables: Record<string, string>,
  tool: string,
  ...args: string[]
): Promise<string> {
  const base = ["DENO", "DENORT_BIN"].flatMap((name) =>
    Deno.env.has(name) ? [[name, Deno.env.get(name)!]] : []
  );
  const { code, stdout, stderr } = await runProcess(
    denoRun("-A", join(ROOT, "tests", "tools", tool), ...args),
    { env: { ...Object.fromEntries(base), DENO_INSTALL_ROOT: folder, ...variables } },
  );
  assertEquals(code, 0, stderr);
  return stdout;
}

/** The environment in which installed commands find the Deno that runs the tests. */
async function withDeno(env: TestEnv): Promise<Record<string, string>> {
  await Deno.symlink(Deno.execPath(), join(env.folder, "deno")).catch(() => {}); // it is there
  return { ...homeEnv(env), PATH: `${env.folder}:${Deno.env.get("PATH")}` };
}

async function mainJob({ run, folder }: Programs): Promise<void> {
  const works = async (script: ScriptName, ...args: string[]) => {
    const { code, stdout, stderr } = await run(script, ...args);
    assertEquals(code, 0, `${script} ${args.join(" ")}: ${stderr}`);
    return { stdout, stderr };
  };
  const large = pseudoRandomBytes(12 * 1000 ** 2);
  await Deno.writeFile(join(folder, "large.bin"), large);
  await Deno.writeTextFile(join(folder, "notes.txt"), "from a program\n");

  assertMatch((await works("whoami", "--prompt")).stderr, /enter the code \w+/);
  const again = await works("whoami");
  assertEquals(again.stderr, "");
  assertStringIncludes(again.stdout, "Adele Vance");
  assertStringIncludes((await works("ls", "General")).stdout, "Agenda.md\n");
  assertMatch((await works("put", "notes.txt", "General/notes.txt")).stdout, /^created /);
  assertMatch((await works("put", "notes.txt", "General/notes.txt")).stdout, /^replaced /);
  assertMatch((await works("put-large", "large.bin", "General/large.bin")).stdout, /^created .*verified/);
  assertMatch((await works("ls", "-l", "General")).stdout, / 12000000 .* large\.bin\n/);
  await works("get", "General/large.bin", "copy.bin");
  assertEquals(await Deno.readFile(join(folder, "copy.bin")), large);
}

/** @param hint What the error says to do. */
async function refusals({ run }: Programs, hint: RegExp): Promise<void> {
  const other = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const refused = await run("get", "General/Agenda.md", other);
    assertEquals(refused.code, 5, refused.stderr);
    assertMatch(refused.stderr, hint);
    // Arguments go to the program, never to the runtime.
    assertMatch((await run("ls", "--allow-all")).stderr, /unknown option --allow-all/);
  } finally {
    await Deno.remove(other, { recursive: true });
  }
}

Deno.test({
  name: "installed commands transfer files, and may write where deno task install was told",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    const shown = await runTool(env, homeEnv(env), "install.ts", "install");
    assertStringIncludes(shown, `${env.folder}/.local/state/graph-scripts`);
    const variables = await withDeno(env);
    const run = (script: ScriptName, ...args: string[]) =>
      runProcess([join(env.folder, "bin", `graph-${script}`), ...args], { cwd: env.folder, env: variables });
    const programs = { folder: env.folder, run };
    await mainJob(programs);
    await refusals(programs, /^graph-get: .*; allow it with: deno task --config \S+ install --write \S+/m);

    const other = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
    try {
      await runTool(env, homeEnv(env), "install.ts", "install", "--write", other);
      assertEquals((await run("get", "General/Agenda.md", other)).code, 0);
      // A file is refused with its folder, and what was allowed before is kept.
      const another = join(env.folder, "..", `${env.folder.split("/").at(-1)}-another`);
      await Deno.mkdir(another);
      try {
        const refused = await run("get", "General/Agenda.md", join(another, "b.md"));
        const [, folder] = /install --write (\S+) \(/.exec(refused.stderr) ?? [];
        await runTool(env, homeEnv(env), "install.ts", "install", "--write", folder!);
        assertEquals((await run("get", "General/Agenda.md", join(another, "b.md"))).code, 0);
        assertEquals((await run("get", "--conflict", "replace", "General/Agenda.md", other)).code, 0);
      } finally {
        await Deno.remove(another, { recursive: true });
      }
    } finally {
      await Deno.remove(other, { recursive: true });
    }
    await runTool(env, homeEnv(env), "install.ts", "uninstall");
    assertEquals(await Array.fromAsync(Deno.readDir(join(env.folder, "bin"))), []);
  },
});

Deno.test({
  name: "installed commands work with a symlinked home, XDG folders, and a cache and key elsewhere",
  ignore: windows,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    const base = env.folder;
    const [real, home] = [join(base, "real"), join(base, "home")];
    await Deno.mkdir(real);
    await Deno.symlink(real, home);
    const keyFile = join(base, "cache.key");
    await Deno.writeTextFile(keyFile, "0123456789abcdef".repeat(4), { mode: 0o600 });
    for (
      const variables of [
        {},
        { XDG_CONFIG_HOME: join(home, "config"), XDG_STATE_HOME: join(home, "state") },
        { GRAPH_TOKEN_CACHE: join(base, "cache", "tokens.json"), GRAPH_TOKEN_CACHE_KEY_FILE: keyFile },
      ]
    ) {
      const all = { ...await withDeno(env), HOME: home, ...variables };
      await runTool(env, all, "install.ts", "install");
      const run = (script: ScriptName, ...args: string[]) =>
        runProcess([join(base, "bin", `graph-${script}`), ...args], { cwd: base, env: all });
      const signedIn = await run("whoami", "--prompt");
      assertEquals(signedIn.code, 0, signedIn.stderr);
      assertEquals((await run("ls", "General")).code, 0);
    }
  },
});

Deno.test("deno task install moves what earlier versions kept on macOS, once", async () => {
  const home = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const old = join(home, "Library", "Application Support", "graph-scripts");
    await Deno.mkdir(join(old, "uploads"), { recursive: true });
    await Deno.writeTextFile(join(old, "graph-scripts.json"), "{}");
    for (let i = 0; i < 2; i++) await moveOldFolder(home);
    const names = async (...path: string[]) =>
      (await Array.fromAsync(Deno.readDir(join(home, ...path)), ({ name }) => name)).toSorted();
    assertEquals(await names(".config", "graph-scripts"), ["graph-scripts.json"]);
    assertEquals(await names(".local", "state", "graph-scripts"), ["uploads"]);
    assertEquals(await names("Library", "Application Support"), []);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test({
  name: "bundles transfer files with the permissions in their first lines",
  ignore: windows || noBundles,
  async fn() {
    await using env = await startTestEnv({ signIn: false });
    await runTool(env, homeEnv(env), "bundle.ts", "--output", join(env.folder, "dist"));
    const variables = await withDeno(env);
    const run = (script: ScriptName, ...args: string[]) =>
      runProcess([join(env.folder, "dist", `${script}.js`), ...args], {
        cwd: env.folder,
        // With nothing cached, to show that it needs nothing else.
        env: { ...variables, DENO_DIR: join(env.folder, "empty") },
      });
    const programs = { folder: env.folder, run };
    await mainJob(programs);
    await refusals(
      programs,
      /^get: .*; allow it with: deno run -q --no-prompt --no-config --allow-net=\S+ .*\/get\.js/m,
    );
    assertEquals(await bundleCode("ls"), await bundleCode("ls"));
  },
});

Deno.test({
  name:
    "compiled programs transfer files within their permissions through a proxy, and two builds are the same",
  ignore: noBinaries,
  async fn() {
    await using env = await startCompanyNetwork("service");
    const shown = await runTool(env, homeEnv(env), "compile.ts", "--output", join(env.folder, "dist"));
    assert([...shown.matchAll(/MiB, \d+ KiB without the runtime/g)].length === 5, shown);
    const { GRAPH_SCRIPTS_HOME: _, ...settings } = env.env;
    const variables: Record<string, string> = {
      ...settings,
      HOME: env.folder,
      PATH: "",
      DENO_DIR: join(env.folder, "none"),
      TMPDIR: env.folder,
    };
    const line = (
      script: ScriptName,
      args: string[],
    ) => [join(env.folder, "dist", `graph-${script}`), ...args];
    await useAllScripts({ ...env, env: variables }, line);
    const run = (script: ScriptName, ...args: string[]) =>
      runProcess(line(script, args), { cwd: env.folder, env: variables });
    await refusals(
      { folder: env.folder, run },
      /^graph-get: .*; allow it, in the folder of the toolkit, with: deno task compile --write \S+/m,
    );

    const { DENO_CERT: _ca, ...untrusting } = variables;
    const whoami = (env: Record<string, string>) => runProcess(line("whoami", []), { env });
    const system = await whoami({ ...untrusting, DENO_TLS_CA_STORE: "system", SSL_CERT_FILE: env.ca });
    assertEquals(system.code, 0, system.stderr);
    const untrusted = await whoami(untrusting);
    assertMatch(
      untrusted.stderr,
      /invalid peer certificate: UnknownIssuer; .*export DENO_CERT=.* \(certificate\)/,
    );
    const wrong = await whoami({ ...variables, HTTPS_PROXY: env.proxy.url.replace("user:", "other:") });
    assertMatch(wrong.stderr, new RegExp(`the proxy ${env.proxy.host} refused its user name and password`));
    assertEquals([untrusted.code, wrong.code], [8, 8]);

    const code = await bundleCode("ls");
    const [first, second] = [join(env.folder, "first"), join(env.folder, "second")];
    for (const path of [first, second]) await compileCode(code, [], path);
    assertEquals(await sha256(first), await sha256(second));
  },
});

async function sha256(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}
