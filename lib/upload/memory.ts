/**
 * Keeps the memory of long uploads low.
 *
 * @module
 */

const PRESSURE_BYTES = 64 * 1024 * 1024;
const COLLECT_AT_BYTES = 8 * 1024 * 1024;

/**
 * Lets go of the copies that Deno's fetch makes of bytes that are sent. The engine leaves them until some 64 MiB of such
 * buffers have come together; one that is asked for and never touched takes no memory, but makes it collect them now.
 */
export class SentCopies {
  #bytes = 0;

  /** So many bytes were sent. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < COLLECT_AT_BYTES) return;
    this.#bytes = 0;
    new ArrayBuffer(PRESSURE_BYTES);
  }
}
