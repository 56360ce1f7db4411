/** Runs the commands of the documentation in a real shell, with real processes. */

import { assert, assertEquals, assertMatch } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { freePort, pseudoRandomBytes, startTestEnv } from "../test_env.ts";
import { blocks, section } from "./markdown.ts";
import { assertShown, makeClone, Shell, type Step, steps } from "./shell.ts";

const ignore = Deno.build.os === "windows"; // POSIX shell

/** Approves a device code on the page of the sandbox, as Adele. */
async function approve(page: string, code: string): Promise<void> {
  const body = new URLSearchParams({ code, person: "adele", decision: "approve" });
  const response = await fetch(page, { method: "POST", body });
  assertMatch(await response.text(), /You signed in as Adele Vance/);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).toSorted();
}

Deno.test({
  name: "the tour of the README prints the shown output and leaves no files",
  ignore,
  async fn() {
    const port = freePort(); // the default ports may be in use on this machine
    const folder = await makeClone(...[0, 1, 2].map((index) => `127.0.0.1:${port + index}`));
    try {
      const before = await namesIn(folder);
      const all = steps(section("README.md", "A five-minute tour"));
      const [makeFolder, startSandbox, load, signIn, ...rest] = all as [Step, Step, Step, Step, ...Step[]];
      assert(rest.length >= 9, "the tour is shorter than expected");
      await using first = new Shell(folder);
      await using second = new Shell(folder);

      assertEquals((await first.run(makeFolder.command)).code, 0);
      await first.start(`exec ${startSandbox.command.replace("sandbox ", `sandbox --port ${port} `)}`);
      const [text] = await first.waitFor(
        /Type device codes at .*\nSee what happens at .*, and stop with Ctrl\+C\.\n/,
      );
      assertShown(startSandbox, text);

      assertShown(load, (await second.run(load.command)).output);
      await second.start(`${signIn.command} --prompt`); // without a terminal it would not prompt
      const [instruction, page, code] = await second.waitFor(
        /^To sign in.* (http:\S+) and enter the code (\w+) to authenticate\.\n.*\n\w+\n/,
      );
      await approve(page!, code!);
      assertShown(signIn, instruction + (await second.end()).output);

      for (const step of rest) assertShown(step, (await second.run(step.command)).output);

      const { output: home } = await second.run("echo $GRAPH_SCRIPTS_HOME");
      await first.interrupt();
      await Deno.stat(home.trim()).then(() => assert(false, `${home} is still there`), () => {});
      await second.run("rm -r tour");
      assertEquals(await namesIn(folder), before);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** A shell after sign-in, with the local files of the examples. */
async function withExamples(work: (shell: Shell) => Promise<void>): Promise<void> {
  const base = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  const home = join(base, ".local", "state", "graph-scripts", "sandbox");
  await using env = await startTestEnv({ home });
  const { loginOrigin, apiOrigin, storageOrigin } = env.sandbox;
  const folder = await makeClone(
    ...[loginOrigin, apiOrigin, storageOrigin].map((origin) => new URL(origin).host),
  );
  try {
    await using shell = new Shell(folder, { ...env.sandbox.env, HOME: base });
    await Deno.mkdir(join(folder, "inbox"));
    await Deno.mkdir(join(folder, "project", "drawings"), { recursive: true });
    const files = {
      "notes.txt": "Hello from the sandbox.\n",
      "table.csv": "a,b\n",
      "report.csv": "item,count\n",
      "a.txt": "a",
      "b.txt": "b",
      "project/plan.md": "plan\n",
      "project/drawings/a.svg": "1\n",
      "video.mp4": pseudoRandomBytes(25 * 1024 * 1024),
    };
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(folder, name), bytes);
    }
    await work(shell);
  } finally {
    await Deno.remove(base, { recursive: true });
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "the recipes of the README succeed",
  ignore,
  fn: () =>
    withExamples(async (shell) => {
      const hasJq = (await shell.run("command -v jq")).code === 0;
      const [recipes] = blocks(section("README.md", "Recipes"));
      const commands = recipes!.text.split("\n").filter((line) => line !== "");
      assert(commands.length > 10);
      for (const command of commands) {
        if (command.includes("jq ") && !hasJq) continue;
        const { code, output } = await shell.run(command);
        assertEquals(code, 0, `${command}\n${output}`);
      }
    }),
});

Deno.test({
  name: "the examples of the manual print the shown output",
  ignore,
  fn: () =>
    withExamples(async (shell) => {
      const hasJq = (await shell.run("command -v jq")).code === 0;
      for (const script of ["whoami", "ls", "get", "put"]) {
        // Ctrl-C has its own tests.
        const examples = steps(section("scripts/README.md", script))
          .filter(({ command, shown }) => !`${shown}`.includes("^C") && !command.includes("copy.mp4"))
          .filter(({ command }) => hasJq || !command.includes("jq "));
        assert(examples.length > 0, script);
        for (const step of examples) assertShown(step, (await shell.run(step.command)).output);
      }
    }),
});
