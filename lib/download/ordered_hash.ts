/**
 * The hashes of a file that is being written, in whatever order its bytes come: bytes that are next are hashed as they
 * are written, the others are read back from the file as soon as there is no gap before them.
 *
 * @module
 */
import { interruptedError } from "../abort.ts";
import type { ByteRanges } from "./ranges.ts";
import { readAt } from "../local/local_file.ts";
import { ContentHash } from "../transfer/verify.ts";

const READ_BYTES = 1024 * 1024;

/** Hashes a file while it is written. */
export class OrderedHash {
  readonly #file: Deno.FsFile;
  readonly #written: ByteRanges;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #hash: ContentHash;
  #readingBack: Promise<void> | undefined;
  readonly #signal: AbortSignal | undefined;
  #closed = false;

  private constructor(
    file: Deno.FsFile,
    written: ByteRanges,
    hash: ContentHash,
    signal: AbortSignal | undefined,
  ) {
    this.#file = file;
    this.#written = written;
    this.#hash = hash;
    this.#signal = signal;
  }

  /**
   * @param file Read through a handle of its own; it is closed at the end.
   * @param written What the file holds; it may grow.
   */
  static async create(
    file: Deno.FsFile,
    written: ByteRanges,
    signal: AbortSignal | undefined,
  ): Promise<OrderedHash> {
    return new OrderedHash(file, written, await ContentHash.create(), signal);
  }

  /** Takes bytes that are about to be written, if they are next. */
  offer(bytes: Uint8Array, position: number): void {
    if (position <= this.#hash.position) this.#hash.add(bytes, position);
  }

  /** Told that {@linkcode ByteRanges} have grown. */
  catchUp(): void {
    if (this.#readingBack || this.#hash.position >= this.#written.prefixEnd) return;
    this.#readingBack = this.#readBack().finally(() => this.#readingBack = undefined);
    this.#readingBack.catch(() => {}); // `digest` meets the same error
  }

  /** The hashes of all that is there from the first byte on; ends the hash. */
  async digest(): Promise<{ quickXorHash: string; sha256: string }> {
    while (this.#hash.position < this.#written.prefixEnd) {
      this.catchUp();
      await this.#readingBack;
    }
    return this.#hash.digest();
  }

  /** Starts from the first byte. */
  async restart(): Promise<void> {
    this.#hash = await ContentHash.create();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#readingBack?.catch(() => {}); // nobody asks for the hash any more
    this.#file.close();
  }

  async #readBack(): Promise<void> {
    for (const hash = this.#hash; hash === this.#hash && !this.#closed;) {
      if (this.#signal?.aborted) throw interruptedError(this.#signal);
      const at = hash.position;
      const bytes = this.#buffer.subarray(0, Math.max(0, Math.min(READ_BYTES, this.#written.prefixEnd - at)));
      if (bytes.length === 0) return;
      const count = await readAt(this.#file, bytes, at);
      if (count === 0) {
        throw new Error(`the partial file ends at byte ${at}, although more was written to it`);
      }
      // Bytes that were offered meanwhile are left out; after a restart all of them are.
      if (hash === this.#hash) hash.add(bytes.subarray(0, count), at);
    }
  }
}
