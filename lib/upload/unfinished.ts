/**
 * Lists and cancels the unfinished uploads in the journal.
 *
 * @module
 */
import { GraphError, usageError } from "../errors.ts";
import { formatUtc } from "../format.ts";
import { readServiceError } from "../graph/errors.ts";
import type { TransferContext } from "../transfer/result.ts";
import { cancelEntry, openUploadJournal, type UploadJournalEntry } from "./journal.ts";
import { nextExpectedByte, parseSession } from "./protocol.ts";

/** An unfinished upload, as `--list --json` prints it. */
export interface UnfinishedUploadInfo {
  /** Names it when it is cancelled. */
  id: string;
  /** Remote path, from the root of its drive. */
  path: string;
  /** Absolute path of the local file. */
  local: string;
  size: number;
  /** Bytes that the service has; `null`: the session has ended; missing: it could not be asked. */
  doneBytes?: number | null;
  account: string | null;
  /** When the session was created, in UTC. */
  created: string;
}

/** Lists the unfinished uploads, with what each session has stored; no sign-in is needed. */
export async function* listUnfinishedUploads(context: TransferContext): AsyncGenerator<UnfinishedUploadInfo> {
  for await (const { key, entry } of openUploadJournal(context).entries()) {
    const { path, local, size } = entry;
    const progress = await readProgress(context, entry);
    const account = entry.account ?? null;
    yield { id: shortId(key), path, local, size, ...progress, account, created: formatUtc(entry.createdAt) };
  }
}

/**
 * Cancels an unfinished upload, so that the name is free at once, and removes its entry.
 *
 * @param which Its id, its local path, or its remote path.
 * @throws {GraphError} `notFound`; `usage` when several match; `unavailable` when a process works on it, or when the
 *   service cannot be reached: the entry is kept then.
 */
export async function cancelUnfinishedUpload(
  context: TransferContext,
  which: string,
): Promise<UploadJournalEntry> {
  const { key, entry } = await findUpload(context, which);
  if (!context.storage.accepts(entry.uploadUrl)) {
    context.notice(
      `the session of ${entry.path} is at a host that is not a storage host of these settings; it will expire`,
    );
  }
  if (await cancelEntry(context, key, entry, false)) return entry;
  throw new GraphError("unavailable", `the upload of ${entry.path} could not be cancelled`, {
    code: "notCancelled",
    hint: "the service cannot be reached; run the same command again later",
  });
}

async function findUpload(
  context: TransferContext,
  which: string,
): Promise<{ key: string; entry: UploadJournalEntry }> {
  const absolute = await Deno.realPath(which).catch(() => undefined); // a remote path, or a file that is gone
  const uploads = await Array.fromAsync(openUploadJournal(context).entries());
  const [first, ...others] = uploads.filter(({ key, entry: { local, path } }) =>
    (which.length >= 8 && key.startsWith(which.toLowerCase())) ||
    [local, path].includes(which) || local === absolute
  );
  if (!first) {
    throw new GraphError("notFound", `no unfinished upload is called ${which}`, { code: "noSuchUpload" });
  }
  if (others.length === 0) return first;
  const ids = [first, ...others].map(({ key }) => shortId(key)).join(", ");
  throw usageError(
    `several unfinished uploads match ${which}: ${ids}`,
    "name one by its id",
    "ambiguousUpload",
  );
}

function shortId(key: string): string {
  return key.slice(0, 8);
}

async function readProgress(
  { storage, notice }: TransferContext,
  entry: UploadJournalEntry,
): Promise<Pick<UnfinishedUploadInfo, "doneBytes">> {
  try {
    const response = await storage.send({ method: "GET", url: entry.uploadUrl, retry: "idempotent" });
    if (response.status === 429 || response.status >= 500) {
      throw await readServiceError(response, "upload session");
    }
    if (response.status !== 200) {
      await response.discard();
      return { doneBytes: null };
    }
    const ranges = parseSession(await response.text())?.nextExpectedRanges;
    return { doneBytes: ranges ? nextExpectedByte(ranges) ?? entry.size : null };
  } catch (error) {
    if (!(error instanceof GraphError) || error.kind === "interrupted") throw error;
    notice(`the session of ${entry.path} cannot be asked: ${error.message}`);
    return {};
  }
}
