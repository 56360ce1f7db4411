/**
 * Reads local content for an upload, fragment by fragment, and hashes it on the way.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";
import { type LocalContent, readExactly } from "../local/local_file.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import { FRAGMENT_UNIT_BYTES } from "./protocol.ts";

/** Reads into one buffer, which the next read overwrites. */
export class ContentReader {
  /** Of the content from its first byte on. */
  readonly hash = new QuickXorHash();
  readonly #content: LocalContent;
  readonly #signal: AbortSignal | undefined;
  #buffer: Uint8Array<ArrayBuffer>;

  /** @param signal Ends the reading of what was sent before, which may take minutes. */
  constructor(content: LocalContent, fragmentBytes: number, signal: AbortSignal | undefined) {
    this.#content = content;
    this.#signal = signal;
    this.#buffer = new Uint8Array(Math.min(fragmentBytes, content.size));
  }

  /** Halves the fragments, to a multiple of 320 KiB: over a slow connection each takes less time. */
  shrinkFragments(): void {
    const units = Math.max(1, Math.floor(this.#buffer.length / 2 / FRAGMENT_UNIT_BYTES));
    this.#buffer = this.#buffer.subarray(0, units * FRAGMENT_UNIT_BYTES);
  }

  /** The fragment that starts at a byte: of full size, or what is left of the content. */
  async fragment(start: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.hashUpTo(start);
    const bytes = await this.#read(start, this.#content.size);
    this.#addToHash(bytes, start);
    return bytes;
  }

  /** Hashes what an earlier run has sent. */
  async hashUpTo(end: number): Promise<void> {
    while (this.hash.length < end) {
      throwIfAborted(this.#signal);
      const start = this.hash.length;
      this.#addToHash(await this.#read(start, end), start);
    }
  }

  /** A fragment that is sent again was hashed before. */
  #addToHash(bytes: Uint8Array, start: number): void {
    const hashed = this.hash.length;
    if (start + bytes.length > hashed) this.hash.add(bytes.subarray(hashed - start), hashed);
  }

  #read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return readExactly(this.#content, this.#buffer.subarray(0, end - start), start);
  }
}
