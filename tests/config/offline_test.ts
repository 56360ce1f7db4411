/** One run of any script fetches the packages of all five, which then work offline. */

import { assert, assertEquals } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { CONFIG, denoRun, ROOT, runProcess, type ScriptName } from "../test_env.ts";

const SCRIPTS: readonly ScriptName[] = ["whoami", "ls", "get", "put", "put-large"];

/** Prefix that runs a command with no network except its own loopback interface. */
const WITHOUT_NETWORK = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];

async function whyNot(): Promise<string | undefined> {
  try {
    const { code, stderr } = await runProcess([...WITHOUT_NETWORK, "true"], {});
    return code === 0 ? undefined : stderr.trim();
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs one script with an empty cache, so that the locked packages come from the registry. */
async function firstRun(script: ScriptName, cache: string): Promise<boolean> {
  const line = [Deno.execPath(), "run", "-q", "-A", "-c", CONFIG, join(ROOT, "scripts", `${script}.ts`)];
  // The unchanged `Deno.env`, with certificates and registry of this machine.
  const { success } = await new Deno.Command(line[0]!, {
    args: [...line.slice(1), "--version"],
    env: { DENO_DIR: cache },
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** Names and versions of the npm packages in a cache. */
async function packages(cache: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (/^\d+\.\d+\.\d+/.test(name)) found.push(join(folder, name).slice(cache.length));
      else if (isDirectory) await visit(join(folder, name));
    }
  };
  await visit(join(cache, "npm"));
  return found.toSorted();
}

const reason = await whyNot();
if (reason !== undefined) {
  // deno-lint-ignore no-console
  console.log(`offline_test.ts is skipped, because unshare does not work here: ${reason}`);
}

Deno.test({
  name: "all five scripts work offline after the first run of any one, sign-in included",
  ignore: reason !== undefined,
  async fn(t) {
    const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
    try {
      const cacheOf = (script: ScriptName) => join(folder, script);
      const first = await Promise.all(SCRIPTS.map((script) => firstRun(script, cacheOf(script))));
      if (first.includes(false)) {
        // deno-lint-ignore no-console
        console.log("the package registry is out of reach: this test is skipped");
        return;
      }
      const expected = await packages(cacheOf("ls"));
      assert(expected.some((path) => path.includes("msal-node")));
      for (const script of SCRIPTS) assertEquals(await packages(cacheOf(script)), expected, script);
      await t.step("the demo runs from the cache of ls", async () => {
        const { code, stdout, stderr } = await runProcess(
          [...WITHOUT_NETWORK, ...denoRun("-A", join(ROOT, "tests", "demo.ts"))],
          { env: { DENO_DIR: cacheOf("ls") } },
        );
        assertEquals(code, 0, stdout + stderr);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
