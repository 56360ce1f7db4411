/** The catalogue of known faults is complete and tested, and the sandbox command offers it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { join } from "../../lib/std.ts";
import { commandLine, denoRun, freePort, type ProcessResult, ROOT, runProcess } from "../test_env.ts";
import { type FaultName, startSandbox } from "../sandbox/mod.ts";
import { filesBelow } from "../cli/secret_scan.ts";
import { KNOWN_FAULTS, type KnownFault } from "../sandbox/known_faults.ts";

const CATALOGUE = Object.entries(KNOWN_FAULTS) as [FaultName, KnownFault][];

Deno.test("knownFault() gives each fault of the protocol notes a name with an effect", () => {
  const items = new Set(CATALOGUE.map(([, { item }]) => item));
  assertEquals([...items].toSorted((a, b) => a - b), Array.from({ length: 18 }, (_, index) => index + 1));
  for (const [name, { what, traps, scripts, rules, behavior, options }] of CATALOGUE) {
    assertMatch(name, /^[a-z0-9-]+$/);
    assert(what !== "" && !what.includes("\n"), name);
    assert(traps.length > 0 && scripts.length > 0, name);
    assert(rules || behavior || options, name);
  }
});

Deno.test("each fault has a test", async () => {
  const files = await filesBelow(join(ROOT, "tests"));
  const tests = files.filter(({ from }) => from.endsWith("_faults_test.ts")).map(({ text }) => text).join("");
  assertEquals(CATALOGUE.map(([name]) => name).filter((name) => !tests.includes(`"${name}"`)), []);
});

Deno.test("each sandbox has its own rules, named after their fault", async () => {
  await using one = await startSandbox({ fault: ["page-repeats-item", "public-client-off"] });
  await using two = await startSandbox();
  two.addFault("page-repeats-item", "empty-page", { status: 500 });
  assertEquals(one.faults.map(({ name }) => name), ["page-repeats-item"]);
  assertEquals(two.faults.map(({ name }) => name), ["page-repeats-item", undefined]);
  assert(one.faults[0]!.rewrite !== two.faults[0]!.rewrite, "two sandboxes share the state of a rule");
  assertEquals([one.tenant.behavior.emptyFirstPage, two.tenant.behavior.emptyFirstPage], [false, true]);
  let message = "";
  try {
    two.addFault("public-client-off");
  } catch (error) {
    message = (error as Error).message;
  }
  assertMatch(message, /startSandbox\(\{ fault: \["public-client-off"\] \}\)/);
});

function sandboxCommand(...args: string[]): string[] {
  const main = join(ROOT, "tests", "sandbox", "main.ts");
  return denoRun("-A", main, ...args);
}

Deno.test("sandbox --fault help lists each fault in one line", async () => {
  const { code, stdout, stderr } = await runProcess(sandboxCommand("--fault", "help"), {});
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.map((line) => line.split(" ")[0]), CATALOGUE.map(([name]) => name));
  assertMatch(lines[0]!, /^throttled-with-retry-after +ls, get, put, put-large: 429 with Retry-After: 2$/);
});

Deno.test("sandbox rejects an unknown fault, and lists the known ones", async () => {
  const wrong: [string[], RegExp][] = [
    [
      ["--fault", "throttled"],
      /there is no fault "throttled"; there are throttled-with-retry-after, .*precondition-not-allowed/,
    ],
    [["--fault=answer-lost,nope"], /there is no fault "nope"/],
    [["--fault"], /--fault takes a value/],
    [["--fault="], /--fault takes a value/],
    [["--fault", "--approve"], /--fault takes a value/],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await runProcess(sandboxCommand(...args), {});
    assertEquals([code, stdout, stderr.trim().split("\n").length], [2, "", 1], args.join(" "));
    assertMatch(stderr, message);
  }
});

Deno.test("sandbox --fault takes lists, and can be repeated", async () => {
  const { env, stop } = await rehearsal(
    "--fault",
    "session-stuck,sign-in-html-at-poll",
    "--fault=public-client-off",
  );
  try {
    // The app registration setting would cause a 401, but the page comes first.
    const { code, stderr } = await runProcess(commandLine("whoami", ["--prompt"], env), { env });
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "is not from the sign-in service");
  } finally {
    assertEquals((await stop()).code, Deno.build.os === "windows" ? 1 : 130);
  }
});

/** Starts the sandbox as a user does, and reads the environment that it prints. */
async function rehearsal(
  ...args: string[]
): Promise<{ env: Record<string, string>; stop(): Promise<ProcessResult> }> {
  const [program, ...rest] = sandboxCommand("--approve", "--port", String(freePort()), ...args);
  const child = new Deno.Command(program!, { args: rest, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let stdout = "";
  while (!stdout.endsWith("# ready\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`ended early: ${stdout}${await stderr}`);
    stdout += value;
  }
  const exports = [...stdout.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) =>
    [name!, value!] as const
  );
  return {
    env: Object.fromEntries(exports),
    async stop() {
      child.kill("SIGINT");
      await reader.cancel();
      const { code } = await child.status;
      return { code, stdout, stderr: await stderr };
    },
  };
}
