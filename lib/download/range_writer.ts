/**
 * Gathers small chunks into large writes, but not for long, so that a kill on a slow network loses little.
 *
 * @module
 */
import type { TargetWriter } from "../content/ranged.ts";

const BUFFER_BYTES = 1024 * 1024;
const MAX_HOLD_MS = 250;

/** Writes consecutive bytes through a file handle of its own. */
export class RangeWriter implements TargetWriter {
  readonly #path: string;
  readonly #write: (file: Deno.FsFile, bytes: Uint8Array, position: number) => Promise<void>;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #file: Deno.FsFile | undefined;
  #position = 0;
  #filled = 0;
  #since = 0;

  /** @param write Writes all bytes at a position. */
  constructor(
    path: string,
    write: (file: Deno.FsFile, bytes: Uint8Array, position: number) => Promise<void>,
  ) {
    this.#path = path;
    this.#write = write;
  }

  /** Continues at another position; nothing may be buffered. */
  seek(position: number): void {
    this.#position = position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#filled === 0) this.#since = performance.now();
      const next = bytes.subarray(at, at + BUFFER_BYTES - this.#filled);
      this.#buffer.set(next, this.#filled);
      this.#filled += next.length;
      at += next.length;
      const heldMs = performance.now() - this.#since;
      if (this.#filled === BUFFER_BYTES || heldMs >= MAX_HOLD_MS) await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0; // a failed write is not repeated
    this.#file ??= await Deno.open(this.#path, { read: true, write: true });
    await this.#write(this.#file, bytes, this.#position);
    this.#position += bytes.length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#file?.close();
    return Promise.resolve();
  }
}
