/**
 * What the service is known to change in files, by their type and the kind of their drive: the one table that says where
 * content may differ from what was sent or stated. What is not in it is never anything but damaged.
 *
 * @module
 */
import type { DocumentKind } from "../documents/structure.ts";

/** `driveType` of a drive. */
type DriveType = "personal" | "business" | "documentLibrary";

interface Enrichment {
  kind: DocumentKind;
  names: RegExp;
  /** Drives in which what is stored differs from what was sent. */
  uploads: readonly DriveType[];
  /** Drives from which something else may come than their items state. */
  downloads: readonly DriveType[];
  /** Where it is seen: sections and traps of lib/graph/PROTOCOL.md, and the reports that they name. */
  source: string;
}

const EVERYWHERE = ["personal", "business", "documentLibrary"] as const;

/** The table. */
export const ENRICHMENTS: readonly Enrichment[] = [
  {
    kind: "office",
    names: /\.(doc[xm]?|dot[xm]?|xls[xmb]?|xlt[xm]?|ppt[xm]?|pps[xm]?|pot[xm]?|vsdx)$/i,
    uploads: ["documentLibrary"],
    downloads: ["personal", "documentLibrary"],
    source: "10.2 (api-docs#935, rclone#2599), D6 (api-docs#492, rclone#2036)",
  },
  {
    kind: "pdf",
    names: /\.pdf$/i,
    uploads: ["documentLibrary"],
    downloads: ["personal", "documentLibrary"],
    source: "10.2 (ab#205), D6 (api-docs#492)",
  },
  {
    kind: "jpeg",
    names: /\.jpe?g$/i,
    uploads: ["documentLibrary"],
    downloads: ["personal", "documentLibrary"],
    source: "10.2 (contrib#8903), D6 (api-docs#492)",
  },
  {
    kind: "html",
    names: /\.(html?|aspx)$/i,
    uploads: ["documentLibrary"],
    downloads: ["documentLibrary"],
    source: "10.2 (api-docs#935, ab#205)",
  },
  {
    kind: "heic",
    names: /\.hei[cf]$/i,
    uploads: [],
    downloads: EVERYWHERE,
    source: "D6 (api-docs#1723: personal and business; ab#2471)",
  },
  {
    kind: "oneNote",
    names: /\.(one|onetoc2)$/i,
    uploads: [],
    downloads: EVERYWHERE,
    source: "D6 (api-docs#927)",
  },
];

/** The kind of document that the service may change on this way; `undefined`: it must come as it was sent or stated. */
export function enrichedKind(
  way: "uploads" | "downloads",
  name: string,
  driveType: string | undefined,
): DocumentKind | undefined {
  const row = ENRICHMENTS.find(({ names }) => names.test(name));
  const drives: readonly string[] = row?.[way] ?? [];
  return driveType !== undefined && drives.includes(driveType) ? row?.kind : undefined;
}
