/**
 * Keeps the memory of long uploads low.
 *
 * @module
 */

const PRESSURE_BYTES = 64 * 1024 * 1024;
const SMALL_BYTES = 1024 * 1024;
let unreleasedBytes = 0;

/**
 * Lets go of the copies that Deno's fetch made of bytes that were sent. The engine leaves them until some 64 MiB of such
 * buffers have come together; one that is asked for and never touched takes no memory, but makes it collect them now.
 */
export function releaseCopies(sentBytes: number): void {
  unreleasedBytes += sentBytes;
  if (unreleasedBytes < SMALL_BYTES * 8) return;
  unreleasedBytes = 0;
  new ArrayBuffer(PRESSURE_BYTES);
}
