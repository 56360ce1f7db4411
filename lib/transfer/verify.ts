/**
 * Whether content arrived as it was sent, and which files the service is known to change.
 *
 * @module
 */
import { throwIfAborted } from "../abort.ts";
import type { DocumentKind } from "../documents/structure.ts";
import { localChangedError, type LocalContent, readAt } from "../local/local_file.ts";
import { QuickXorHash } from "./quick_xor_hash.ts";

const READ_BYTES = 1024 * 1024;

/**
 * - `verified`: size and QuickXorHash are equal;
 * - `enriched`: the service changes such files, and the stored one was read back and holds the same document; for a
 *   download, it came the same twice and is complete;
 * - `unverified`: nothing can prove it: the service gives no hash, or it changes such files and their format has no
 *   structure to check, or nothing was compared (a skipped file).
 */
export type Verdict = "verified" | "enriched" | "unverified";

const SITES = ["documentLibrary"];
const CONVERTED = ["personal", "documentLibrary"];
const EVERYWHERE = ["personal", "business", "documentLibrary"];

/**
 * The files that the service is known to change (PROTOCOL 10.2, D6), with the types of the drives that store something
 * else than was sent, and of those whose downloads may differ from what they state. Any other difference is damage.
 */
const CHANGED_FILES: { kind: DocumentKind; names: RegExp; uploads: string[]; downloads: string[] }[] = [
  {
    kind: "office",
    names: /\.(doc[xm]?|dot[xm]?|xls[xmb]?|xlt[xm]?|ppt[xm]?|pps[xm]?|pot[xm]?|vsdx)$/i,
    uploads: SITES,
    downloads: CONVERTED,
  },
  { kind: "pdf", names: /\.pdf$/i, uploads: SITES, downloads: CONVERTED },
  { kind: "jpeg", names: /\.jpe?g$/i, uploads: SITES, downloads: CONVERTED },
  { kind: "html", names: /\.(html?|aspx)$/i, uploads: SITES, downloads: SITES },
  { kind: "heic", names: /\.hei[cf]$/i, uploads: [], downloads: EVERYWHERE },
  { kind: "oneNote", names: /\.(one|onetoc2)$/i, uploads: [], downloads: EVERYWHERE },
];

/** The kind of document that the service may change in this direction; `undefined`: content must match exactly. */
export function enrichedKind(
  way: "uploads" | "downloads",
  name: string,
  driveType: string | undefined,
): DocumentKind | undefined {
  const row = CHANGED_FILES.find(({ names }) => names.test(name));
  return driveType !== undefined && row?.[way].includes(driveType) ? row.kind : undefined;
}

/** Whether SharePoint may store this file differently from what was uploaded. */
export function mayBeRewritten(name: string, driveType: string): boolean {
  return enrichedKind("uploads", name, driveType) !== undefined;
}

export interface Content {
  size: number;
  /** QuickXorHash in base64; `null` when unknown. */
  hash: string | null;
}

/** Compares content with what the service states; `unverified`: the size is equal, and there is no hash. */
export function compareContent(local: Content, remote: Content): "verified" | "unverified" | "different" {
  if (local.size !== remote.size) return "different";
  if (local.size === 0) return "verified"; // empty files have no hash
  if (remote.hash === null) return "unverified";
  return local.hash === remote.hash ? "verified" : "different";
}

/**
 * Reads content to its last byte.
 *
 * @param signal Ends the reading.
 */
export async function hashContent(
  content: Pick<LocalContent, "read">,
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; quickXorHash: string }> {
  const hash = new QuickXorHash();
  const buffer = new Uint8Array(READ_BYTES);
  for (let count; (count = await content.read(buffer, hash.length)) > 0;) {
    throwIfAborted(signal);
    hash.add(buffer.subarray(0, count), hash.length);
  }
  return { bytes: hash.length, quickXorHash: hash.digest() };
}

export async function hashFile(
  path: string,
  signal: AbortSignal | undefined,
): ReturnType<typeof hashContent> {
  using file = await Deno.open(path);
  return await hashContent({ read: (buffer, position) => readAt(file, buffer, position) }, signal);
}

/**
 * Checks that local content is as it was when it was opened.
 *
 * @param quickXorHash Of all that was read of it.
 * @throws {GraphError} `conflict`, code `localChanged`.
 */
export async function checkUnchanged(
  content: LocalContent,
  quickXorHash: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const state = await content.state();
  if (state === "unchanged") return;
  if (state === "touched" && (await hashContent(content, signal)).quickXorHash === quickXorHash) return;
  throw localChangedError(`${content.path} changed during the upload`);
}
