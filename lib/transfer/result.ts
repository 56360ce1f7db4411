/**
 * The result and progress of uploads and downloads, and the context they run in.
 *
 * @module
 */
import { GraphError } from "../errors.ts";
import type { ItemContext } from "../drive/items.ts";
import type { Settings } from "../settings.ts";
import type { StorageClient } from "../graph/storage.ts";
import type { Content, Verdict } from "./verify.ts";

/** What a transfer did, as `--json` prints it. */
export interface TransferResult {
  /** Remote path, from the root of its drive. */
  path: string;
  /** Local path; `-` for standard input or output. */
  local: string;
  /** Size of the content. */
  bytes: number;
  /** What became of the target. */
  result: "created" | "replaced" | "renamed" | "unchanged" | "skipped" | "downloaded";
  /** Whether the content is known to be the same on both sides. */
  verdict: Verdict;
  /** Id of the item; empty for one that was not made. */
  id: string;
  /** Id of its drive. */
  driveId: string;
  /** Its version; `null` when unknown. */
  eTag: string | null;
  /** Its address in a browser; `null` when unknown. */
  webUrl: string | null;
  /** Its hash in base64; `null` where the service has none. */
  quickXorHash: string | null;
  /** Duration. */
  seconds: number;
  /** Content bytes transferred, repeated ones included. */
  sentBytes: number;
  /** Byte at which a transfer was resumed; `null` when it was not. */
  resumedFrom: number | null;
  /** Nothing was changed: the result says what would be done. */
  dryRun?: true;
}

/** Called with the progress of a transfer, in bytes. */
export type OnProgress = (doneBytes: number, totalBytes: number | undefined) => void;

/** What a transfer needs. */
export interface TransferContext extends ItemContext {
  /** @internal */
  settings: Pick<Settings, "siteHost" | "apiOrigin" | "state">;
  /** @internal */
  storage: StorageClient;
  /** @internal */
  account: () => Promise<string | undefined>;
  /** @internal */
  notice: (text: string) => void;
}

/** The context of one transfer, with a deadline that other transfers do not extend. */
export function forTransfer<T extends TransferContext>(context: T): T {
  const http = context.graph.http.forTransfer();
  return { ...context, graph: context.graph.withHttp(http), storage: context.storage.withHttp(http) };
}

/** Seconds since `performance.now()` was `started`, to the millisecond. */
export function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}

/** The error of a transfer that a later run can resume, with how much of it is done. */
export function incompleteError(
  error: GraphError,
  { doneBytes, size, are }: { doneBytes: number; size: number; are: "uploaded" | "there" },
  hint: string | undefined,
): GraphError {
  const percent = Math.floor(doneBytes / size * 100);
  return error.withMessage(`${error.message}; ${doneBytes} of ${size} bytes (${percent} %) are ${are}`, {
    hint,
  });
}

/** The error of content that did not arrive as it was sent. */
export function damagedError(
  problem: string,
  actual: Content,
  expected: Content,
  why: string,
  hint: string,
): GraphError {
  const message = `${problem}: ${actual.size} bytes with QuickXorHash ${actual.hash}, ` +
    `instead of ${expected.size} with ${expected.hash}; ${why}`;
  return new GraphError("damaged", message, { code: "damaged", hint });
}
