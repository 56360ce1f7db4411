/** Share links, as **Copy link** in a browser gives them. */

import { Buffer } from "node:buffer";
import type { Item } from "./item.ts";

/** A link that a client has created. */
export interface SharingLink {
  readonly id: string;
  readonly item: Item;
  readonly type: string;
  readonly scope: string;
}

/** What a link shows of the type of a file. */
const LETTERS: Readonly<Record<string, string>> = {
  docx: "w",
  jpg: "i",
  mp4: "v",
  pdf: "b",
  png: "i",
  pptx: "p",
  txt: "t",
  xlsx: "x",
};

/** The link with which everybody in the tenant may read. */
export function sharingLink(item: Item): string {
  return linkAddress({ id: "", item, type: "view", scope: "organization" });
}

/** The address of a link; each type and scope has its own. */
export function linkAddress({ id, item, type, scope }: SharingLink): string {
  const { cid, info: { site: { hostname, path, personal } } } = item.drive;
  const keys = [item.guid, ...(type === "view" && scope === "organization" ? [] : [id])];
  const token = `E${
    keys.map((key) => Buffer.from(key.replaceAll("-", ""), "hex").toString("base64url")).join("")
  }`;
  if (cid !== undefined) return `https://1drv.ms/${letterOf(item)}/c/${cid}/${token}`;
  const kind = personal ? "g" : path.startsWith("/teams/") ? "t" : "s";
  const place = personal ? path.slice(1) : path.split("/").at(-1);
  return `https://${hostname}/:${letterOf(item)}:/${kind}/${place}/${token}`;
}

function letterOf({ kind, name }: Item): string {
  if (kind !== "file") return kind === "folder" ? "f" : "o";
  return LETTERS[/\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ""] ?? "u";
}
