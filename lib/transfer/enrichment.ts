/**
 * The files that the service is known to change, by type and kind of drive: the only ones whose content may differ from
 * what was sent or stated. Any other difference is damage.
 *
 * @module
 */
import type { DocumentKind } from "../documents/structure.ts";

interface Enrichment {
  kind: DocumentKind;
  names: RegExp;
  /** `driveType` of drives that store something else than was sent. */
  uploads: readonly string[];
  /** Drives whose downloads may differ from the stated size and hash. */
  downloads: readonly string[];
  /** Rules of lib/graph/PROTOCOL.md, and the reports that they cite. */
  source: string;
}

const EVERYWHERE = ["personal", "business", "documentLibrary"];

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

/** The kind of document that the service may change in this direction; `undefined`: content must match exactly. */
export function enrichedKind(
  way: "uploads" | "downloads",
  name: string,
  driveType: string | undefined,
): DocumentKind | undefined {
  const row = ENRICHMENTS.find(({ names }) => names.test(name));
  return driveType !== undefined && row?.[way].includes(driveType) ? row.kind : undefined;
}
