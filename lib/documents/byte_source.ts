/**
 * Reading bytes at any position, with bounded memory however large a document is.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";

const WINDOW_BYTES = 64 * 1024;

/** Content of known length, such as a local file. */
export interface ByteSource {
  readonly size: number;
  /** Reads the bytes from `position` on into `buffer`; returns how many there were. */
  read(buffer: Uint8Array, position: number): Promise<number>;
}

/** Thrown when a document is not what its own structure says: cut short, damaged, or something else altogether. */
export class BrokenDocument extends Error {
  override readonly name = "BrokenDocument";
}

/** The same bytes; reading them ends with the signal. */
export function interruptible(source: ByteSource, signal: AbortSignal | undefined): ByteSource {
  return {
    size: source.size,
    async read(buffer, position) {
      throwIfAborted(signal);
      return await source.read(buffer, position);
    },
  };
}

/** Bytes of a source by position, read in larger pieces. */
export class ByteWindow {
  readonly size: number;
  readonly #source: ByteSource;
  readonly #buffer = new Uint8Array(WINDOW_BYTES);
  #start = 0;
  #filled = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.size = source.size;
  }

  /** Returns `length` bytes, which are valid until the next call; throws `BrokenDocument` where there are fewer. */
  async at(position: number, length: number): Promise<DataView<ArrayBuffer>> {
    const bytes = await this.from(position, length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  /** Returns at least `least` bytes from a position on, and as many more as the window holds. */
  async from(position: number, least = 1): Promise<Uint8Array<ArrayBuffer>> {
    if (position + least > this.size) throw new BrokenDocument("it ends before its structure does");
    if (position < this.#start || position + least > this.#start + this.#filled) {
      this.#start = position;
      this.#filled = await this.#source.read(this.#buffer, position);
      if (this.#filled < least) throw new BrokenDocument("it became shorter while it was read");
    }
    return this.#buffer.subarray(position - this.#start, this.#filled);
  }
}

/** Reads a range into memory; the caller bounds its length. */
export async function readRange(
  source: ByteSource,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  if (position < 0 || position + length > source.size || await source.read(bytes, position) < length) {
    throw new BrokenDocument("it ends before its structure does");
  }
  return bytes;
}

/** Whether two sources hold the same bytes. */
export async function isSameContent(
  a: ByteSource,
  b: ByteSource,
  signal?: AbortSignal,
): Promise<boolean> {
  if (a.size !== b.size) return false;
  const windows = [a, b].map((source) => new ByteWindow(interruptible(source, signal)));
  for (let done = 0; done < a.size;) {
    const [left, right] = await Promise.all(windows.map((window) => window.from(done)));
    const count = Math.min(left!.length, right!.length);
    for (let i = 0; i < count; i++) if (left![i] !== right![i]) return false;
    done += count;
  }
  return true;
}
