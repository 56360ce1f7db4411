/** runMain() gives a snippet the error lines and exit codes of the scripts. */

import { assert, assertEquals, assertMatch, assertRejects } from "../assert.ts";
import type { Connection, ConnectOptions } from "../../lib/connect.ts";
import type { Host } from "../../lib/cli/host.ts";
import { runSnippet } from "../../lib/cli/main.ts";
import { copy, stat, uploadFile } from "../../lib/mod.ts";
import { fastClock, startTestEnv, type TestEnv } from "../test_env.ts";

/** Runs a snippet; `interrupt` is what Ctrl+C does. */
async function runIn(
  env: TestEnv,
  main: (connection: Connection, interrupt: () => void) => Promise<unknown>,
  options: ConnectOptions = { access: "write" },
): Promise<{ code: number; stderr: string }> {
  let stderr = "";
  let interrupt = () => {};
  const stream = (isTerminal: boolean) => ({
    writeSync(bytes: Uint8Array) {
      stderr += new TextDecoder().decode(bytes);
      return bytes.length;
    },
    isTerminal: () => isTerminal,
  });
  const host: Host = {
    env: (name) => env.sandbox.env[name],
    stdin: new Blob([]).stream(),
    stdout: stream(false),
    stderr: stream(true),
    columns: () => 80,
    onInterrupt(handler) {
      interrupt = handler;
      return () => {};
    },
    exit(code) {
      throw new Error(`exit ${code}`);
    },
    http: fastClock(),
  };
  const code = await runSnippet(async (connection) => void await main(connection, interrupt), options, host);
  return { code, stderr };
}

Deno.test("runMain() connects, signs in on a terminal, and prints nothing else on success", async () => {
  await using env = await startTestEnv({ signIn: false });

  const { code, stderr } = await runIn(env, (connection) => stat(connection, "General"), {});

  assertEquals(code, 0);
  assertMatch(stderr, /To sign in/);
  assertEquals(await runIn(env, (connection) => stat(connection, "General"), {}), { code: 0, stderr: "" });
});

Deno.test("runMain() prints an error as the scripts do, without naming their options", async () => {
  await using env = await startTestEnv();
  const file = await env.file("Agenda.md", "another");
  const cases: [main: (connection: Connection) => Promise<unknown>, code: number, line: RegExp][] = [
    [
      (connection) => stat(connection, "General/Missing.md"),
      3,
      /^\w+: General\/Missing\.md: it does not exist, or you may not see it; .*\(HTTP 404 itemNotFound, request-id/,
    ],
    [
      (connection) => uploadFile(connection, file, "General/"),
      6,
      /already exists; choose what to do with the option "conflict", or another name \(HTTP 409/,
    ],
    [(connection) => stat(connection, "General/a:b"), 2, /^\w+: illegal name "a:b".*\(illegalName\)\n$/],
    [(connection) => stat(connection, "drive:Nothing/x"), 3, /no drive here is called Nothing; there are: /],
    [(connection) => uploadFile(connection, "/nonexistent/x", "General/"), 3, /no such local file: /],
  ];
  for (const [main, code, line] of cases) {
    const result = await runIn(env, main);
    assertEquals(result.code, code, result.stderr);
    assertMatch(result.stderr, line);
    assert(!/ --\w/.test(result.stderr), result.stderr);
  }
});

Deno.test("runMain() reports an interruption, and leaves a snippet's own errors to Deno", async () => {
  await using env = await startTestEnv();

  const { code, stderr } = await runIn(env, async (connection, interrupt) => {
    interrupt();
    await copy(connection, "General/Agenda.md", "me:Documents/");
  });

  assertEquals(code, 130, stderr);
  const error = await assertRejects(() => runIn(env, () => Promise.reject(new TypeError("mine"))));
  assertEquals(String(error), "TypeError: mine");
});
