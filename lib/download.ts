/**
 * Downloads (https://learn.microsoft.com/graph/api/driveitem-get-content): streamed to a private partial file, verified,
 * and only then given their name. A connection that breaks is taken up where it broke, with a fresh URL.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import type { Connection } from "./connection.ts";
import { GraphError, usageError } from "./errors.ts";
import { type FoundItem, getItem } from "./items.ts";
import type { LocationLike } from "./location.ts";
import { addressFault } from "./names.ts";
import { Reception, type Sink } from "./reception.ts";
import { damagedError, type OnProgress, type TransferResult } from "./transfer.ts";
import { ContentHash } from "./verify.ts";

/** What to do when the local file exists. */
export type DownloadConflict = "fail" | "replace" | "skip";

/** How to download. */
export interface DownloadOptions {
  /** @default "fail" */
  conflict?: DownloadConflict;
  onProgress?: OnProgress;
}

const WRITE_BYTES = 1024 * 1024;

/**
 * Downloads a file.
 *
 * @param destination A file or a folder; `-` for standard output. @default the current folder
 * @throws {GraphError} `notFound`, `conflict` when the local file exists, `damaged` when the content is not what the
 *   service said it would be (it is kept under another name then), …
 */
export async function downloadFile(
  connection: Connection,
  location: LocationLike,
  destination = ".",
  options: DownloadOptions = {},
): Promise<TransferResult> {
  const started = performance.now();
  const found = await getItem(connection, location);
  const { item } = found;
  if (item.type !== "file") {
    const kind = item.type === "package"
      ? "a OneNote notebook, which has no content of its own"
      : `a ${item.type}`;
    throw usageError(`${item.path || "the root folder"} is ${kind}`, "name a file", "notAFile");
  }
  const conflict = options.conflict ?? "fail";
  const local = destination === "-" ? "-" : await localTarget(destination, item.name);
  const result = (
    changes: Pick<TransferResult, "result" | "verdict" | "bytes" | "sentBytes"> & { sha256?: string },
  ) => ({
    path: item.path,
    local,
    id: item.id,
    driveId: item.driveId,
    eTag: item.eTag,
    quickXorHash: item.hash,
    seconds: (performance.now() - started) / 1000,
    resumedFrom: null,
    ...changes,
  });
  if (local === "-") {
    return result({ result: "downloaded", ...await toStandardOutput(connection, found, options) });
  }
  if (await exists(local)) {
    if (conflict === "skip") {
      return result({ result: "skipped", verdict: "unverified", bytes: 0, sentBytes: 0 });
    }
    if (conflict === "fail") throw alreadyThere(local);
  }
  return result({ result: "downloaded", ...await toFile(connection, found, local, conflict, options) });
}

type Received = { verdict: TransferResult["verdict"]; bytes: number; sentBytes: number; sha256: string };

async function toFile(
  connection: Connection,
  found: FoundItem,
  local: string,
  conflict: DownloadConflict,
  options: DownloadOptions,
): Promise<Received> {
  // Not the file's name with more behind it: that could be longer than the file system allows.
  const partial = join(dirname(local), `.${crypto.randomUUID().slice(0, 8)}.partial`);
  const file = await Deno.open(partial, { write: true, createNew: true, mode: 0o600 });
  try {
    const sink = new FileSink(file);
    const received = await receive(connection, found, sink, options);
    await sink.flush();
    await file.sync();
    await takeMode(local, partial);
    const { modified } = found.item;
    if (modified) await file.utime(new Date(modified), new Date(modified));
    if (received.verdict === "damaged") {
      const kept = partial.replace(/\.partial$/, ".damaged");
      await Deno.rename(partial, kept);
      throw damagedError(
        `${found.item.path} ${received.why}`,
        `the file on the server is as it was; what arrived is kept as ${kept}`,
      );
    }
    await giveName(partial, local, conflict);
    return {
      verdict: received.verdict,
      bytes: received.bytes,
      sentBytes: received.sentBytes,
      sha256: received.sha256,
    };
  } catch (error) {
    await Deno.remove(partial).catch(() => {}); // renamed already
    throw error;
  } finally {
    file.close();
  }
}

async function toStandardOutput(
  connection: Connection,
  found: FoundItem,
  options: DownloadOptions,
): Promise<Received> {
  const sink: Sink = {
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
    },
    restart: () => Promise.resolve(false),
  };
  const received = await receive(connection, found, sink, options);
  if (received.verdict === "damaged") {
    throw damagedError(
      `${found.item.path} ${received.why}`,
      "what was written to standard output must not be used",
    );
  }
  return {
    verdict: received.verdict,
    bytes: received.bytes,
    sentBytes: received.sentBytes,
    sha256: received.sha256,
  };
}

/** Receives the whole content and compares it with what the service states. */
async function receive(connection: Connection, found: FoundItem, sink: Sink, options: DownloadOptions) {
  const reception = new Reception(connection, found, sink, options.onProgress, await ContentHash.create());
  for (;;) {
    await reception.run();
    const { item, received, sentBytes } = reception;
    const { quickXorHash, sha256 } = reception.hash.digest();
    const verdict = reception.verdict(quickXorHash);
    // A new version that came between the facts and the content is as good as the old one.
    if (verdict === "damaged" && await reception.changed()) continue;
    if (verdict === "enriched") {
      connection.notice(
        `${item.path}: ${received} bytes came where the service states ${item.size}, as it happens with such files`,
      );
    }
    const why =
      `is not what the service states: ${received} bytes with QuickXorHash ${quickXorHash}, instead of ${item.size} with ${item.hash}`;
    return { verdict, why, bytes: received, sentBytes, sha256 };
  }
}

/** Gathers small chunks: one large write costs as much as a small one. */
class FileSink implements Sink {
  readonly #file: Deno.FsFile;
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  #filled = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + WRITE_BYTES - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === WRITE_BYTES) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#filled);
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    this.#filled = 0;
  }

  async restart(): Promise<boolean> {
    this.#filled = 0;
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
    return true;
  }
}

async function localTarget(destination: string, name: string): Promise<string> {
  // The name comes from the service: it must not lead out of the folder.
  const fault = addressFault(name);
  if (fault) {
    throw usageError(
      `the name ${JSON.stringify(name)} cannot be a local file: ${fault}`,
      "give a file name as DEST",
      "illegalName",
    );
  }
  const facts = await Deno.stat(destination).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (facts?.isDirectory) return destination === "." ? name : join(destination, name);
  if (!/[/\\]$/.test(destination)) return destination;
  throw new GraphError("notFound", `no such local folder: ${destination}`, {
    code: "noLocalFolder",
    hint: `make it first: mkdir ${basename(destination)}`,
  });
}

/** A new file gets the mode that the user's umask gives, one that is replaced keeps its own. */
async function takeMode(local: string, partial: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const present = await Deno.stat(local).catch(() => undefined); // none, mostly
  const mode = present?.mode ?? await maskedMode(`${partial}.mode`);
  await Deno.chmod(partial, mode & 0o777);
}

/** The mode of new files: a file tells it without the right to ask the system. */
async function maskedMode(path: string): Promise<number> {
  using file = await Deno.open(path, { write: true, createNew: true });
  try {
    return (await file.stat()).mode ?? 0o600;
  } finally {
    await Deno.remove(path);
  }
}

async function giveName(partial: string, local: string, conflict: DownloadConflict): Promise<void> {
  if (conflict === "replace") return await Deno.rename(partial, local);
  try {
    await Deno.link(partial, local); // unlike a rename it replaces nothing that appeared meanwhile
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw alreadyThere(local);
    if (await exists(local)) throw alreadyThere(local); // a file system without hard links
    return await Deno.rename(partial, local);
  }
  await Deno.remove(partial);
}

async function exists(path: string): Promise<boolean> {
  try {
    const { isDirectory, isFile } = await Deno.stat(path);
    if (!isFile && !isDirectory) {
      throw usageError(`${path} is not a regular file`, "give another DEST", "notAFile");
    }
    if (isDirectory) throw usageError(`${path} is a folder`, "give a file name as DEST", "localFolder");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function alreadyThere(local: string): GraphError {
  return new GraphError("conflict", `${local} exists already`, {
    code: "localExists",
    hint: "choose with --conflict replace or --conflict skip, or give another DEST",
  });
}
