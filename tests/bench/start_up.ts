// deno-lint-ignore-file no-console -- a program that talks to people
/**
 * How long a script takes before it does anything, beside an empty one.
 *
 * @module
 */
import { commandLine, type TestEnv } from "../test_env.ts";
import { measure, median } from "./measure.ts";

const ROUNDS = 21;

/** Measures `ls --version` and `ls` of a small folder. */
export async function startUp(b: TestEnv): Promise<void> {
  const empty = await b.file("empty.ts", "");
  const times: Record<string, number[]> = { empty: [], version: [], ls: [] };
  await b.run("ls", "General"); // its own token is cached from here on
  for (let i = 0; i < ROUNDS; i++) {
    times.empty!.push(
      (await measure([Deno.execPath(), "run", "-q", "--no-config", empty], {}, b.folder)).seconds,
    );
    times.version!.push(
      (await measure(commandLine("ls", ["--version"], b.sandbox.env), b.sandbox.env, b.folder)).seconds,
    );
    times.ls!.push(
      (await measure(commandLine("ls", ["General"], b.sandbox.env), b.sandbox.env, b.folder)).seconds,
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
