/** Runs the sandbox's command in a process. */

import { assertEquals } from "../../assert.ts";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { environment, freePort } from "../../test_env.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Runs the command to its end. */
export async function runSandbox(args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-config", MAIN, ...args],
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Starts the command, waits for "# ready", acts, and interrupts it. */
export async function runUntilReady(
  args: string[],
  signal: "SIGINT" | "SIGTERM",
  act: (env: Record<string, string>) => Promise<void>,
): Promise<{ code: number; stderr: string }> {
  const userHome = await Deno.makeTempDir({ prefix: "graph-scripts-test-" });
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-config", MAIN, "--port", String(freePort()), ...args],
    env: environment({ HOME: userHome }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(process.stderr).text();
  let text = "";
  try {
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    while (!text.endsWith("# ready\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`ended early: ${text}${await stderr}`);
      text += value;
    }
    reader.releaseLock();
    const env = Object.fromEntries(
      [...text.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
    );
    await act(env as Record<string, string>);
  } finally {
    process.kill(signal);
  }
  const { code } = await process.status;
  const left = await Array.fromAsync(Deno.readDir(join(userHome, ".local", "state", "graph-scripts")));
  assertEquals(left, [], "the folder for the scripts is deleted");
  await Deno.remove(userHome, { recursive: true });
  return { code, stderr: await stderr };
}
