/** The examples of the sandbox's README run as they stand, apart from addresses and ports. */

import { assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { environment, freePort, ROOT, runProcess } from "../test_env.ts";
import { block } from "./markdown.ts";

const README = "tests/sandbox/README.md";
const MAIN = join(ROOT, "tests", "sandbox", "main.ts");

/** Whether the machine has all these commands; Windows has no `sh`. */
function hasCommands(...names: string[]): boolean {
  if (Deno.build.os === "windows") return false;
  const args = ["-c", names.map((name) => `command -v ${name}`).join(" && ")];
  return new Deno.Command("sh", { args, stdout: "null" }).outputSync().success;
}

/** Runs a shell block in a folder, with the sandbox at free ports. */
async function runBlock(
  part: string,
  after = "",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const sandbox = `'${Deno.execPath()}' run -q -A --no-config '${MAIN}' --port ${freePort()}`;
    const text = block(README, "sh", part).replace("deno task sandbox", sandbox);
    const command = after === "" ? text : `${text.trimEnd()} > sandbox.env &\n${after}`;
    return await runProcess(["sh", "-c", command], {
      cwd: folder,
      env: environment({ HOME: folder }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the Deno test of the sandbox's README passes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  try {
    const text = block(README, "ts", "startSandbox").replace(
      "https://HOST/PATH/tests/sandbox/mod.ts",
      join(ROOT, "tests", "sandbox", "mod.ts"),
    );
    await Deno.writeTextFile(join(folder, "client_test.ts"), text);
    const { code, stdout, stderr } = await runProcess([Deno.execPath(), "test", "-q", "-A"], { cwd: folder });
    assertEquals(code, 0, stdout + stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "the shell lines of the sandbox's README get a token and list a folder",
  ignore: !hasCommands("curl"),
  async fn() {
    const { code, stdout, stderr } = await runBlock("client_credentials");
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /"name":"Agenda\.md"/);
  },
});

Deno.test({
  name: "curl trusts the sandbox with the certificate and names of its README",
  ignore: !hasCommands("curl", "openssl"),
  async fn() {
    const { code, stdout, stderr } = await runBlock(
      "--host-names",
      `until grep -qs '^# ready' sandbox.env; do sleep 0.1; done
. ./sandbox.env
curl -s --connect-to ::127.0.0.1: "$GRAPH_API_ORIGIN/v1.0/me"
kill $!`,
    );
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /InvalidAuthenticationToken/);
  },
});
