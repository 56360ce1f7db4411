// deno-lint-ignore-file no-console -- prints for users
/**
 * Measures hashes, start-up, speed and memory of the scripts against a local sandbox, each compared with a baseline
 * that anyone can run. Compare the ratios, not the seconds.
 *
 *     deno task bench                             everything, with a file of 512 MiB
 *     deno task bench --size 2GiB --rounds 5      another size; five rounds of transfers, not three
 *     deno task bench --only transfer --size 5GB  one part: hash, start-up, transfer or files
 *
 * @module
 */
import { join, parseArgs } from "../../lib/std.ts";
import { formatSize, parseSize } from "../../lib/format.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";
import { hashing } from "./hashing.ts";
import { manyFiles } from "./many_files.ts";
import { startUp } from "./start_up.ts";
import { transfers } from "./transfers.ts";

const PARTS = ["hash", "start-up", "transfer", "files"];

/** Random bytes followed by a hole: as much to read, hash and send, without filling the disk twice. */
async function largeFile(folder: string, bytes: number): Promise<string> {
  const path = join(folder, "large.bin");
  using file = await Deno.open(path, { write: true, create: true });
  await file.write(pseudoRandomBytes(1024 * 1024));
  await file.truncate(bytes);
  return path;
}

async function main(): Promise<number> {
  const given = parseArgs(Deno.args, { string: ["size", "only", "rounds", "_"], boolean: [] });
  const { size, only } = given;
  const bytes = parseSize(typeof size === "string" ? size : "512MiB");
  const rounds = typeof given.rounds === "string" ? Number(given.rounds) : 3;
  if (!(Number.isInteger(rounds) && rounds >= 1)) {
    console.error(`--rounds ${given.rounds}: not a whole number from 1 on`);
    return 2;
  }
  const parts = typeof only === "string" ? only.split(",") : PARTS;
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) {
    console.error(`--only ${unknown}: not one of ${PARTS.join(", ")}`);
    return 2;
  }
  await using env = await startTestEnv();
  const { deno } = Deno.version;
  const cores = navigator.hardwareConcurrency;
  console.log(
    `Deno ${deno}, ${Deno.build.target}, ${cores} cores, load ${
      Deno.loadavg()[0]!.toFixed(1)
    } at the start; ` +
      `the sandbox shares the machine`,
  );
  if (parts.includes("hash")) hashing();
  if (parts.includes("start-up")) await startUp(env);
  if (parts.includes("files")) await manyFiles();
  if (parts.includes("transfer")) {
    console.log(`large file of ${formatSize(bytes)} (${bytes} bytes), best of ${rounds}`);
    await transfers(env, await largeFile(env.folder, bytes), bytes, rounds);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
