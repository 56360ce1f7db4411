/**
 * Folders of many small files over a distant line, compared with one request a file by eight jobs.
 *
 * @module
 */
import { join } from "../../lib/std.ts";
import { pseudoRandomBytes, startTestEnv, type TestEnv } from "../test_env.ts";
import { throughLine } from "../lined_env.ts";
import { type BenchOptions, interleaved, measureScript, type Result } from "./measure.ts";

const LATENCY_MS = 50;
const JOBS = 8;
const UP = { files: 200, bytes: 10_000 };
const DOWN = { files: 1_000, bytes: 1_000 };

/** Measures `put -r`, and again with `--if-changed`. */
export async function* manyUploads({ rounds }: BenchOptions): AsyncGenerator<Omit<Result, "name">> {
  await using env = await startTestEnv();
  const folder = join(env.folder, "small");
  await Deno.mkdir(folder);
  for (let index = 0; index < UP.files; index++) {
    await Deno.writeFile(join(folder, `${index}.bin`), pseudoRandomBytes(UP.bytes, index + 1));
  }
  await env.run("put", await env.file("first.txt", "x"), "General/"); // caches the token, and what General is
  await using _line = throughLine(env, { latencyMs: LATENCY_MS });
  let copies = 0;
  const [first, again] = await interleaved(
    rounds,
    () => measureScript(env, "put", ["-r", folder, `General/copy${++copies}`]),
    () => measureScript(env, "put", ["-r", "--if-changed", folder, `General/copy${copies}`]),
  );
  const reference = eightAtOnce(UP.files);
  yield { what: "put -r 200 × 10 kB, 50 ms", ...first!, reference, goal: 1.3 };
  yield {
    what: "the same again, --if-changed",
    ...again!,
    reference: { name: "four round trips", seconds: 0.2 },
  };
}

/** Measures `get -r`. */
export async function* manyDownloads({ rounds }: BenchOptions): AsyncGenerator<Omit<Result, "name">> {
  await using env = await startTestEnv();
  addFiles(env);
  await env.run("ls", "General"); // caches the token, and what General is
  await using _line = throughLine(env, { latencyMs: LATENCY_MS });
  let copies = 0;
  const [measured] = await interleaved(
    rounds,
    () => measureScript(env, "get", ["-r", "General/Small", `copy${++copies}`]),
  );
  yield { what: "get -r 1,000 × 1 kB, 50 ms", ...measured!, reference: eightAtOnce(DOWN.files), goal: 1.2 };
}

function addFiles({ sandbox }: TestEnv): void {
  for (let index = 0; index < DOWN.files; index++) {
    const bytes = pseudoRandomBytes(DOWN.bytes, index + 1);
    sandbox.tenant.addFile("Documents", `General/Small/${index}.bin`, bytes);
  }
}

function eightAtOnce(files: number): Result["reference"] {
  return { name: `a round trip a file ÷ ${JOBS}`, seconds: files * LATENCY_MS / 1000 / JOBS };
}
