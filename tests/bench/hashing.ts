/**
 * Hashing speed on one core, compared with Node's SHA-256.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { QuickXorHash } from "../../lib/transfer/quick_xor_hash.ts";
import { pseudoRandomBytes } from "../test_env.ts";
import type { Result } from "./measure.ts";

const ROUNDS = 9;
/** The chunk size of transfers. */
const CHUNK_BYTES = 1024 * 1024;
const BYTES = 64 * CHUNK_BYTES;

/** Measures QuickXorHash, which every transfer computes. */
export async function* hashing(): AsyncGenerator<Omit<Result, "name">> {
  const bytes = pseudoRandomBytes(BYTES);
  const chunks = Array.from(
    { length: BYTES / CHUNK_BYTES },
    (_, index) => bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  );
  const seconds: number[] = [];
  const reference: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    seconds.push(timeOf(() => {
      const hash = new QuickXorHash();
      for (const [index, chunk] of chunks.entries()) hash.add(chunk, index * CHUNK_BYTES);
      hash.digest();
    }));
    reference.push(timeOf(() => {
      const hash = createHash("sha256");
      for (const chunk of chunks) hash.update(chunk);
      hash.digest();
    }));
  }
  yield await Promise.resolve({
    what: "QuickXorHash of 64 MiB",
    seconds,
    reference: { name: "SHA-256", seconds: reference },
  });
}

function timeOf(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}
