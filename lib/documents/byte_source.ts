/**
 * Reading bytes at any position, with bounded memory however large a document is.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";

const READ_BYTES = 64 * 1024;

/** Content of known length, such as a local file. */
export interface ByteSource {
  readonly size: number;
  /** Fills `buffer` from `position` on, as far as the content reaches; returns the number of bytes. */
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

/** Reads a range into memory; the caller bounds its length. Throws `BrokenDocument` where there are fewer bytes. */
export async function readRange(
  source: ByteSource,
  position: number,
  length: number,
): Promise<DataView<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  if (position < 0 || position + length > source.size || await source.read(bytes, position) < length) {
    throw new BrokenDocument("it ends before its structure does");
  }
  return new DataView(bytes.buffer);
}

/** A range in pieces, to read it with bounded memory. */
export async function* readPieces(
  source: ByteSource,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const end = start + length;
  for (let at = start; at < end; at += READ_BYTES) {
    yield new Uint8Array((await readRange(source, at, Math.min(READ_BYTES, end - at))).buffer);
  }
}

/** Whether two sources hold the same bytes, each from a position to its end. */
export async function isSameContent(a: ByteSource, b: ByteSource, startA = 0, startB = 0): Promise<boolean> {
  const length = a.size - startA;
  if (b.size - startB !== length) return false;
  const others = readPieces(b, startB, length);
  for await (const piece of readPieces(a, startA, length)) {
    const { value: other } = await others.next();
    if (piece.some((byte, index) => byte !== other![index])) return false;
  }
  return true;
}
