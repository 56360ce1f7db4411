// deno-lint-ignore-file no-console -- a program that talks to people
/**
 * What we measure: start-up, speed and memory of the scripts against a sandbox on this machine, each beside something
 * that anybody can run. Figures are ratios: compare them, not the seconds.
 *
 *     deno task bench                  everything, with a file of 512 MiB
 *     deno task bench --size 2GiB      with another size
 *
 * @module
 */
import { join } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";
import { formatSize, parseSize } from "../../lib/sizes.ts";
import { QuickXorHash } from "../../lib/quick_xor_hash.ts";
import {
  type Bench,
  bench,
  commandLine,
  CONFIG,
  environment,
  noise,
  ROOT,
  type ScriptName,
} from "../harness.ts";

interface Measured {
  seconds: number;
  /** Highest resident memory in MiB; `undefined` where the system does not tell. */
  peakMiB: number | undefined;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Runs a command and watches its memory. */
async function measure(
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

async function startUp(b: Bench): Promise<void> {
  const empty = await b.file("empty.ts", "");
  const rounds = 21;
  const times: Record<string, number[]> = { empty: [], version: [], ls: [] };
  await b.run("ls", "General"); // its own token is cached from here on
  for (let i = 0; i < rounds; i++) {
    times.empty!.push(
      (await measure([Deno.execPath(), "run", "-q", "--no-config", empty], {}, b.folder)).seconds,
    );
    times.version!.push((await measure(commandLine("ls", ["--version"]), b.sandbox.env, b.folder)).seconds);
    times.ls!.push((await measure(commandLine("ls", ["General"]), b.sandbox.env, b.folder)).seconds);
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

async function transfers(b: Bench, bytes: number): Promise<void> {
  const path = join(b.folder, "large.bin");
  {
    using file = await Deno.open(path, { write: true, create: true });
    await file.write(noise(1024 * 1024));
    await file.truncate(bytes);
  }
  const lines: [string, ScriptName, string[]][] = [
    ["put-large 10MiB", "put-large", [path, "General/large.bin"]],
    ["put-large 320KiB", "put-large", ["--fragment-size", "320KiB", path, "General/large.bin"]],
    ["put-large 59MiB", "put-large", ["--fragment-size", "60160KiB", path, "General/large.bin"]],
    ["get", "get", ["--conflict", "replace", "General/large.bin", join(b.folder, "copy.bin")]],
  ];
  const program = new URL("sdk_upload.ts", import.meta.url).href;
  const sdk = await measure(
    // Without the lock of the scripts, which must not learn of the SDK.
    [Deno.execPath(), "run", "-q", "--no-lock", "--config", join(ROOT, CONFIG), "-A", program, path],
    { ...b.sandbox.env, GRAPH_ACCESS_TOKEN: b.sandbox.issueToken() },
    b.folder,
  );
  const row = (name: string, { seconds, peakMiB }: Measured) => {
    const rate = (bytes / 1024 ** 2 / seconds).toFixed(0).padStart(5);
    const ratio = (seconds / sdk.seconds).toFixed(2);
    const peak = peakMiB?.toFixed(0) ?? "?";
    console.log(`transfer  ${name.padEnd(18)} ${rate} MiB/s   ${ratio} × the SDK's time   peak ${peak} MiB`);
  };
  row("Graph SDK 10MiB", sdk);
  for (const [name, script, args] of lines) {
    row(name, await measure(commandLine(script, args), b.sandbox.env, b.folder));
  }
}

function hashing(): void {
  const bytes = noise(64 * 1024 * 1024);
  const rates = Array.from({ length: 9 }, () => {
    const hash = new QuickXorHash();
    const started = performance.now();
    hash.add(bytes, 0);
    return bytes.length / 1024 ** 3 / ((performance.now() - started) / 1000);
  });
  console.log(`hash      QuickXorHash       ${median(rates).toFixed(1)} GiB/s on one core`);
}

if (import.meta.main) {
  const { size } = parseArgs(Deno.args, { string: ["size", "_"], boolean: [], alias: {} });
  const bytes = parseSize(typeof size === "string" ? size : "512MiB");
  await using b = await bench();
  console.log(
    `Deno ${Deno.version.deno}, ${Deno.build.target}, ${navigator.hardwareConcurrency} cores; file of ${
      formatSize(bytes)
    }; the sandbox shares the machine`,
  );
  hashing();
  await startUp(b);
  await transfers(b, bytes);
}
