/** File contents on disk: a 5 GB upload takes no memory and is never copied. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { QuickXorHash } from "../quick_xor_hash.ts";

/** The location of a file version's bytes. Seeded files share one pack file. */
export interface Content {
  readonly file: string;
  readonly start: number;
  readonly length: number;
  /** base64; undefined for an empty file, for which the service reports no hash (PROTOCOL 10). */
  readonly quickXorHash: string | undefined;
  readonly shared: boolean;
}

/** A file being received; each fragment is kept or undone. */
export class Staging {
  readonly file: string;
  #handle: Deno.FsFile;
  #hash = new QuickXorHash();
  #kept = this.#hash.clone();

  constructor(file: string) {
    this.file = file;
    this.#handle = Deno.openSync(file, { createNew: true, write: true, read: true, mode: 0o600 });
  }

  /** Number of bytes kept. */
  get keptBytes(): number {
    return this.#kept.length;
  }

  /** Appends bytes. Synchronous: one system call per chunk and no growing queue. */
  append(chunk: Uint8Array): void {
    let written = 0;
    while (written < chunk.length) written += this.#handle.writeSync(chunk.subarray(written));
    this.#hash.update(chunk);
  }

  /** Keeps the bytes appended so far. */
  keep(): void {
    this.#kept = this.#hash.clone();
  }

  /** Discards the bytes appended since the last {@link Staging.keep}. */
  undo(): void {
    this.#hash = this.#kept.clone();
    this.#handle.truncateSync(this.#kept.length);
    this.#handle.seekSync(this.#kept.length, Deno.SeekMode.Start);
  }

  /** Closes the file and returns it as content. */
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

/** Creates, reads and deletes contents in one private folder. */
export class ContentStore {
  readonly #folder: string;
  /** Whether removed contents stay until {@link ContentStore.deleteRemoved}. */
  readonly #isKept: boolean;
  readonly #removed: string[] = [];
  #count = 0;
  #pack: Uint8Array[] = [];
  #packLength = 0;

  constructor(folder: string, isKept = false) {
    this.#folder = folder;
    this.#isKept = isKept;
    const numbers = [...Deno.readDirSync(folder)].map(({ name }) => parseInt(name)).filter(Number.isFinite);
    this.#count = Math.max(0, ...numbers);
  }

  /** A new empty file for received bytes. */
  stage(): Staging {
    return new Staging(join(this.#folder, `${++this.#count}.bytes`));
  }

  /** Stores bytes. */
  put(bytes: Uint8Array): Content {
    const staging = this.stage();
    staging.append(bytes);
    return staging.finish();
  }

  /** Stores zeros, as a hole. */
  putZeros(length: number): Content {
    const file = join(this.#folder, `${++this.#count}.bytes`);
    using handle = Deno.openSync(file, { createNew: true, write: true, mode: 0o600 });
    handle.truncateSync(length);
    const hash = new QuickXorHash();
    const zeros = new Uint8Array(Math.min(length, 1 << 20));
    for (let left = length; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, left));
    return {
      file,
      start: 0,
      length,
      quickXorHash: length === 0 ? undefined : hash.digest(),
      shared: false,
    };
  }

  /** Buffers content of the seed; {@link ContentStore.writePack} writes it all as one file. */
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

  /** Writes the buffered contents: one write for a thousand small files. */
  writePack(): void {
    if (this.#pack.length === 0) return;
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

  /** The whole content in memory, for tests. */
  async bytes(content: Content): Promise<Uint8Array<ArrayBuffer>> {
    const all = new Uint8Array(content.length);
    let position = 0;
    for await (const chunk of this.read(content)) {
      all.set(chunk, position);
      position += chunk.length;
    }
    return all;
  }

  /** SHA-256 in hex, streamed. Unlike quickXorHash it detects reordered fragments (PROTOCOL E6). */
  async sha256(content: Content): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of this.read(content)) hash.update(chunk);
    return hash.digest("hex");
  }

  /** A hash in upper-case hex. Synchronous because item JSON is; it is rarely needed. */
  hexDigest(content: Content, algorithm: "sha1" | "sha256"): string {
    const hash = createHash(algorithm);
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

  /** Deletes the bytes. Downloads in progress keep their open file. */
  remove(content: Content): void {
    if (content.shared) return;
    if (this.#isKept) this.#removed.push(content.file);
    else deleteFile(content.file);
  }

  /** Deletes the bytes of removed contents that were kept until now. */
  deleteRemoved(): void {
    for (const file of this.#removed.splice(0)) deleteFile(file);
  }
}

/** Deletes a file; its folder may already be gone when the sandbox closes. */
export function deleteFile(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
