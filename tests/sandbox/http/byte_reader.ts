/** Reads lines and bytes from a connection through one reused buffer. */

import { ConnectionLost } from "../messages.ts";

const BUFFER_BYTES = 256 * 1024;

export class ByteReader {
  readonly #connection: Deno.Conn;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #start = 0;
  #end = 0;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Between one and `max` bytes, valid until the next call. @throws {ConnectionLost} at the end */
  async some(max: number): Promise<Uint8Array> {
    if (this.#start === this.#end) await this.#fill();
    const chunk = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + max));
    this.#start += chunk.length;
    return chunk;
  }

  /** The bytes up to the next `\r\n` as Latin-1 text, without it. @throws {LineTooLong} */
  async line(limitBytes: number): Promise<string> {
    let text = "";
    for (;;) {
      if (this.#start === this.#end) await this.#fill();
      const newline = this.#buffer.indexOf(10, this.#start);
      const end = newline >= 0 && newline < this.#end ? newline + 1 : this.#end;
      text += latin1(this.#buffer.subarray(this.#start, end));
      this.#start = end;
      if (text.endsWith("\n")) return text.replace(/\r?\n$/, "");
      if (text.length > limitBytes) throw new LineTooLong();
    }
  }

  async #fill(): Promise<void> {
    this.#start = 0;
    this.#end = 0;
    let count: number | null;
    try {
      count = await this.#connection.read(this.#buffer);
    } catch (error) {
      throw new ConnectionLost("the connection broke", { cause: error });
    }
    if (count === null) throw new ConnectionLost("the client closed the connection");
    this.#end = count;
  }
}

/** A request head larger than any honest client sends. */
export class LineTooLong extends Error {
  override name = "LineTooLong";
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  // In slices: the number of arguments is limited.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
