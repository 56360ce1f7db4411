/**
 * Reads local content for an upload, fragment by fragment, and hashes it on the way.
 *
 * @module
 */
import { interruptedError } from "../abort.ts";
import { type LocalContent, readExactly } from "../local/local_file.ts";
import { FRAGMENT_UNIT_BYTES } from "./fragments.ts";
import type { ContentHash } from "../transfer/verify.ts";

/** Reads into one buffer, which the next read overwrites. */
export class ContentReader {
  readonly hash: ContentHash;
  readonly #content: LocalContent;
  #buffer: Uint8Array<ArrayBuffer>;
  readonly #signal: AbortSignal | undefined;

  /** @param signal Ends the reading of what was sent before, which may take minutes. */
  constructor(
    content: LocalContent,
    hash: ContentHash,
    fragmentBytes: number,
    signal: AbortSignal | undefined,
  ) {
    this.#content = content;
    this.hash = hash;
    this.#signal = signal;
    this.#buffer = new Uint8Array(Math.min(fragmentBytes, content.size));
  }

  /** Halves the fragments, to a multiple of 320 KiB: a slow line needs less time for each. */
  shrinkFragments(): void {
    const units = Math.max(1, Math.floor(this.#buffer.length / 2 / FRAGMENT_UNIT_BYTES));
    this.#buffer = this.#buffer.subarray(0, units * FRAGMENT_UNIT_BYTES);
  }

  /** The fragment that starts here: as long as fragments are, or what is left. */
  async fragment(start: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.hashUpTo(start);
    const bytes = await this.#read(start, this.#content.size);
    this.hash.add(bytes, start);
    return bytes;
  }

  /** An upload that goes on from a later byte: what was sent before is hashed all the same. */
  async hashUpTo(end: number): Promise<void> {
    while (this.hash.position < end) {
      if (this.#signal?.aborted) throw interruptedError(this.#signal);
      const at = this.hash.position;
      this.hash.add(await this.#read(at, end), at);
    }
  }

  #read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return readExactly(this.#content, this.#buffer.subarray(0, end - start), start);
  }
}
