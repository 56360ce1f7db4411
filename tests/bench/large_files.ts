/**
 * Large files: over loopback compared with other tools, over a line with the time that it needs for the bytes.
 *
 * @module
 */
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";
import type { LineShape } from "../sandbox/http/shaped_line.ts";
import { throughLine } from "../lined_env.ts";
import { type BenchOptions, interleaved, measureScript, type Result } from "./measure.ts";
import { curlDownload, curlUpload, pythonUpload, sdkUpload, type Tool } from "./other_tools.ts";

/** The SDK needs the whole file in memory, so larger files are not compared. */
const MAX_SDK_BYTES = 2 * 1024 ** 3;
const LINE_BYTES = 100_000_000;

interface LineGoal extends LineShape {
  what: string;
  /** Bytes a second of all connections that a transfer may use. */
  bytesPerSecond: number;
  goal: number;
}

const UPLOAD_LINES: readonly LineGoal[] = [
  { what: "100 MB, 50 ms, 25 MB/s", latencyMs: 50, bytesPerSecond: 25e6, goal: 1.17 },
  { what: "100 MB, 150 ms, 6.25 MB/s", latencyMs: 150, bytesPerSecond: 6.25e6, goal: 1.12 },
];
const DOWNLOAD_LINES: readonly LineGoal[] = [
  {
    what: "100 MB, 50 ms, 50 (6.25) MB/s",
    latencyMs: 50,
    bytesPerSecond: 50e6,
    connectionBytesPerSecond: 6.25e6,
    goal: 1.3,
  },
  { what: "100 MB, 50 ms, 25 MB/s", latencyMs: 50, bytesPerSecond: 25e6, goal: 1.2 },
];

/** Random bytes followed by a hole: as much to read, hash and send, without filling the disk twice. */
async function largeFile(env: TestEnv, bytes: number): Promise<string> {
  const path = join(env.folder, `${bytes}.bin`);
  using file = await Deno.open(path, { write: true, create: true });
  await file.write(pseudoRandomBytes(1024 * 1024));
  await file.truncate(bytes);
  return path;
}

/** Measures `put-large`. */
export async function* uploads({ bytes, rounds }: BenchOptions): AsyncGenerator<Omit<Result, "name">> {
  await using env = await startTestEnv();
  const remote = "General/large.bin";
  const path = await largeFile(env, bytes);
  const what = `put-large ${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  const ours = () => measureScript(env, "put-large", [path, remote]);
  await env.run("ls", "General"); // caches what General is
  const tools = [pythonUpload, curlUpload, ...(bytes <= MAX_SDK_BYTES ? [sdkUpload] : [])];
  yield* compared(what, ours, tools.map((tool) => tool(env, path)), rounds, [1.25]);
  yield* overLines(UPLOAD_LINES, "put-large", [await largeFile(env, LINE_BYTES), remote], env, rounds);
}

/** Measures `get`. */
export async function* downloads({ bytes, rounds }: BenchOptions): AsyncGenerator<Omit<Result, "name">> {
  await using env = await startTestEnv();
  const remote = "General/large.bin";
  const args = ["--conflict", "replace", remote, join(env.folder, "copy.bin")];
  await env.run("put-large", await largeFile(env, bytes), remote);
  await env.run("ls", "General"); // caches the token for reading
  const ours = () => measureScript(env, "get", args);
  const what = `get ${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  yield* compared(what, ours, [curlDownload(env, "Documents", remote)], rounds, [1.1]);
  await env.run("put-large", "--conflict", "replace", await largeFile(env, LINE_BYTES), remote);
  yield* overLines(DOWNLOAD_LINES, "get", args, env, rounds);
}

async function* compared(
  what: string,
  ours: () => Promise<{ seconds: number; peakMiB: number | undefined }>,
  tools: readonly Tool[],
  rounds: number,
  goals: readonly number[],
): AsyncGenerator<Omit<Result, "name">> {
  const installed = await Promise.all(tools.map((tool) => tool.isInstalled()));
  const present = tools.filter((_, index) => installed[index]);
  const [first, ...others] = await interleaved(rounds, ours, ...present.map(({ run }) => run));
  for (const [index, { name }] of tools.entries()) {
    const seconds = others[present.indexOf(tools[index]!)]?.seconds;
    const reference = seconds ? { name, seconds } : { name, seconds: 0, missing: true };
    const goal = goals[index];
    yield { what, ...first!, reference, ...(goal === undefined ? {} : { goal }) };
  }
}

async function* overLines(
  lines: readonly LineGoal[],
  script: "put-large" | "get",
  args: readonly string[],
  env: TestEnv,
  rounds: number,
): AsyncGenerator<Omit<Result, "name">> {
  for (const { what, goal, ...shape } of lines) {
    await using _line = throughLine(env, shape);
    const [measured] = await interleaved(rounds, () => measureScript(env, script, args));
    const ideal = LINE_BYTES / shape.bytesPerSecond;
    yield {
      what: `${script} ${what}`,
      ...measured!,
      reference: { name: "the line alone", seconds: ideal },
      goal,
    };
  }
}
