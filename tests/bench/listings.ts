/**
 * Listings over a distant line, and of very many items.
 *
 * @module
 */
import { startTestEnv } from "../test_env.ts";
import { throughLine } from "../lined_env.ts";
import { type BenchOptions, interleaved, measureScript, type Result } from "./measure.ts";

const LATENCY_MS = 150;
/** Of Deno, for an empty script and the first request; measured by `start-up`. */
const START_UP_SECONDS = 0.04;
const FOLDERS = 2_000;
const FILES_IN_FOLDER = 49;
/** Requests of a listing at once. */
const AT_ONCE = 8;

/** Measures `ls` with a remembered drive, and `ls -R` of 100,000 items. */
export async function* listings({ rounds }: BenchOptions): AsyncGenerator<Omit<Result, "name">> {
  await using env = await startTestEnv();
  await env.run("ls", "General"); // caches the token, and what General is
  {
    await using _line = throughLine(env, { latencyMs: LATENCY_MS });
    const [warm] = await interleaved(
      2 * rounds,
      () => measureScript(env, "ls", ["General"]),
    );
    const ideal = START_UP_SECONDS + 2 * LATENCY_MS / 1000;
    yield {
      what: "ls General, 150 ms",
      ...warm!,
      reference: { name: "connection, one request, start-up", seconds: ideal },
      goal: 1.24,
    };
  }
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = `General/Many/${String(folder).padStart(4, "0")}`;
    for (let file = 0; file < FILES_IN_FOLDER; file++) {
      env.sandbox.tenant.addFile("Documents", `${path}/${file}.txt`, new Uint8Array([file]));
    }
  }
  await using _line = throughLine(env, { latencyMs: 50 });
  const [all] = await interleaved(1, () => measureScript(env, "ls", ["-R", "General/Many"]));
  const requests = FOLDERS + Math.ceil(FOLDERS / 200);
  yield {
    what: "ls -R of 100,000 items, 50 ms",
    ...all!,
    reference: { name: "round trips ÷ 8", seconds: requests * 0.05 / AT_ONCE },
  };
}
