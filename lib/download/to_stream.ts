/**
 * Downloads whose bytes are handed on in order and cannot be taken back, and private copies to look at.
 *
 * @module
 */
import type { Hash } from "node:crypto";
import { join } from "../std.ts";
import type { Connection } from "../connect.ts";
import { GraphError } from "../errors.ts";
import { type DownloadTarget, fetchMissing, type FetchOptions } from "./ranged.ts";
import { writeAll } from "../local/file_operations.ts";
import { type LocalContent, OpenFile } from "../local/local_file.ts";
import { openSpool } from "../local/spool.ts";
import { ByteRanges } from "./ranges.ts";
import type { RemoteContent } from "./remote_content.ts";
import { damagedError } from "../transfer/result.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import type { Verdict } from "../transfer/verify.ts";
import {
  type CopyVerdict,
  damaged,
  describeEnrichment,
  describeMismatch,
  FOREIGN,
  judgeCopy,
  UNSTABLE,
} from "./verdict.ts";

/** Takes the bytes of a download in order. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

/** What was handed on. `sha256` is in hex, and only computed where the content may differ from what the service states. */
interface Written {
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

/**
 * Downloads into a sink, over one connection. An interrupted response is resumed; content that changes is an error.
 *
 * @throws {GraphError} `damaged` when the bytes are not what the service states; `conflict`, code `resumeImpossible`.
 */
export async function downloadToSink(
  connection: Connection,
  content: RemoteContent,
  sink: ByteSink,
  options: Pick<FetchOptions, "onProgress">,
): Promise<{ bytes: number; verdict: Verdict }> {
  const written = await fetchInOrder(content, sink, options, content.enrichedKind !== undefined, (bytes) => {
    if (bytes > 0) throw resumeImpossible(content);
    return Promise.resolve();
  });
  const { bytes, quickXorHash } = written;
  const judged = await judgeWritten(connection, content, written);
  if (judged.verdict === "damaged") {
    throw damagedError(
      describeMismatch(bytes, quickXorHash, content, judged.why),
      "what was written to standard output must not be used",
    );
  }
  const { verdict } = judged;
  if (content.compare(bytes, quickXorHash) === "different") {
    connection.notice(describeEnrichment(bytes, verdict, content));
  }
  return { bytes, verdict };
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

/** @param restart Takes back what was written, given the number of bytes, or throws. */
async function fetchInOrder(
  content: RemoteContent,
  sink: ByteSink,
  options: Pick<FetchOptions, "onProgress">,
  withSha256: boolean,
  restart: (bytes: number) => Promise<void>,
): Promise<Written> {
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

/**
 * Judges what was written, by a second copy if it is not what the service states. The two are compared by SHA-256: the
 * first is gone, and QuickXorHash does not see blocks of 320 KiB in the wrong order (PROTOCOL 10.1).
 */
async function judgeWritten(
  connection: Connection,
  content: RemoteContent,
  { bytes, quickXorHash, sha256 }: Written,
): Promise<CopyVerdict> {
  const compared = content.compare(bytes, quickXorHash);
  if (compared !== "different") return { verdict: compared };
  const { isForeign } = content;
  await content.refresh();
  if (content.compare(bytes, quickXorHash) === "verified") return { verdict: "verified" };
  if (content.enrichedKind === undefined) return damaged("the service is not known to change such files");
  using copy = await fetchPrivateCopy(connection, content);
  if (isForeign || content.isForeign) return damaged(FOREIGN);
  if (copy.sha256 !== sha256) return damaged(UNSTABLE);
  return await judgeCopy(content, copy.content, connection.storage.http.signal);
}

function resumeImpossible({ item }: RemoteContent): GraphError {
  return new GraphError(
    "conflict",
    `the download of ${item.path} cannot be resumed: the file changed, or the service ignores ranges`,
    { code: "resumeImpossible", hint: "what was written must not be used; run the same command again" },
  );
}
