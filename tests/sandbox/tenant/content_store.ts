/** The bytes of all files, on disk: a 5 GB upload costs no memory and is never copied a second time. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { QuickXorHash } from "../quick_xor_hash.ts";

/** Where the bytes of one file version lie. Seeded files share one pack file. */
export interface Content {
  readonly file: string;
  readonly start: number;
  readonly length: number;
  /** base64, or undefined for an empty file: the service gives those no hash (PROTOCOL 10). */
  readonly quickXorHash: string | undefined;
  readonly shared: boolean;
}

/** A file being received. Appends are kept or undone fragment by fragment. */
export class Staging {
  readonly file: string;
  #handle: Deno.FsFile;
  #hash = new QuickXorHash();
  #kept = this.#hash.clone();

  constructor(file: string) {
    this.file = file;
    this.#handle = Deno.openSync(file, { createNew: true, write: true, read: true, mode: 0o600 });
  }

  /** Bytes that are safely kept. */
  get keptBytes(): number {
    return this.#kept.length;
  }

  /** Writes the next bytes. Synchronous on purpose: one system call a chunk, and no queue to grow. */
  append(chunk: Uint8Array): void {
    let written = 0;
    while (written < chunk.length) written += this.#handle.writeSync(chunk.subarray(written));
    this.#hash.update(chunk);
  }

  /** Everything appended so far stays. */
  keep(): void {
    this.#kept = this.#hash.clone();
  }

  /** Forgets what was appended since the last {@link Staging.keep}. */
  undo(): void {
    this.#hash = this.#kept.clone();
    this.#handle.truncateSync(this.#kept.length);
    this.#handle.seekSync(this.#kept.length, Deno.SeekMode.Start);
  }

  /** Closes the file and hands it over as finished content. */
  finish(): Content {
    this.keep();
    this.#handle.close();
    const length = this.#hash.length;
    const quickXorHash = length === 0 ? undefined : this.#hash.digest();
    return { file: this.file, start: 0, length, quickXorHash, shared: false };
  }

  /** Closes and deletes the file. */
  discard(): void {
    this.#handle.close();
    deleteFile(this.file);
  }
}

/** Makes, reads and deletes contents below one private folder. */
export class ContentStore {
  #folder: string;
  #count = 0;
  #pack: Uint8Array[] = [];
  #packLength = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A new empty file to receive bytes into. */
  stage(): Staging {
    return new Staging(join(this.#folder, `${++this.#count}.bytes`));
  }

  /** Content made of bytes at hand. */
  put(bytes: Uint8Array): Content {
    const staging = this.stage();
    staging.append(bytes);
    return staging.finish();
  }

  /** Content of the seed: gathered, then written as one file by {@link ContentStore.writePack}. */
  putInPack(bytes: Uint8Array): Content {
    const content = {
      file: join(this.#folder, "seed.pack"),
      start: this.#packLength,
      length: bytes.length,
      quickXorHash: bytes.length === 0 ? undefined : new QuickXorHash().update(bytes).digest(),
      shared: true,
    };
    this.#pack.push(bytes);
    this.#packLength += bytes.length;
    return content;
  }

  /** Writes what {@link ContentStore.putInPack} gathered: a thousand small files cost one write. */
  writePack(): void {
    const handle = Deno.openSync(join(this.#folder, "seed.pack"), {
      createNew: true,
      write: true,
      mode: 0o600,
    });
    const all = new Uint8Array(this.#packLength);
    let position = 0;
    for (const bytes of this.#pack) {
      all.set(bytes, position);
      position += bytes.length;
    }
    for (let written = 0; written < all.length;) written += handle.writeSync(all.subarray(written));
    handle.close();
    this.#pack = [];
  }

  /** The bytes in chunks. */
  async *read(content: Content): AsyncGenerator<Uint8Array> {
    using handle = await Deno.open(content.file);
    await handle.seek(content.start, Deno.SeekMode.Start);
    let left = content.length;
    while (left > 0) {
      const chunk = new Uint8Array(Math.min(left, 1 << 20));
      const count = await handle.read(chunk);
      if (count === null) throw new Error(`${content.file} is shorter than recorded`);
      left -= count;
      yield chunk.subarray(0, count);
    }
  }

  /** The whole content in memory, for comparisons in tests. */
  async bytes(content: Content): Promise<Uint8Array<ArrayBuffer>> {
    const all = new Uint8Array(content.length);
    let position = 0;
    for await (const chunk of this.read(content)) {
      all.set(chunk, position);
      position += chunk.length;
    }
    return all;
  }

  /** SHA-256 in hex, streamed. quickXorHash cannot see reordered fragments (PROTOCOL E6), this can. */
  async sha256(content: Content): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of this.read(content)) hash.update(chunk);
    return hash.digest("hex");
  }

  /** SHA-1 in upper-case hex. Synchronous: the JSON of an item is made in one go, and asked for rarely. */
  sha1(content: Content): string {
    const hash = createHash("sha1");
    using handle = Deno.openSync(content.file);
    handle.seekSync(content.start, Deno.SeekMode.Start);
    const chunk = new Uint8Array(1 << 20);
    for (let left = content.length; left > 0;) {
      const count = handle.readSync(chunk.subarray(0, Math.min(left, chunk.length)));
      if (count === null) throw new Error(`${content.file} is shorter than recorded`);
      hash.update(chunk.subarray(0, count));
      left -= count;
    }
    return hash.digest("hex").toUpperCase();
  }

  /** Deletes the bytes. A download that is under way keeps its open file. */
  remove(content: Content): void {
    if (!content.shared) deleteFile(content.file);
  }
}

/** Deletes a file, unless the whole folder has already gone with the end of the sandbox. */
export function deleteFile(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
