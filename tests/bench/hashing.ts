// deno-lint-ignore-file no-console -- prints for users
/**
 * Hashing speed on one core, compared with Node's SHA-256.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { QuickXorHash } from "../../lib/transfer/quick_xor_hash.ts";
import { pseudoRandomBytes } from "../test_env.ts";
import { median } from "./measure.ts";

const ROUNDS = 9;
/** The chunk size of transfers. */
const CHUNK_BYTES = 1024 * 1024;

/** Measures SHA-256 and QuickXorHash, both of which every transfer computes. */
export function hashing(): void {
  const bytes = pseudoRandomBytes(64 * 1024 * 1024);
  const chunks = Array.from(
    { length: bytes.length / CHUNK_BYTES },
    (_, index) => bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  );
  const kinds: Record<string, () => void> = {
    "SHA-256": () => {
      const hash = createHash("sha256");
      for (const chunk of chunks) hash.update(chunk);
      hash.digest();
    },
    "QuickXorHash": () => {
      const hash = new QuickXorHash();
      for (const [index, chunk] of chunks.entries()) hash.add(chunk, index * CHUNK_BYTES);
      hash.digest();
    },
  };
  let base: number | undefined;
  for (const [name, compute] of Object.entries(kinds)) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      compute();
      times.push((performance.now() - started) / 1000);
    }
    const seconds = median(times);
    base ??= seconds;
    const rate = (bytes.length / 1024 ** 3 / seconds).toFixed(1);
    console.log(
      `hash      ${name.padEnd(13)} ${rate.padStart(5)} GiB/s   ${
        (seconds / base).toFixed(2)
      } × the time of SHA-256`,
    );
  }
}
