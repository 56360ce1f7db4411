/**
 * Start-up time of a script, compared with an empty one.
 *
 * @module
 */
import { commandLine, startTestEnv } from "../test_env.ts";
import { type BenchOptions, interleaved, measure, measureScript, type Result } from "./measure.ts";

/** One start takes so little that more rounds cost nothing. */
const ROUNDS_FACTOR = 7;

/** Measures `--help`, and `ls` of a small folder over loopback. */
export async function* startUp({ rounds }: BenchOptions): AsyncGenerator<Omit<Result, "name">> {
  await using env = await startTestEnv();
  const script = await env.file("empty.ts", "");
  await env.run("ls", "General"); // caches the token, and what General is
  const run = (...args: string[]) => () =>
    measure(commandLine("ls", args, env.sandbox.env), env.sandbox.env, env.folder);
  const [empty, help, ls] = await interleaved(
    rounds * ROUNDS_FACTOR,
    () => measure([Deno.execPath(), "run", "-q", "--no-config", script], {}, env.folder),
    run("--help"),
    () => measureScript(env, "ls", ["General"]),
  );
  const reference = { name: "an empty script", seconds: empty!.seconds };
  yield { what: "ls --help", ...help!, reference, goal: 2.2 };
  yield { what: "ls General", ...ls!, reference, goal: 3.2 };
}
