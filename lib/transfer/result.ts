/**
 * What uploads and downloads have in common: the result, progress, and what they work with.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import type { ItemContext } from "../drive/items.ts";
import type { Settings } from "../settings.ts";
import type { StorageClient } from "../graph/storage.ts";
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
  quickXorHash: string | null;
  seconds: number;
  /** Content bytes on the wire, repeated ones included. */
  sentBytes: number;
  /** Where a transfer was taken up again, in bytes; `null` when it was not. */
  resumedFrom: number | null;
  /** Nothing was done: this is what would be. */
  dryRun?: true;
}

/** Told how far a transfer is, in bytes. */
export type OnProgress = (doneBytes: number, totalBytes: number | undefined) => void;

/** What transfers work with. */
export interface TransferContext extends ItemContext {
  settings: Pick<Settings, "siteHost" | "apiOrigin" | "state">;
  storage: StorageClient;
  /** Who is signed in, as far as it is known. */
  account: () => Promise<string | undefined>;
  /** Told what a person should know and no result says. */
  notice: (text: string) => void;
}

/** What one transfer works with: a deadline of its own, which other transfers do not extend. */
export function forTransfer<T extends TransferContext>(context: T): T {
  const http = context.graph.http.forTransfer();
  return { ...context, graph: context.graph.withHttp(http), storage: context.storage.withHttp(http) };
}

/** The error of content that did not arrive as it was sent: exit code 7. */
export function damagedError(message: string, hint: string): GraphError {
  return new GraphError("damaged", message, { code: "damaged", hint });
}
