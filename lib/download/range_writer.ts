/**
 * Writes what one connection brings into the partial file: small chunks are gathered, for one large write costs as much
 * as a small one, but not for long, so that a slow line loses no more than a fast one.
 *
 * @module
 */
import { interruptedError } from "../abort.ts";
import type { PartialFile } from "./partial_file.ts";

const WRITE_BYTES = 1024 * 1024;
const MAX_HOLD_MS = 250;

/** The place of one connection in a partial file. */
export class RangeWriter {
  readonly #partial: PartialFile;
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  #file: Deno.FsFile | undefined;
  #position = 0;
  #filled = 0;
  #since = 0;

  constructor(partial: PartialFile) {
    this.#partial = partial;
  }

  /** Goes to where the next bytes belong. */
  async seek(position: number): Promise<void> {
    await this.flush();
    this.#position = position;
  }

  /** Forgets what is not written yet. */
  drop(): void {
    this.#filled = 0;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#filled === 0) this.#since = performance.now();
      const part = bytes.subarray(at, at + WRITE_BYTES - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      const held = performance.now() - this.#since;
      if (this.#filled === WRITE_BYTES || held >= MAX_HOLD_MS) await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    this.#file ??= await Deno.open(this.#partial.place.path, { write: true });
    const bytes = this.#buffer.subarray(0, this.#filled);
    await this.#partial.write(this.#file, bytes, this.#position);
    this.#position += bytes.length;
    this.#filled = 0;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Copies the first bytes of a local file into the partial file. */
export async function copyInto(partial: PartialFile, path: string, bytes: number): Promise<void> {
  using file = await Deno.open(path);
  const { signal } = partial.place;
  const writer = new RangeWriter(partial);
  const buffer = new Uint8Array(WRITE_BYTES);
  try {
    for (let left = bytes; left > 0;) {
      if (signal?.aborted) throw interruptedError(signal);
      const count = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
      if (count === null) break; // it became shorter: the hash tells
      await writer.write(buffer.subarray(0, count));
      left -= count;
    }
    await writer.flush();
  } finally {
    writer.close();
  }
}
