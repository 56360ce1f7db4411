/**
 * The content of an item fetched in order: written to a sink, or into a private copy for comparison.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { type LocalContent, openContent, writeAll } from "../local/local_file.ts";
import { openSpool } from "../local/spool.ts";
import { join } from "../std.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import type { OnProgress } from "../transfer/result.ts";
import { fetchMissing } from "./ranged.ts";
import { ByteRanges } from "./ranges.ts";
import type { RemoteContent } from "./remote_content.ts";

/** Takes the bytes of a download in order. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

/** What was written. `sha256` is in hex, and only computed where the content may differ from what the service states. */
export interface InOrderContent {
  bytes: number;
  quickXorHash: string;
  sha256: string | undefined;
}

/** A private copy of an item's content. */
export interface PrivateCopy extends InOrderContent, Disposable {
  content: LocalContent;
}

/** Downloads a copy into a private temporary file that is gone when it is disposed of. */
export async function fetchPrivateCopy(
  { settings }: Pick<Connection, "settings">,
  remote: RemoteContent,
): Promise<PrivateCopy> {
  const file = await openSpool(join(settings.state, "spool"));
  try {
    const written = await fetchInOrder(
      remote,
      (bytes) => writeAll(file, bytes),
      true,
      async () => {
        await file.seek(0, Deno.SeekMode.Start);
        await file.truncate(0);
      },
    );
    const info = { path: "-", name: remote.item.name, size: written.bytes, modified: null };
    const content = openContent(file, info, false);
    return { ...written, content, [Symbol.dispose]: () => content[Symbol.dispose]() };
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
  withSha256: boolean,
  restart: (bytes: number) => Promise<void>,
  onProgress?: OnProgress,
): Promise<InOrderContent> {
  const { createHash } = await import("node:crypto");
  const newSha256 = () => withSha256 ? createHash("sha256") : undefined;
  let quickXor = new QuickXorHash();
  let sha256 = newSha256();
  const ranges = new ByteRanges();
  const writer = {
    seek() {},
    async write(bytes: Uint8Array) {
      const position = ranges.total;
      await sink(bytes);
      quickXor.add(bytes, position);
      sha256?.update(bytes);
      ranges.add(position, position + bytes.length);
    },
    flush: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const target = {
    ranges,
    totalBytes: content.item.size,
    announce: (bytes: number) => void (target.totalBytes = bytes),
    openWriter: () => writer,
    async restart() {
      await restart(ranges.total);
      ranges.clear();
      target.totalBytes = content.item.size;
      quickXor = new QuickXorHash();
      sha256 = newSha256();
    },
  };
  await fetchMissing(content, target, 1, onProgress);
  return { bytes: ranges.total, quickXorHash: quickXor.digest(), sha256: sha256?.digest("hex") };
}
