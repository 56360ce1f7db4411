// deno-lint-ignore-file no-console -- a program that talks to people
/**
 * What we measure: hashes, start-up, speed and memory of the scripts against a sandbox on this machine, each beside
 * something that anybody can run. Figures are ratios: compare them, not the seconds.
 *
 *     deno task bench                             everything, with a large file of 512 MiB
 *     deno task bench --size 2GiB --rounds 5      with another size; each transfer five times, not three
 *     deno task bench --only transfer --size 5GB  one part: hash, start-up, transfer or files
 *
 * @module
 */
import { parseArgs } from "node:util";
import { join } from "../../lib/std.ts";
import { formatSize, parseSize } from "../../lib/format.ts";
import { pseudoRandomBytes, startTestEnv } from "../test_env.ts";
import { hashing } from "./hashing.ts";
import { manyFiles } from "./many_files.ts";
import { startUp } from "./start_up.ts";
import { transfers } from "./transfers.ts";

const PARTS = ["hash", "start-up", "transfer", "files"];

/** Noise at the beginning, then a hole: what is read, hashed and sent is as much, and the disk is not filled twice. */
async function largeFile(folder: string, bytes: number): Promise<string> {
  const path = join(folder, "large.bin");
  using file = await Deno.open(path, { write: true, create: true });
  await file.write(pseudoRandomBytes(1024 * 1024));
  await file.truncate(bytes);
  return path;
}

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const { values: given } = parseArgs({ options: { size: text, only: text, rounds: text } });
  const bytes = parseSize(given.size ?? "512MiB");
  const rounds = Number(given.rounds ?? 3);
  if (!(Number.isInteger(rounds) && rounds >= 1)) {
    console.error(`--rounds ${given.rounds}: not a whole number from 1 on`);
    return 2;
  }
  const parts = given.only?.split(",") ?? PARTS;
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) {
    console.error(`--only ${unknown}: not one of ${PARTS.join(", ")}`);
    return 2;
  }
  await using b = await startTestEnv();
  const { deno } = Deno.version;
  const cores = navigator.hardwareConcurrency;
  console.log(
    `Deno ${deno}, ${Deno.build.target}, ${cores} cores, load ${
      Deno.loadavg()[0]!.toFixed(1)
    } at the start; ` +
      `the sandbox shares the machine`,
  );
  if (parts.includes("hash")) hashing();
  if (parts.includes("start-up")) await startUp(b);
  if (parts.includes("files")) await manyFiles();
  if (parts.includes("transfer")) {
    console.log(`large file of ${formatSize(bytes)} (${bytes} bytes), best of ${rounds}`);
    await transfers(b, await largeFile(b.folder, bytes), bytes, rounds);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
