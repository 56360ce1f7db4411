/**
 * Whether what the service has stored is what was sent: by its size and hash. Where they are others, and SharePoint is known
 * to write into such files (PROTOCOL 10.2), the whole file is read back.
 *
 * @module
 */
import { hasSha256 } from "../transfer/file_hash.ts";
import type { Connection } from "../connect.ts";
import { BrokenDocument, interruptible } from "../documents/byte_source.ts";
import { proveSame } from "../documents/same_document.ts";
import type { DocumentKind } from "../documents/structure.ts";
import { type CopyVerdict, damaged } from "../download/verdict.ts";
import { fetchPrivateCopy, type PrivateCopy } from "../download/to_stream.ts";
import { RemoteContent } from "../download/remote_content.ts";
import { GraphError } from "../errors.ts";
import { toGraphError } from "../local/local_error.ts";
import type { LocalContent } from "../local/local_file.ts";
import type { Item, ResolvedItem } from "../drive/items.ts";
import { isSomebodysChange, noteRewritten } from "./rewritten_files.ts";
import { enrichedKind } from "../transfer/enrichment.ts";
import { compareContent } from "../transfer/verify.ts";

/** What comes back may be spoilt on its way, too: it counts when it is what the service states, or came so before. */
const MAX_COPIES = 3;

/**
 * Compares what the service has stored with what was sent.
 *
 * @param sent The item as the service showed it after the upload, and the hashes of what was sent.
 * @throws {GraphError} `conflict` when somebody has changed it since, or when the local file has changed; otherwise what
 *   prevents the reading.
 */
export async function judgeUpload(
  connection: Connection,
  content: LocalContent,
  driveType: string,
  { quickXorHash, sha256, ...sent }: { quickXorHash: string; sha256: string; found: ResolvedItem },
): Promise<{ item: Item } & CopyVerdict> {
  let { found } = sent;
  const local = { size: content.size, hash: quickXorHash };
  const compared = compareContent(local, found.item);
  const { size, hash, path, name } = found.item;
  const kind = enrichedKind("uploads", name, driveType);
  let judged: CopyVerdict = compared === "different"
    ? damaged("the service is not known to change such files")
    : { verdict: compared };
  if (compared === "different" && kind !== undefined) {
    ({ found, ...judged } = await judgeStored(connection, content, sha256, kind, found));
  }
  const { item } = found;
  if (judged.verdict === "damaged") {
    const difference = `${size} bytes with QuickXorHash ${hash}, instead of ${local.size} with ${local.hash}`;
    return { item, ...damaged(`${path} is not what was sent: ${difference}; ${judged.why}`) };
  }
  if (kind !== undefined) await noteRewritten(connection, local, found, content.modified, judged.verdict);
  if (compared === "different" && judged.verdict === "unverified") {
    connection.notice(
      `${path}: the service stores other bytes than were sent (${item.size}, not ${content.size}), as SharePoint does with such files; nothing can prove that it is the same file`,
    );
  }
  return { item: { ...item, path }, ...judged };
}

/** Reads the whole stored file, and compares it with what was sent. */
async function judgeStored(
  connection: Connection,
  sent: LocalContent,
  sha256: string,
  kind: DocumentKind,
  found: ResolvedItem,
): Promise<CopyVerdict & { found: ResolvedItem }> {
  const remote = new RemoteContent(connection, found);
  try {
    const judged = await judgeRemote(connection, sent, sha256, kind, remote);
    if (judged.verdict === "damaged" || judged.verdict === "unverified") {
      // Otherwise it was compared with something else.
      await sent.checkUnchanged(() => hasSha256(sent, sha256, connection.graph.http.signal));
      if (isSomebodysChange(found.driveItem, remote.found.driveItem)) throw changedMeanwhile(found.item.path);
    }
    return { ...judged, found: remote.found };
  } catch (error) {
    const failure = toGraphError(error);
    if (failure.kind === "interrupted" || failure.kind === "conflict") throw failure;
    throw failure.withMessage(
      `${found.item.path} is stored, but not as it was sent, and cannot be read back: ${failure.message}`,
      { hint: "look at it before you upload it again" },
    );
  }
}

async function judgeRemote(
  connection: Connection,
  sent: LocalContent,
  sha256: string,
  kind: DocumentKind,
  remote: RemoteContent,
): Promise<CopyVerdict> {
  let former: string | undefined;
  for (let tries = 1;; tries++) {
    await remote.refresh();
    using copy = await fetchPrivateCopy(connection, remote);
    const isStated = remote.compare(copy.content.size, copy.quickXorHash) === "verified";
    if (!remote.isForeign && (isStated || copy.sha256 === former)) {
      if (copy.sha256 === sha256) return { verdict: "verified" };
      return await judgeCopy(sent, copy, kind, connection.graph.http.signal);
    }
    if (tries === MAX_COPIES) return damaged("what comes back is not what the service states");
    former = copy.sha256;
  }
}

async function judgeCopy(
  sent: LocalContent,
  { content }: PrivateCopy,
  kind: DocumentKind,
  signal: AbortSignal | undefined,
): Promise<CopyVerdict> {
  try {
    const isProven = await proveSame(kind, interruptible(sent, signal), interruptible(content, signal));
    return { verdict: isProven ? "enriched" : "unverified" };
  } catch (error) {
    if (!(error instanceof BrokenDocument)) throw error;
    return damaged(error.message);
  }
}

function changedMeanwhile(path: string): GraphError {
  return new GraphError("conflict", `${path} was changed by somebody right after its upload`, {
    code: "changedMeanwhile",
    hint: "what was sent is in its version history; look at both before you upload it again",
  });
}
