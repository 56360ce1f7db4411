// deno-lint-ignore-file no-console -- prints for users
/**
 * Start-up time of a script, compared with an empty one.
 *
 * @module
 */
import { commandLine, type TestEnv } from "../test_env.ts";
import { measure, median } from "./measure.ts";

const ROUNDS = 21;

/** Measures `ls --version` and `ls` of a small folder. */
export async function startUp(env: TestEnv): Promise<void> {
  const empty = await env.file("empty.ts", "");
  const times: Record<string, number[]> = { empty: [], version: [], ls: [] };
  await env.run("ls", "General"); // caches the token of ls
  for (let i = 0; i < ROUNDS; i++) {
    times.empty!.push(
      (await measure([Deno.execPath(), "run", "-q", "--no-config", empty], {}, env.folder)).seconds,
    );
    times.version!.push(
      (await measure(commandLine("ls", ["--version"], env.sandbox.env), env.sandbox.env, env.folder)).seconds,
    );
    times.ls!.push(
      (await measure(commandLine("ls", ["General"], env.sandbox.env), env.sandbox.env, env.folder)).seconds,
    );
  }
  const base = median(times.empty!);
  for (const [name, values] of Object.entries(times)) {
    const seconds = median(values);
    console.log(
      `start-up  ${name.padEnd(8)} ${(seconds * 1000).toFixed(0).padStart(5)} ms   ${
        (seconds / base).toFixed(1)
      } × an empty script`,
    );
  }
}
