/**
 * Downloads whose bytes are handed on in order and cannot be taken back.
 *
 * @module
 */
import type { Connection } from "../connect.ts";
import { type ByteSink, fetchInOrder, fetchPrivateCopy, type InOrderContent } from "../content/in_order.ts";
import type { FetchOptions } from "../content/ranged.ts";
import type { RemoteContent } from "../content/remote_content.ts";
import { type CopyVerdict, damaged } from "../content/verdict.ts";
import { GraphError } from "../errors.ts";
import { damagedError } from "../transfer/result.ts";
import type { Verdict } from "../transfer/verify.ts";
import { describeEnrichment, describeMismatch, FOREIGN, judgeCopy, UNSTABLE } from "./verdict.ts";

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
