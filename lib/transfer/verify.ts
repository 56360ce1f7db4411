/**
 * Whether what arrived is what was sent.
 *
 * @module
 */
import type { Hash } from "node:crypto";
import { enrichedKind } from "./enrichment.ts";
import { interruptedError } from "../abort.ts";
import { localChangedError, type LocalContent } from "../local/local_file.ts";
import { QuickXorHash } from "./quick_xor_hash.ts";

const READ_BYTES = 1024 * 1024;

/**
 * - `verified`: size and QuickXorHash are equal;
 * - `enriched`: the service is known to change such files, and what is there was shown to be the same document, or, when it
 *   was downloaded, to come the same twice and to be whole;
 * - `unverified`: nothing can prove that it is the same: the service gives no hash, or it changes such files and they have
 *   no structure to check; or nothing was compared, for a skipped file.
 */
export type Verdict = "verified" | "enriched" | "unverified";

/** Whether SharePoint may store this file differently from what was uploaded. */
export function mayBeRewritten(name: string, driveType: string): boolean {
  return enrichedKind("uploads", name, driveType) !== undefined;
}

/** What {@linkcode compareContent} compares. */
export interface Content {
  size: number;
  /** QuickXorHash in base64; `null` when unknown. */
  hash: string | null;
}

/** Compares content with what the service states; `unverified`: the size is equal, and there is no hash. */
export function compareContent(local: Content, remote: Content): "verified" | "unverified" | "different" {
  if (local.size !== remote.size) return "different";
  if (local.size === 0) return "verified"; // empty files have no hash
  if (remote.hash === null) return "unverified";
  return local.hash === remote.hash ? "verified" : "different";
}

/** Reads content from its first to its last byte. @param signal Ends the reading. */
export async function hashContent(
  content: Pick<LocalContent, "read">,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; quickXorHash: string }> {
  const hash = new QuickXorHash();
  const buffer = new Uint8Array(READ_BYTES);
  for (let count; (count = await content.read(buffer, hash.length)) > 0;) {
    if (signal?.aborted) throw interruptedError(signal);
    hash.add(buffer.subarray(0, count), hash.length);
  }
  return { bytes: hash.length, quickXorHash: hash.digest() };
}

/**
 * Checks that local content is as it was when it was opened.
 *
 * @param quickXorHash Of all that was read of it.
 * @throws {GraphError} `conflict`, code `localChanged`.
 */
export async function checkUnchanged(
  content: LocalContent,
  quickXorHash: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const state = await content.state();
  if (state === "unchanged") return;
  if (state === "touched" && (await hashContent(content, signal)).quickXorHash === quickXorHash) return;
  throw localChangedError(`${content.path} changed during the upload`);
}

/** Both hashes of content that passes by in order; parts seen before are left out. */
export class ContentHash {
  readonly #quickXor = new QuickXorHash();
  readonly #sha256: Hash;

  private constructor(sha256: Hash) {
    this.#sha256 = sha256;
  }

  /** Loads the hash functions of Node, which take 25 ms that only transfers should pay. */
  static async create(): Promise<ContentHash> {
    const { createHash } = await import("node:crypto");
    return new ContentHash(createHash("sha256"));
  }

  /** Reads a local content from its beginning to its end. @param signal Ends the reading. */
  static async of(
    content: Pick<LocalContent, "read">,
    signal: AbortSignal | undefined,
  ): Promise<{ bytes: number; quickXorHash: string; sha256: string }> {
    const hash = await ContentHash.create();
    const buffer = new Uint8Array(READ_BYTES);
    for (let count; (count = await content.read(buffer, hash.position)) > 0;) {
      if (signal?.aborted) throw interruptedError(signal);
      hash.add(buffer.subarray(0, count), hash.position);
    }
    return { bytes: hash.position, ...hash.digest() };
  }

  /** How far the content is hashed, in bytes from its beginning. */
  get position(): number {
    return this.#quickXor.length;
  }

  /** @param position Where the bytes stand; it must not lie beyond {@linkcode ContentHash.position}. */
  add(bytes: Uint8Array, position: number): void {
    if (position > this.position) {
      throw new RangeError(`gap in hashed content: at ${this.position}, given ${position}`);
    }
    const fresh = bytes.subarray(Math.min(bytes.length, this.position - position));
    if (fresh.length === 0) return;
    this.#sha256.update(fresh);
    this.#quickXor.add(fresh, this.position);
  }

  /** QuickXorHash in base64 of what was added so far. */
  quickXorHash(): string {
    return this.#quickXor.digest();
  }

  /** QuickXorHash in base64, SHA-256 in hex, of what was added so far. */
  digest(): { quickXorHash: string; sha256: string } {
    return { quickXorHash: this.#quickXor.digest(), sha256: this.#sha256.copy().digest("hex") };
  }
}
