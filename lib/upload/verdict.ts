/**
 * Whether the service has stored what was sent: by size and hash. Where they differ and SharePoint is known to write into
 * such files (PROTOCOL 10.2), the whole stored file is read back.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { BrokenDocument, interruptible, isSameContent } from "../documents/byte_source.ts";
import { type DocumentKind, proveSame } from "../documents/structure.ts";
import { type CopyVerdict, damaged, fetchPrivateCopy, UNEXPLAINED } from "../content/copy.ts";
import { RemoteContent } from "../content/remote_content.ts";
import type { Item, ResolvedItem } from "../drive/items.ts";
import { toGraphError } from "../local/local_error.ts";
import type { LocalContent } from "../local/local_file.ts";
import { damagedError } from "../transfer/result.ts";
import { checkUnchanged, compareContent, enrichedKind, type Verdict } from "../transfer/verify.ts";

/** A copy may be damaged in transit: it counts if it is as the service states, or arrives twice unchanged. */
const MAX_COPIES = 3;

/**
 * Compares what the service has stored with what was sent.
 *
 * @param found The item as the service showed it after the upload.
 * @param quickXorHash Of what was sent.
 * @throws {GraphError} `damaged`; `conflict` when the local file was changed since; otherwise what prevents reading the
 *   stored one.
 */
export async function verifyUpload(
  connection: Connection,
  content: LocalContent,
  driveType: string,
  found: ResolvedItem,
  quickXorHash: string,
): Promise<{ item: Item; verdict: Verdict }> {
  const { path, name } = found.item;
  const sent = { size: content.size, hash: quickXorHash };
  const compared = compareContent(sent, found.item);
  if (compared !== "different") return { item: found.item, verdict: compared };
  const kind = enrichedKind("uploads", name, driveType);
  const remote = new RemoteContent(connection, found);
  const assessed = kind === undefined
    ? UNEXPLAINED
    : await compareStored(connection, content, quickXorHash, kind, remote);
  if (assessed.verdict === "damaged") {
    throw damagedError(
      `${path} is not what was sent`,
      found.item,
      sent,
      assessed.why,
      "both copies are kept; compare them: the stored one is damaged, or was changed since",
    );
  }
  if (assessed.verdict === "unverified") {
    connection.notice(
      `${path}: SharePoint stores other bytes than were sent (${remote.item.size}, not ${content.size}), as it does with such files; nothing can prove that it is the same file`,
    );
  }
  return { item: remote.item, verdict: assessed.verdict };
}

/** Reads the whole stored file, and compares it with what was sent. */
async function compareStored(
  connection: Connection,
  sent: LocalContent,
  quickXorHash: string,
  kind: DocumentKind,
  remote: RemoteContent,
): Promise<CopyVerdict> {
  try {
    const assessed = await compareCopy(connection, sent, kind, remote);
    // Otherwise it was compared with something else.
    await checkUnchanged(sent, quickXorHash, connection.graph.http.signal);
    return assessed;
  } catch (error) {
    const failure = toGraphError(error);
    if (failure.kind === "interrupted" || failure.kind === "conflict") throw failure;
    throw failure.withMessage(
      `${remote.item.path} is stored, but not as it was sent, and cannot be read back: ${failure.message}`,
      { hint: "look at it before you upload it again" },
    );
  }
}

async function compareCopy(
  connection: Connection,
  content: LocalContent,
  kind: DocumentKind,
  remote: RemoteContent,
): Promise<CopyVerdict> {
  const { signal } = connection.graph.http;
  const sent = interruptible(content, signal);
  let former: string | undefined;
  for (let attempt = 1; attempt <= MAX_COPIES; attempt++) {
    await remote.refresh();
    using copy = await fetchPrivateCopy(connection, remote);
    const isStated = remote.compare(copy.content.size, copy.quickXorHash) === "verified";
    if (!remote.isForeign && (isStated || copy.sha256 === former)) {
      const stored = interruptible(copy.content, signal);
      try {
        if (await isSameContent(stored, sent)) return { verdict: "verified" };
        return { verdict: await proveSame(kind, sent, stored) ? "enriched" : "unverified" };
      } catch (error) {
        if (!(error instanceof BrokenDocument)) throw error;
        return damaged(error.message);
      }
    }
    former = copy.sha256;
  }
  return damaged("what comes back is not what the service states");
}
