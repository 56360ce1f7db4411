/**
 * Uploads of any size: one request for small files, an upload session for larger ones.
 *
 * @module
 */
import { join } from "../std.ts";
import { childUrl } from "../drive/address.ts";
import type { Connection } from "../connect.ts";
import { isExpectedItem } from "../drive/drive_item.ts";
import { GraphError } from "../errors.ts";
import { type DriveItem, type Item, toItem } from "../drive/items.ts";
import { type LocalContent, openLocalFile } from "../local/local_file.ts";
import type { LocationInput } from "../drive/location.ts";
import { remoteName, sameName } from "../drive/names.ts";
import { retryUntilVisible } from "./new_folder.ts";
import { uploadSimple } from "./simple.ts";
import { readStandardInput } from "../local/standard_input.ts";
import { damagedError, forTransfer, type OnProgress, type TransferResult } from "../transfer/result.ts";
import { type UploadConflict, type UploadOutcome, uploadThroughSession } from "./session.ts";
import { expectedItem, findTarget, type UploadTarget } from "./target.ts";
import { judgeUpload } from "./verdict.ts";
import { compareContent, ContentHash, mayBeRewritten, type Verdict } from "../transfer/verify.ts";

/** Largest file that goes in one request, in bytes: 4 MiB. */
const MAX_SIMPLE_BYTES = 4 * 1024 * 1024;
/** Up to this size one request may help where the service loses every session (PROTOCOL U7); more is not held in memory. */
const MAX_FALLBACK_BYTES = 64 * 1024 * 1024;

/** How to upload. */
export interface UploadOptions {
  /** What to do when the name is taken. @default "replace" */
  conflict?: UploadConflict;
  /** Sends nothing when the same content is there already. @default false */
  ifChanged?: boolean;
  /** Keeps the time of the last change of small files, too, which takes an upload session. @default false */
  times?: boolean;
  /** Changes nothing and tells what would be done. @default false */
  dryRun?: boolean;
  onProgress?: OnProgress;
}

/** How to upload through a session. */
export interface LargeUploadOptions extends UploadOptions {
  /** Bytes of a fragment: a multiple of 327,680 (320 KiB) below 60 MiB. @default 10 MiB */
  fragmentBytes?: number;
  /** Description of the item; personal OneDrive only. */
  description?: string;
  /** Whether an unfinished upload of the same file is taken up again. @default true */
  resume?: boolean;
}

/** How to upload content, whoever asks. */
interface ContentUploadOptions extends LargeUploadOptions {
  /** Takes an upload session for any size that can have one. @default false */
  session?: boolean;
}

/**
 * Uploads a local file: up to 4 MiB in one request
 * (https://learn.microsoft.com/graph/api/driveitem-put-content), larger ones through an upload session.
 *
 * @param location A folder, in which the file keeps its name, or the file to create or replace.
 * @throws {GraphError} `notFound` when the file or the folder is missing, `conflict`, `damaged`, …
 */
export async function uploadFile(
  connection: Connection,
  path: string,
  location: LocationInput,
  options: UploadOptions = {},
): Promise<TransferResult> {
  using content = await openLocalFile(path);
  const target = await findTarget(connection, location, remoteName(content.name));
  return await uploadContent(connection, content, target, options);
}

/**
 * Uploads a local file through a resumable upload session
 * (https://learn.microsoft.com/graph/api/driveitem-createuploadsession); only an empty one goes in one request, for the
 * service has no session for it.
 *
 * @param location A folder, in which the file keeps its name, or the file to create or replace.
 * @throws {GraphError} `notFound` when the file or the folder is missing, `conflict`, `damaged`, …
 */
export async function uploadLargeFile(
  connection: Connection,
  path: string,
  location: LocationInput,
  options: LargeUploadOptions = {},
): Promise<TransferResult> {
  using content = await openLocalFile(path);
  const target = await findTarget(connection, location, remoteName(content.name));
  return await uploadContent(connection, content, target, { ...options, session: true });
}

/**
 * Uploads what comes through a stream, by default standard input, after it has ended: up to 4 MiB from memory, more from
 * a private temporary file.
 *
 * @param location The file to create or replace; a folder will not do.
 * @throws {GraphError} as {@linkcode uploadFile}; `usage` when the location is a folder.
 */
export async function uploadStream(
  connection: Connection,
  location: LocationInput,
  options: UploadOptions = {},
  input?: ReadableStream<Uint8Array>,
): Promise<TransferResult> {
  // Before the input is read, which may take long: a wrong place is told at once.
  const target = await findTarget(connection, location, undefined);
  const { settings, graph } = connection;
  using content = await readStandardInput(
    target.name,
    join(settings.state, "spool"),
    graph.http.signal,
    input,
  );
  return await uploadContent(connection, content, target, options);
}

/** Uploads opened content to a place that was found already. */
export async function uploadContent(
  connection: Connection,
  content: LocalContent,
  target: UploadTarget,
  options: ContentUploadOptions,
): Promise<TransferResult> {
  const started = performance.now();
  connection = forTransfer(connection);
  if (options.description !== undefined && target.driveType !== "personal") {
    throw new GraphError("usage", "descriptions exist in personal OneDrives only", {
      code: "description",
      hint: "leave out --description",
    });
  }
  const facts = { path: pathOf(target), local: content.path, bytes: content.size, seconds: 0 };
  if (options.ifChanged || options.dryRun) {
    const existing = await existingItem(connection, target);
    const same = options.ifChanged && existing && await compare(connection, content, target, existing);
    const dry = options.dryRun ? { dryRun: true as const } : {};
    if (same) return { ...facts, ...resultOf(existing), ...same, result: "unchanged", ...dry };
    if (options.dryRun) return { ...facts, ...expected(target, existing, options), ...dry };
  }
  const { uploaded, item, verdict } = await send(connection, content, target, options).catch(
    (error) => explainTaken(connection, target, error),
  );
  return {
    ...facts,
    ...resultOf(item),
    result: !sameName(item.name, target.name) ? "renamed" : uploaded.created ? "created" : "replaced",
    verdict,
    sha256: uploaded.sha256,
    seconds: (performance.now() - started) / 1000,
    sentBytes: uploaded.sentBytes,
    resumedFrom: uploaded.resumedFrom,
  };
}

/** Sends, compares what the service has with what was sent, and sends once more when it is damaged. */
async function send(
  connection: Connection,
  content: LocalContent,
  target: UploadTarget,
  options: ContentUploadOptions,
): Promise<{ uploaded: UploadOutcome; item: Item; verdict: Verdict }> {
  const conflict = options.conflict ?? "replace";
  let sentBytes = 0;
  let created = false;
  for (let tries = 1;; tries++) {
    const work = () => sendOnce(connection, content, target, { ...options, conflict });
    const uploaded = await (target.fresh ? retryUntilVisible(connection, work) : work());
    sentBytes += uploaded.sentBytes;
    created ||= uploaded.created;
    const { item, ...judged } = await judgeUpload(connection, content, target.driveType, {
      ...uploaded,
      found: { driveItem: uploaded.driveItem, item: itemIn(target, uploaded.driveItem) },
    });
    if (judged.verdict !== "damaged") {
      return { uploaded: { ...uploaded, created, sentBytes }, item, verdict: judged.verdict };
    }
    // Only "replace" may send to the same name again; a second try that is damaged as well is for a person to look at.
    if (conflict !== "replace" || tries > 1) {
      // Business drives keep what an upload replaces (PROTOCOL U21); deleting or restoring is for a person, too.
      const former = !created && target.driveType !== "personal"
        ? ", and the file that was replaced is in the version history"
        : "";
      throw damagedError(judged.why, `both copies are kept${former}; compare them before you upload again`);
    }
    connection.notice(`${judged.why}; sending it once more`);
    target.existing = "unknown";
  }
}

async function sendOnce(
  connection: Connection,
  content: LocalContent,
  target: UploadTarget,
  options: ContentUploadOptions & { conflict: UploadConflict },
): Promise<UploadOutcome> {
  // The time of the last change is how a rewritten file is known again.
  const times = options.times || (options.ifChanged && mayBeRewritten(target.name, target.driveType));
  const session = options.session || content.size > MAX_SIMPLE_BYTES || (times && content.modified);
  if (content.size === 0 || !session) {
    return await uploadSimple(connection, content, target, options.conflict);
  }
  let lostBytes = 0;
  const onSent = (bytes: number) => void (lostBytes += bytes);
  try {
    return await uploadThroughSession(connection, content, target, { ...options, onSent });
  } catch (error) {
    const lost = error instanceof GraphError && error.code === "sessionLost";
    if (!lost || options.conflict !== "replace" || content.size > MAX_FALLBACK_BYTES) throw error;
    connection.notice(`${pathOf(target)}: the service loses its upload sessions; sending it in one request`);
    const uploaded = await uploadSimple(connection, content, target, options.conflict);
    return { ...uploaded, sentBytes: uploaded.sentBytes + lostBytes };
  }
}

/** The item that has the name at present. */
async function existingItem(connection: Connection, target: UploadTarget): Promise<Item | undefined> {
  if (target.existing === "unknown") {
    const { graph } = connection;
    try {
      target.existing = await graph.requestJson<DriveItem>(childUrl(target.folder, target.name), {
        what: pathOf(target),
        accepts: (value) => isExpectedItem(value, expectedItem(target)),
      });
    } catch (error) {
      if (!(error instanceof GraphError) || error.kind !== "notFound") throw error;
      target.existing = undefined;
    }
  }
  return target.existing && itemIn(target, target.existing);
}

/** Whether the item has the content already, and how we know. */
async function compare(
  connection: Connection,
  content: LocalContent,
  target: UploadTarget,
  item: Item,
): Promise<{ verdict: Verdict; sha256: string } | undefined> {
  const rewritable = mayBeRewritten(item.name, target.driveType);
  if (item.type !== "file" || (item.size !== content.size && !rewritable)) return undefined;
  const { bytes, quickXorHash, sha256 } = await ContentHash.of(content, connection.graph.http.signal);
  const local = { size: bytes, hash: quickXorHash };
  if (compareContent(local, item) === "verified") return { verdict: "verified", sha256 };
  const verdict = rewritable ? await connection.rewritten.findMadeFrom(local, item) : undefined;
  return verdict && { verdict, sha256 };
}

/** The service says of a name that a folder has no more than that it is taken, and of a session not even that. */
async function explainTaken(connection: Connection, target: UploadTarget, error: unknown): Promise<never> {
  if (error instanceof GraphError && error.status === 409) {
    const existing = await existingItem(connection, { ...target, existing: "unknown" });
    if (existing && existing.type !== "file") throw notReplaceable(existing);
  }
  throw error;
}

function notReplaceable({ path, type }: Item): GraphError {
  return new GraphError("conflict", `${path} is a ${type}, which no file can replace`, {
    code: "nameAlreadyExists",
    hint: "choose another name",
  });
}

/** What an upload would do. */
function expected(
  target: UploadTarget,
  existing: Item | undefined,
  { conflict }: UploadOptions,
): Omit<TransferResult, "path" | "local" | "bytes" | "seconds"> {
  if (existing && existing.type !== "file") throw notReplaceable(existing);
  if (existing && conflict === "fail") {
    throw new GraphError("conflict", `${existing.path} exists already`, {
      code: "nameAlreadyExists",
      hint: "choose with --conflict replace or --conflict rename",
    });
  }
  const { folder } = target;
  const nothing = { id: "", driveId: folder.driveId, eTag: null, quickXorHash: null };
  return {
    ...(existing ? resultOf(existing) : { ...nothing, sentBytes: 0, resumedFrom: null }),
    result: !existing ? "created" : conflict === "rename" ? "renamed" : "replaced",
    verdict: "unverified",
  };
}

function resultOf(item: Item) {
  const { path, id, driveId, eTag, hash } = item;
  return { path, id, driveId, eTag, quickXorHash: hash, sentBytes: 0, resumedFrom: null };
}

function itemIn(target: UploadTarget, driveItem: DriveItem): Item {
  const name = driveItem.name ?? target.name;
  return toItem(driveItem, target.folder.driveId, [target.folderPath, name].filter(Boolean).join("/"));
}

function pathOf({ folderPath, name }: UploadTarget): string {
  return [folderPath, name].filter(Boolean).join("/");
}
