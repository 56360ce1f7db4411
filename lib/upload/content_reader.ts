/**
 * Reads local content for an upload, fragment by fragment, and hashes it on the way.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";
import { type LocalContent, readExactly } from "../local/local_file.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import type { FragmentSize } from "./fragment_size.ts";

/** Reads into two buffers in turn: while one fragment is sent, the next one is read. */
export class ContentReader {
  /** Of the content from its first byte on. */
  readonly hash = new QuickXorHash();
  /** Of the next fragment that is read. */
  readonly size: FragmentSize;
  readonly #content: LocalContent;
  readonly #signal: AbortSignal | undefined;
  #buffer = new Uint8Array();
  #otherBuffer = new Uint8Array();
  #ahead: { start: number; bytes: Promise<Uint8Array<ArrayBuffer>> } | undefined;

  /** @param signal Ends the reading of what was sent before, which may take minutes. */
  constructor(content: LocalContent, size: FragmentSize, signal: AbortSignal | undefined) {
    this.#content = content;
    this.size = size;
    this.#signal = signal;
  }

  /** The fragment that starts at a byte: of full size, or what is left of the content. Valid until the next one is read ahead. */
  async fragment(start: number): Promise<Uint8Array<ArrayBuffer>> {
    const ahead = this.#ahead;
    const bytes = await ahead?.bytes; // even if it is another one: two reads at once would mix their positions
    this.#ahead = undefined;
    const wanted = Math.min(this.#content.size - start, this.size.bytes);
    if (bytes && ahead?.start === start && bytes.length >= wanted) return bytes.subarray(0, wanted);
    await this.hashUpTo(start);
    return await this.#readFragment(start, this.size.bytes);
  }

  /** Starts to read the fragment at a byte, which is most likely the next one; a failure is thrown when that is asked for. */
  readAhead(start: number, maxBytes: number): void {
    if (start >= this.#content.size) return;
    const bytes = this.#readFragment(start, maxBytes);
    bytes.catch(() => {});
    this.#ahead = { start, bytes };
  }

  /** Waits until nothing is being read. */
  async settle(): Promise<void> {
    await this.#ahead?.bytes.catch(() => {}); // nobody needs this fragment any more
  }

  /** Hashes what an earlier run has sent. */
  async hashUpTo(end: number): Promise<void> {
    while (this.hash.length < end) {
      throwIfAborted(this.#signal);
      const start = this.hash.length;
      this.#addToHash(await this.#read(start, Math.min(start + this.size.bytes, end)), start);
    }
  }

  /** A fragment that is sent again was hashed before. */
  #addToHash(bytes: Uint8Array, start: number): void {
    const hashed = this.hash.length;
    if (start + bytes.length > hashed) this.hash.add(bytes.subarray(hashed - start), hashed);
  }

  async #readFragment(start: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#read(start, Math.min(start + maxBytes, this.#content.size));
    this.#addToHash(bytes, start);
    return bytes;
  }

  #read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = end - start;
    [this.#buffer, this.#otherBuffer] = [this.#otherBuffer, this.#buffer];
    if (this.#buffer.length !== bytes) this.#buffer = new Uint8Array(bytes);
    return readExactly(this.#content, this.#buffer, start);
  }
}
