/**
 * Measures the duration and peak memory of processes.
 *
 * @module
 */
import { commandLine, environment, type ScriptName, type TestEnv } from "../test_env.ts";

/** Duration and peak memory of a process. */
export interface Measured {
  seconds: number;
  /** Peak resident memory in MiB; undefined where the system does not report it. */
  peakMiB: number | undefined;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Measures a script. */
export function measureScript(env: TestEnv, script: ScriptName, ...args: string[]): Promise<Measured> {
  return measure(commandLine(script, args, env.sandbox.env), env.sandbox.env, env.folder);
}

/** Measures a command. */
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
    return undefined; // the process has ended, or this is not Linux
  }
}
