/**
 * The content of an item fetched in order: handed on to a sink, or into a private copy to look at.
 *
 * @module
 */
import type { Hash } from "node:crypto";
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import { writeAll } from "../local/file_operations.ts";
import { type LocalContent, OpenFile } from "../local/local_file.ts";
import { openSpool } from "../local/spool.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import { type DownloadTarget, fetchMissing, type FetchOptions } from "./ranged.ts";
import { ByteRanges } from "./ranges.ts";
import type { RemoteContent } from "./remote_content.ts";

/** Takes the bytes of a download in order. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

/** What was handed on. `sha256` is in hex, and only computed where the content may differ from what the service states. */
export interface InOrderContent {
  bytes: number;
  quickXorHash: string;
  sha256: string | undefined;
}

/** A private copy of an item's content. */
export interface PrivateCopy extends Disposable {
  content: LocalContent;
  quickXorHash: string;
  sha256: string;
}

/** Downloads a copy into a private temporary file that is gone when it is disposed of. */
export async function fetchPrivateCopy(
  { settings }: Pick<Connection, "settings">,
  remote: RemoteContent,
): Promise<PrivateCopy> {
  const file = await openSpool(join(settings.state, "spool"));
  try {
    const written = await fetchInOrder(remote, (bytes) => writeAll(file, bytes), {}, true, async () => {
      await file.seek(0, Deno.SeekMode.Start);
      await file.truncate(0);
    });
    const { bytes, quickXorHash, sha256 } = written;
    const content = new OpenFile(
      file,
      { path: "-", name: remote.item.name, size: bytes, modified: null },
      false,
    );
    return { content, quickXorHash, sha256: sha256!, [Symbol.dispose]: () => content[Symbol.dispose]() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Fetches content in order over one connection.
 *
 * @param restart Takes back what was written, given the number of bytes, or throws.
 */
export async function fetchInOrder(
  content: RemoteContent,
  sink: ByteSink,
  options: Pick<FetchOptions, "onProgress">,
  withSha256: boolean,
  restart: (bytes: number) => Promise<void>,
): Promise<InOrderContent> {
  const { createHash } = await import("node:crypto");
  const newHashes = () => ({
    quickXor: new QuickXorHash(),
    sha256: withSha256 ? createHash("sha256") : undefined as Hash | undefined,
  });
  let hashes = newHashes();
  const ranges = new ByteRanges();
  let totalBytes = content.item.size;
  const target: DownloadTarget = {
    ranges,
    get totalBytes() {
      return totalBytes;
    },
    announce: (bytes) => void (totalBytes = bytes),
    openWriter: () => ({
      seek() {},
      flush: () => Promise.resolve(),
      async write(bytes) {
        const position = ranges.total;
        await sink(bytes);
        hashes.quickXor.add(bytes, position);
        hashes.sha256?.update(bytes);
        ranges.add(position, position + bytes.length);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
    async restart() {
      await restart(ranges.total);
      ranges.clear();
      totalBytes = content.item.size;
      hashes = newHashes();
    },
  };
  await fetchMissing(content, target, options);
  const { quickXor, sha256 } = hashes;
  return { bytes: ranges.total, quickXorHash: quickXor.digest(), sha256: sha256?.digest("hex") };
}
