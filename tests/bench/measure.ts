/**
 * Measures the duration and peak memory of processes.
 *
 * @module
 */
import { commandLine, environment, type ScriptName, type TestEnv } from "../test_env.ts";

/** Options of a run of the bench. */
export interface BenchOptions {
  /** Size of the large file. */
  bytes: number;
  /** How often each command is measured; in turn with what it is compared with. */
  rounds: number;
}

/** A measurement, compared with something. */
export interface Result {
  name: string;
  what: string;
  /** Of each round. */
  seconds: number[];
  reference: {
    name: string;
    /** Of each round, or one ideal time. */
    seconds: number | number[];
    /** The other tool is not installed. */
    missing?: boolean;
  };
  /** The ratio that is wanted. */
  goal?: number;
  peakMiB?: number | undefined;
}

/** Something that the bench measures. */
export interface Measurement {
  /** Chosen by `--only`. */
  name: string;
  run(options: BenchOptions): AsyncIterable<Omit<Result, "name">>;
}

/** Duration and peak memory of a process. */
export interface Measured {
  seconds: number;
  /** Peak resident memory in MiB; undefined where the system does not report it. */
  peakMiB: number | undefined;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** Measures a script, which must succeed. */
export function measureScript(
  { sandbox, folder }: TestEnv,
  script: ScriptName,
  args: readonly string[],
): Promise<Measured> {
  return measure(commandLine(script, args, sandbox.env), sandbox.env, folder);
}

/** Measures a command, which must succeed. */
export async function measure(
  [program, ...args]: readonly string[],
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

/** Measures commands in turn, so that other work on the machine affects all alike. */
export async function interleaved(
  rounds: number,
  ...works: (() => Promise<Measured>)[]
): Promise<{ seconds: number[]; peakMiB: number | undefined }[]> {
  const all: Measured[][] = works.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of works.entries()) all[index]!.push(await work());
  }
  return all.map((runs) => ({
    seconds: runs.map(({ seconds }) => seconds),
    peakMiB: runs.reduce<number | undefined>(
      (peak, { peakMiB }) => peakMiB === undefined ? peak : Math.max(peak ?? 0, peakMiB),
      undefined,
    ),
  }));
}

/** Whether a program runs on this machine. */
export async function isInstalled(program: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function peakOf(pid: number): number | undefined {
  try {
    const kibibytes = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  } catch {
    return undefined; // the process has ended, or this is not Linux
  }
}
