/** quickXorHash as the service computes it, written from PROTOCOL 10.1. */

const REGISTER_BITS = 160;
const SHIFT_BITS = 11;

/**
 * Streaming quickXorHash. Byte i is shifted by 11·i mod 160. Bytes whose positions agree modulo 160 share a shift,
 * so they are XORed first and rotated once, in {@link QuickXorHash.digest}.
 */
export class QuickXorHash {
  /** 160 bytes: the XOR of all bytes by position modulo 160. */
  #columns: Uint32Array<ArrayBuffer>;
  #length: number;

  constructor(columns: Uint32Array<ArrayBuffer> = new Uint32Array(40), length = 0) {
    this.#columns = columns;
    this.#length = length;
  }

  /** Bytes seen so far. */
  get length(): number {
    return this.#length;
  }

  /** An independent copy, to restore when a fragment is incomplete. */
  clone(): QuickXorHash {
    return new QuickXorHash(this.#columns.slice(), this.#length);
  }

  /** Adds the next bytes. */
  update(bytes: Uint8Array): this {
    const offset = this.#length % REGISTER_BITS;
    // A zero-padded copy: whole rows of 160 bytes, aligned to words whatever the chunk's alignment.
    const rows = Math.ceil((offset + bytes.length) / REGISTER_BITS);
    const padded = new Uint8Array(rows * REGISTER_BITS);
    padded.set(bytes, offset);
    const words = new Uint32Array(padded.buffer);
    const columns = this.#columns;
    for (let row = 0; row < words.length; row += 40) {
      for (let i = 0; i < 40; i++) columns[i]! ^= words[row + i]!;
    }
    this.#length += bytes.length;
    return this;
  }

  /** The hash so far: 20 bytes in base64. More bytes may follow. */
  digest(): string {
    const out = new Uint8Array(REGISTER_BITS / 8);
    const bytes = new Uint8Array(this.#columns.buffer);
    for (let i = 0; i < REGISTER_BITS; i++) {
      const shift = (i * SHIFT_BITS) % REGISTER_BITS;
      const low = shift >> 3;
      const spread = bytes[i]! << (shift & 7);
      out[low]! ^= spread & 0xff;
      out[(low + 1) % out.length]! ^= spread >> 8;
    }
    const view = new DataView(out.buffer);
    view.setBigUint64(12, view.getBigUint64(12, true) ^ BigInt(this.#length), true);
    return btoa(String.fromCharCode(...out));
  }
}
