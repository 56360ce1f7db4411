import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { type ProcessResult, pseudoRandomBytes, runProcess, type ScriptName } from "../test_env.ts";
import { type CompanyNetwork, startCompanyNetwork, useAllScripts } from "../http/company_network.ts";
import { type Sandbox, startSandbox } from "../sandbox/mod.ts";
import { binaryPath, compile, compileAll } from "../tools/compile.ts";

/** Compiles an empty program to find out whether compiling works on this machine. */
async function whyNot(): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const module = join(folder, "empty.ts");
    await Deno.writeTextFile(module, "");
    await compile("--no-config", "--output", join(folder, "empty"), module);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const reason = await whyNot();
if (reason !== undefined) {
  // deno-lint-ignore no-console
  console.log(`binaries_test.ts is skipped, because deno compile does not work here: ${reason}`);
}

/** Runs a binary without Deno or the environment of this machine. */
type RunBinary = (script: ScriptName, args: string[], env?: Record<string, string>) => Promise<ProcessResult>;

function runner(sandbox: Sandbox, folder: string): RunBinary {
  return (script, args, env) =>
    runProcess([binaryPath(folder, script), ...args], {
      cwd: folder,
      env: { ...sandbox.env, PATH: "", DENO_DIR: join(folder, "none"), TMPDIR: folder, ...env },
    });
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function mainJob(run: RunBinary, folder: string): Promise<void> {
  const works = async (script: ScriptName, ...args: string[]) => {
    const { code, stdout, stderr } = await run(script, args);
    assertEquals(code, 0, `graph-${script} ${args.join(" ")}: ${stderr}`);
    return { stdout, stderr };
  };
  const large = pseudoRandomBytes(30 * 1000 ** 2);
  await Deno.writeFile(join(folder, "large.bin"), large);
  await Deno.writeTextFile(join(folder, "notes.txt"), "written by a binary\n");

  assertMatch((await works("whoami", "--prompt")).stderr, /enter the code \w+/);
  const again = await works("whoami");
  assertEquals(again.stderr, "");
  assertStringIncludes(again.stdout, "Adele Vance");
  assertStringIncludes((await works("ls", "General")).stdout, "Agenda.md\n");
  assertMatch((await works("put", "notes.txt", "General/notes.txt")).stdout, /^created /);
  assertMatch((await works("put", "notes.txt", "General/notes.txt")).stdout, /^replaced /);
  assertMatch((await works("put-large", "large.bin", "General/large.bin")).stdout, /^created .*verified/);
  assertMatch((await works("ls", "-l", "General")).stdout, / 30000000 .* large\.bin\n/);
  await works("get", "General/large.bin", "copy.bin");
  assertEquals(await sha256(await Deno.readFile(join(folder, "copy.bin"))), await sha256(large));
}

async function refusals(run: RunBinary): Promise<void> {
  // A loopback address, which settings allow as an origin but no permission set includes.
  const elsewhere = { GRAPH_API_ORIGIN: "http://127.0.0.2:9", GRAPH_ACCESS_TOKEN: "secret" };
  const all: [ScriptName, string[]][] = [
    ["whoami", []],
    ["ls", []],
    ["get", ["me:a.txt"]],
    ["put", ["notes.txt", "me:a.txt"]],
    ["put-large", ["notes.txt", "me:a.txt"]],
  ];
  for (const [script, args] of all) {
    const refused = await run(script, args, elsewhere);
    assertEquals(refused.code, 5, refused.stderr);
    assertMatch(refused.stderr, /may not connect to 127\.0\.0\.2:9/);
    // Arguments of a binary go to the program, never to the runtime.
    const allowed = await run(script, ["--allow-all", ...args], elsewhere);
    assertEquals(allowed.code, 2, allowed.stderr);
    assertMatch(allowed.stderr, /unknown option --allow-all/);
  }
}

/** Failures of proxies and certificates are explained as in the scripts. */
async function misfits({ env, proxy }: CompanyNetwork, folder: string): Promise<void> {
  const { DENO_CERT: ca, ...untrusting } = env;
  const whoami = (env: Record<string, string>) => runProcess([binaryPath(folder, "whoami")], { env });
  const system = await whoami({ ...untrusting, DENO_TLS_CA_STORE: "system", SSL_CERT_FILE: ca! });
  assertEquals(system.code, 0, system.stderr);
  const untrusted = await whoami(untrusting);
  assertMatch(
    untrusted.stderr,
    /invalid peer certificate: UnknownIssuer; .*export DENO_CERT=.* \(certificate\)/,
  );
  const wrong = await whoami({ ...env, HTTPS_PROXY: proxy.url.replace("user:", "other:") });
  assertMatch(wrong.stderr, new RegExp(`the proxy ${proxy.host} refused its user name and password`));
  assertEquals([untrusted.code, wrong.code], [8, 8]);
}

Deno.test({
  name:
    "the five binaries transfer files within their permission sets, also through a proxy with a private CA",
  ignore: reason !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
    try {
      await using sandbox = await startSandbox({ approve: true, pollIntervalSeconds: 0 });
      const sizes: number[] = [];
      await compileAll(folder, ({ bytes }) => sizes.push(bytes));
      assertEquals(sizes.length, 5);
      assert(sizes.every((bytes) => bytes < 200e6), `sizes ${sizes}`);
      const run = runner(sandbox, folder);
      await mainJob(run, folder);
      await refusals(run);
      await using network = await startCompanyNetwork("service");
      await useAllScripts(network, (script, args) => [binaryPath(folder, script), ...args]);
      await misfits(network, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
