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

/** A link for everybody in the tenant, or with the id of one that a client has created: each kind has its own. */
export function sharingLink(item: Item, id = ""): string {
  const { hostname, path, personal } = item.drive.info.site;
  const extension = /\.(\w)\w*$/.exec(item.name)?.[1]?.toLowerCase() ?? "u";
  const icon = item.kind === "folder" ? "f" : extension;
  const kind = personal ? "g" : path.startsWith("/teams/") ? "t" : "s";
  const place = personal ? path.slice(1) : path.split("/").at(-1);
  const bytes = Buffer.from((item.guid + id).replaceAll("-", ""), "hex");
  return `https://${hostname}/:${icon}:/${kind}/${place}/E${bytes.toString("base64url")}`;
}
