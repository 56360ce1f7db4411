/**
 * How long a process takes, and how much memory it has at most.
 *
 * @module
 */
import { commandLine, environment, type ScriptName, type TestEnv } from "../test_env.ts";

/** What one process cost. */
export interface Measured {
  seconds: number;
  /** Highest resident memory in MiB; `undefined` where the system does not tell. */
  peakMiB: number | undefined;
}

/** The middle one of some values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Runs a script of a bench and watches its memory. */
export function measureScript(b: TestEnv, script: ScriptName, ...args: string[]): Promise<Measured> {
  return measure(commandLine(script, args, b.sandbox.env), b.sandbox.env, b.folder);
}

/** Runs a command and watches its memory. */
export async function measure(
  [program, ...args]: string[],
  env: Record<string, string>,
  cwd: string,
): Promise<Measured> {
  const started = performance.now();
  const child = new Deno.Command(program!, {
    args,
    clearEnv: true,
    env: environment(env),
    cwd,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let peakMiB: number | undefined;
  const watch = setInterval(() => peakMiB = peakOf(child.pid) ?? peakMiB, 20);
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  clearInterval(watch);
  if (code !== 0) throw new Error(`${[program, ...args].join(" ")}: exit code ${code}: ${stderr}`);
  return { seconds: (performance.now() - started) / 1000, peakMiB };
}

function peakOf(pid: number): number | undefined {
  try {
    const kibibytes = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  } catch {
    return undefined; // over already, or not Linux
  }
}
