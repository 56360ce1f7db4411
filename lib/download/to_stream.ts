/**
 * Downloads into a stream: bytes are written in order and cannot be taken back.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { type ByteSink, fetchInOrder, fetchPrivateCopy, type InOrderContent } from "../content/in_order.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import {
  acceptCopy,
  type CopyVerdict,
  FOREIGN,
  judgeCopy,
  UNEXPLAINED,
  UNSTABLE,
} from "../content/verdict.ts";
import { GraphError } from "../errors.ts";
import type { OnProgress } from "../transfer/result.ts";
import type { DownloadOutcome } from "./to_file.ts";

/** Downloads into a sink, over one connection. An interrupted response is resumed; content that changes is an error. */
export async function downloadToSink(
  connection: Connection,
  content: RemoteContent,
  sink: ByteSink,
  onProgress: OnProgress | undefined,
): Promise<DownloadOutcome> {
  const withSha256 = content.enrichedKind !== undefined;
  const refuseRestart = (bytes: number): Promise<void> => {
    if (bytes > 0) throw resumeImpossible(content);
    return Promise.resolve();
  };
  const written = await fetchInOrder(content, sink, withSha256, refuseRestart, onProgress);
  const judged = await judgeWritten(connection, content, written);
  const hint = () => Promise.resolve("what was written to standard output must not be used");
  const verdict = await acceptCopy(content, written, judged, connection.notice, hint);
  return { result: "downloaded", verdict, bytes: written.bytes, sentBytes: content.arrivedBytes };
}

/**
 * Judges what was written, by a second copy if it is not what the service states. The two are compared by SHA-256: the
 * first is gone, and QuickXorHash does not see blocks of 320 KiB in the wrong order (PROTOCOL 10.1).
 */
async function judgeWritten(
  connection: Connection,
  content: RemoteContent,
  { bytes, quickXorHash, sha256 }: InOrderContent,
): Promise<CopyVerdict> {
  const compared = content.compare(bytes, quickXorHash);
  if (compared !== "different") return { verdict: compared };
  const { isForeign } = content;
  await content.refresh();
  if (content.compare(bytes, quickXorHash) === "verified") return { verdict: "verified" };
  if (content.enrichedKind === undefined) return UNEXPLAINED;
  using copy = await fetchPrivateCopy(connection, content);
  if (isForeign || content.isForeign) return FOREIGN;
  if (copy.sha256 !== sha256) return UNSTABLE;
  return await judgeCopy(content, copy.content, connection.storage.http.signal);
}

function resumeImpossible({ item }: RemoteContent): GraphError {
  return new GraphError(
    "conflict",
    `the download of ${item.path} cannot be resumed: the file changed, or the service ignores ranges`,
    { code: "resumeImpossible", hint: "what was written must not be used; run the same command again" },
  );
}
