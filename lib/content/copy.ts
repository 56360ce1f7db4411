/**
 * Copies of an item's content that are fetched in order, and the verdict on a copy that differs from what the service
 * states.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { BrokenDocument, type ByteSource, interruptible } from "../documents/byte_source.ts";
import { checkStructure } from "../documents/structure.ts";
import { createSpool, type LocalContent, writeAll } from "../local/local_file.ts";
import { join } from "../std.ts";
import { QuickXorHash } from "../transfer/quick_xor_hash.ts";
import { damagedError, type OnProgress } from "../transfer/result.ts";
import type { Verdict } from "../transfer/verify.ts";
import { fetchMissing } from "./ranged.ts";
import { ByteRanges } from "./ranges.ts";
import type { RemoteContent } from "./remote_content.ts";

/** Takes the bytes of a download in order. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>;

/** What was written; `sha256` is in hex. */
export interface InOrderContent {
  bytes: number;
  quickXorHash: string;
  sha256: string;
}

interface PrivateCopy extends InOrderContent, Disposable {
  content: LocalContent;
}

/** A verdict on a copy. */
export type CopyVerdict = { verdict: Verdict } | { verdict: "damaged"; why: string };

/** The verdict on content that is incomplete or wrong. */
export function damaged(why: string): CopyVerdict {
  return { verdict: "damaged", why };
}

/** On content that no known change by the service explains. */
export const UNEXPLAINED = damaged("the service is not known to change such files");

/** Downloads a copy into a private temporary file that is gone when it is disposed of. */
export async function fetchPrivateCopy(
  { settings }: Pick<Connection, "settings">,
  remote: RemoteContent,
): Promise<PrivateCopy> {
  const folder = join(settings.state, "spool");
  const { content, filled } = await createSpool(
    folder,
    remote.item.name,
    (file) =>
      fetchInOrder(remote, (bytes) => writeAll(file, bytes), async () => {
        await file.seek(0, Deno.SeekMode.Start);
        await file.truncate(0);
      }),
  );
  return { ...filled, content, [Symbol.dispose]: () => content[Symbol.dispose]() };
}

/**
 * Fetches content in order over one connection.
 *
 * @param sink Gets bytes that are valid until its promise settles.
 * @param restart Takes back what was written, given the number of bytes, or throws.
 */
export async function fetchInOrder(
  content: RemoteContent,
  sink: ByteSink,
  restart: (bytes: number) => Promise<void>,
  onProgress?: OnProgress,
): Promise<InOrderContent> {
  const { createHash } = await import("node:crypto");
  let quickXor = new QuickXorHash();
  let sha256 = createHash("sha256");
  const ranges = new ByteRanges();
  const target = {
    ranges,
    async write(bytes: Uint8Array, position: number) {
      await sink(bytes);
      quickXor.add(bytes, position);
      sha256.update(bytes);
      ranges.add(position, position + bytes.length);
    },
    async restart() {
      await restart(ranges.total);
      ranges.clear();
      quickXor = new QuickXorHash();
      sha256 = createHash("sha256");
    },
  };
  await fetchMissing(content, target, 1, onProgress);
  return { bytes: ranges.total, quickXorHash: quickXor.digest(), sha256: sha256.digest("hex") };
}

/**
 * Assesses a copy that differs from what the service states, although it was fetched twice.
 *
 * @param isSame Whether both copies were the same, and of this item. QuickXorHash cannot tell: it does not see blocks of
 *   320 KiB in the wrong order (PROTOCOL 10.1).
 */
export async function assessCopy(
  content: RemoteContent,
  copy: ByteSource,
  isSame: boolean,
): Promise<CopyVerdict> {
  const kind = content.enrichedKind;
  if (!isSame) return damaged("each download differs, or is of another item");
  if (kind === undefined) return UNEXPLAINED;
  if (copy.size > content.maxBytes) return damaged("it is far longer than stated");
  try {
    if (await checkStructure(kind, interruptible(copy, content.http.signal))) return { verdict: "enriched" };
  } catch (error) {
    if (!(error instanceof BrokenDocument)) throw error;
    return damaged(error.message);
  }
  return copy.size < content.item.size ? damaged("it is too short") : { verdict: "unverified" };
}

/**
 * Accepts a copy by its verdict, with a notice if it differs from what the service states.
 *
 * @param hint Says what to do with a damaged copy.
 * @throws {GraphError} `damaged`.
 */
export async function acceptCopy(
  content: RemoteContent,
  { bytes, quickXorHash }: { bytes: number; quickXorHash: string },
  assessed: CopyVerdict,
  notice: (text: string) => void,
  hint: () => Promise<string>,
): Promise<Verdict> {
  const { path, size } = content.item;
  const { verdict } = assessed;
  if (verdict === "damaged") {
    const problem = `${path} is not what the service states`;
    throw damagedError(
      problem,
      { size: bytes, hash: quickXorHash },
      content.item,
      assessed.why,
      await hint(),
    );
  }
  if (content.compare(bytes, quickXorHash) === "different") {
    const proof = verdict === "enriched" ? "" : "; nothing can prove that it is the file";
    notice(
      `${path}: ${bytes} bytes arrived that differ from the ${size} that the service states, as is usual for such files${proof}`,
    );
  }
  return verdict;
}
