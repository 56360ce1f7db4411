/**
 * What uploads and downloads have in common: the result, progress, and local files.
 *
 * @module
 */
import { basename } from "@std/path";
import { GraphError, usageError } from "./errors.ts";
import type { ItemContext } from "./items.ts";
import type { Settings } from "./settings.ts";
import type { StorageClient } from "./storage.ts";
import type { Verdict } from "./verify.ts";

/** What a transfer did, as `--json` prints it. */
export interface TransferResult {
  /** Remote path, from the root of its drive. */
  path: string;
  /** Local path; `-` for standard input or output. */
  local: string;
  bytes: number;
  result: "created" | "replaced" | "renamed" | "unchanged" | "skipped" | "downloaded";
  verdict: Verdict;
  id: string;
  driveId: string;
  eTag: string | null;
  sha256?: string;
  quickXorHash: string | null;
  seconds: number;
  /** Content bytes on the wire, repeated ones included. */
  sentBytes: number;
  /** Where a transfer was taken up again, in bytes; `null` when it was not. */
  resumedFrom: number | null;
}

/** Told how far a transfer is, in bytes. */
export type OnProgress = (doneBytes: number, totalBytes: number | undefined) => void;

/** What transfers work with. */
export interface TransferContext extends ItemContext {
  settings: Pick<Settings, "siteHost" | "apiOrigin" | "uploadJournal" | "downloadJournal">;
  storage: StorageClient;
  /** Told what a person should know and no result says. */
  notice: (text: string) => void;
}

/** A local file to upload. */
export interface LocalFile {
  path: string;
  name: string;
  size: number;
  /** Last change of its content; `null` where the file system does not tell. */
  modified: Date | null;
}

/**
 * Facts of a local file that is to be uploaded.
 *
 * @throws {GraphError} `notFound`; `usage` for a folder or device.
 */
export async function localFile(path: string): Promise<LocalFile> {
  if (path === "-") {
    throw usageError("standard input cannot be uploaded", "write it to a file first", "standardInput");
  }
  let facts: Deno.FileInfo;
  try {
    facts = await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new GraphError("notFound", `no such local file: ${path}`, {
      code: "noLocalFile",
      hint: "check the path; nothing was uploaded",
    });
  }
  if (facts.isDirectory) throw usageError(`${path} is a folder`, "name its files: PATH/*", "localFolder");
  if (!facts.isFile) {
    throw usageError(`${path} is neither a file nor a folder`, "name a regular file", "notAFile");
  }
  return { path, name: basename(path), size: facts.size, modified: facts.mtime };
}

/**
 * Checks that a file is as it was when it was looked at: of one that changed meanwhile nobody knows what was sent.
 *
 * @throws {GraphError} `conflict`.
 */
export async function checkUnchanged(file: Deno.FsFile, local: LocalFile): Promise<void> {
  const { size, mtime } = await file.stat();
  if (size === local.size && mtime?.getTime() === local.modified?.getTime()) return;
  throw new GraphError("conflict", `${local.path} changed while it was uploaded`, {
    code: "localChanged",
    hint: "run the same command again when nothing writes to it",
  });
}

/** Reads exactly the bytes from `position` on into `buffer`, or as many as there are. */
export async function readAt(file: Deno.FsFile, buffer: Uint8Array, position: number): Promise<number> {
  await file.seek(position, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < buffer.length) {
    const count = await file.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}

/** The error of content that did not arrive as it was sent: exit code 7. */
export function damagedError(message: string, hint: string): GraphError {
  return new GraphError("damaged", message, { code: "damaged", hint });
}
