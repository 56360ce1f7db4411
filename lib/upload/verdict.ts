/**
 * Whether the service has stored what was sent: by size and hash. Where they differ and SharePoint is known to write into
 * such files (PROTOCOL 10.2), the whole stored file is read back.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { BrokenDocument, type ByteSource, interruptible, isSameContent } from "../documents/byte_source.ts";
import { proveSame } from "../documents/same_document.ts";
import type { DocumentKind } from "../documents/structure.ts";
import { type CopyVerdict, damaged, fetchPrivateCopy, type PrivateCopy } from "../content/copy.ts";
import { RemoteContent } from "../content/remote_content.ts";
import type { DriveItem, Item, ResolvedItem } from "../drive/items.ts";
import { GraphError } from "../errors.ts";
import { toGraphError } from "../local/local_error.ts";
import type { LocalContent } from "../local/local_file.ts";
import { enrichedKind } from "../transfer/enrichment.ts";
import { checkUnchanged, compareContent } from "../transfer/verify.ts";

/** A copy may be damaged in transit: it counts if it is as the service states, or arrives twice unchanged. */
const MAX_COPIES = 3;
/** SharePoint rewrites a file within seconds; a later change is a user's. */
const REWRITE_MS = 10_000;

/**
 * Compares what the service has stored with what was sent.
 *
 * @param found The item as the service showed it after the upload.
 * @param quickXorHash Of what was sent.
 * @throws {GraphError} `conflict` when the stored or the local file was changed since; otherwise what prevents reading
 *   the stored one.
 */
export async function verifyUpload(
  connection: Connection,
  content: LocalContent,
  driveType: string,
  found: ResolvedItem,
  quickXorHash: string,
): Promise<{ item: Item } & CopyVerdict> {
  const { size, hash, path, name } = found.item;
  const compared = compareContent({ size: content.size, hash: quickXorHash }, found.item);
  if (compared !== "different") return { item: found.item, verdict: compared };
  const kind = enrichedKind("uploads", name, driveType);
  const { item, ...judged } = kind === undefined
    ? { item: found.item, ...damaged("the service is not known to change such files") }
    : await compareStored(connection, content, quickXorHash, kind, found);
  if (judged.verdict === "damaged") {
    const difference =
      `${size} bytes with QuickXorHash ${hash}, instead of ${content.size} with ${quickXorHash}`;
    return { item, ...damaged(`${path} is not what was sent: ${difference}; ${judged.why}`) };
  }
  if (judged.verdict === "unverified") {
    connection.notice(
      `${path}: SharePoint stores other bytes than were sent (${item.size}, not ${content.size}), as it does with such files; nothing can prove that it is the same file`,
    );
  }
  return { item: { ...item, path }, ...judged };
}

/** Reads the whole stored file, and compares it with what was sent. */
async function compareStored(
  connection: Connection,
  sent: LocalContent,
  quickXorHash: string,
  kind: DocumentKind,
  found: ResolvedItem,
): Promise<CopyVerdict & { item: Item }> {
  const remote = new RemoteContent(connection, found);
  const { signal } = connection.graph.http;
  try {
    const judged = await compareCopy(connection, sent, kind, remote);
    if (judged.verdict === "damaged" || judged.verdict === "unverified") {
      await checkUnchanged(sent, quickXorHash, signal); // otherwise it was compared with something else
      if (isUsersChange(found.driveItem, remote.found.driveItem)) {
        throw new GraphError(
          "conflict",
          `${found.item.path} was changed by somebody right after its upload`,
          {
            code: "changedMeanwhile",
            hint: "what was sent is in its version history; look at both before you upload it again",
          },
        );
      }
    }
    return { ...judged, item: remote.found.item };
  } catch (error) {
    const failure = toGraphError(error);
    if (failure.kind === "interrupted" || failure.kind === "conflict") throw failure;
    throw failure.withMessage(
      `${found.item.path} is stored, but not as it was sent, and cannot be read back: ${failure.message}`,
      { hint: "look at it before you upload it again" },
    );
  }
}

async function compareCopy(
  connection: Connection,
  sent: LocalContent,
  kind: DocumentKind,
  remote: RemoteContent,
): Promise<CopyVerdict> {
  const { signal } = connection.graph.http;
  using copies = new DisposableStack();
  let former: PrivateCopy | undefined;
  for (let attempt = 1;; attempt++) {
    await remote.refresh();
    const copy = copies.use(await fetchPrivateCopy(connection, remote));
    const isStated = remote.compare(copy.content.size, copy.quickXorHash) === "verified";
    const isTrue = isStated || (former && await isSameContent(copy.content, former.content, signal));
    if (!remote.isForeign && isTrue) {
      if (await isSameContent(copy.content, sent, signal)) return { verdict: "verified" };
      return await compareDocuments(kind, interruptible(sent, signal), interruptible(copy.content, signal));
    }
    if (attempt === MAX_COPIES) return damaged("what comes back is not what the service states");
    former = copy;
  }
}

async function compareDocuments(
  kind: DocumentKind,
  sent: ByteSource,
  stored: ByteSource,
): Promise<CopyVerdict> {
  try {
    return { verdict: await proveSame(kind, sent, stored) ? "enriched" : "unverified" };
  } catch (error) {
    if (!(error instanceof BrokenDocument)) throw error;
    return damaged(error.message);
  }
}

/** Whether a user has changed the item since, rather than SharePoint. */
function isUsersChange(sent: DriveItem, now: DriveItem): boolean {
  const [before, after] = [authorOf(sent), authorOf(now)];
  const laterMs = Date.parse(now.lastModifiedDateTime ?? "") - Date.parse(sent.lastModifiedDateTime ?? "");
  return (before !== undefined && after !== undefined && before !== after) || laterMs > REWRITE_MS;
}

/** A user, or an app-only client. */
function authorOf({ lastModifiedBy }: DriveItem): string | undefined {
  return lastModifiedBy?.user?.id ?? lastModifiedBy?.application?.id ?? undefined;
}
