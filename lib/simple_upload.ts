/**
 * Uploads in one request (https://learn.microsoft.com/graph/api/driveitem-put-content).
 *
 * @module
 */
import { childUrl } from "./address.ts";
import { commandName } from "./commands.ts";
import { GraphError } from "./errors.ts";
import type { DriveItem } from "./items.ts";
import { type LocalContent, readExactly } from "./local_file.ts";
import type { TransferContext } from "./transfer.ts";
import type { UploadConflict, Uploaded } from "./upload_session.ts";
import type { UploadTarget } from "./upload_target.ts";
import { ContentHash } from "./verify.ts";

/**
 * Uploads content that fits into memory.
 *
 * @throws {GraphError} of the kind that fits the service's answer.
 */
export async function uploadSimply(
  { graph }: TransferContext,
  content: LocalContent,
  target: UploadTarget,
  conflict: UploadConflict,
): Promise<Uploaded> {
  const bytes = await readExactly(content, new Uint8Array(content.size), 0);
  await content.checkUnchanged();
  const hash = await ContentHash.create();
  hash.add(bytes, 0);
  const what = `upload of ${[target.folderPath, target.name].filter(Boolean).join("/")}`;
  const put = () =>
    graph.put<DriveItem>(
      `${childUrl(target.folder, target.name, "content")}?@microsoft.graph.conflictBehavior=${conflict}`,
      {
        what,
        bytes,
        // Without it the service refuses (graph-protocol U19); the type it stores follows from the name.
        headers: { "content-type": "application/octet-stream" },
        // The same bytes under the same name again do no harm; a second "rename" would make a second file.
        retry: conflict === "replace" ? "repeatable" : "refused",
      },
    );
  const { value, status } = await put().catch((error) => {
    // Quick overwrites are refused once in a while (graph-protocol U17).
    if (error instanceof GraphError && error.status === 409 && error.has("resourceModified")) return put();
    throw error;
  });
  if (!value?.id) {
    throw new GraphError("failed", `${what}: the service's answer does not say what it stored`, {
      code: "invalidAnswer",
      hint: `look with ${commandName("ls")}`,
      status,
    });
  }
  return {
    driveItem: value,
    created: status === 201,
    ...hash.digest(),
    sentBytes: bytes.length,
    resumedFrom: null,
  };
}
