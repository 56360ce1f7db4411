/**
 * `/shares/{encoded URL}`: items by a share link, or by what a browser shows
 * (https://learn.microsoft.com/graph/api/shares-get).
 */

import { Buffer } from "node:buffer";
import { invalidRequest, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import type { Item } from "../tenant/item.ts";
import { pathOf } from "../tenant/item.ts";
import { linkAddress, sharingLink } from "../tenant/sharing_link.ts";
import { pathUrl } from "../drive_item_json.ts";

/** The item of a share token: `u!` and the base64url of a URL. @throws {ServiceError} 400 or 403 */
export function itemOfShare(state: State, token: string): Item {
  if (!token.startsWith("u!")) throw invalidRequest("The sharing token is invalid.", "invalidRequest");
  const url = URL.parse(Buffer.from(token.slice(2), "base64url").toString());
  const item = url &&
    (byLink(state, `${url.origin}${url.pathname}`) ?? byDocumentPage(state, url) ?? byWebUrl(state, url));
  if (item) return item;
  const message = "The sharing link no longer exists, or you do not have permission to access it.";
  throw new ServiceError(403, "accessDenied", message);
}

function byLink(state: State, url: string): Item | undefined {
  return state.links.find((link) => linkAddress(link) === url)?.item ??
    items(state).find((item) => sharingLink(item) === url);
}

/** `…/_layouts/15/Doc.aspx?sourcedoc={GUID}` of a site, and `doc.aspx?resid=GUID` of a personal OneDrive. */
function byDocumentPage(state: State, { hostname, pathname, searchParams }: URL): Item | undefined {
  const key = ["sourcedoc", "UniqueId", "resid"].map((name) => searchParams.get(name)).find((text) => text);
  const guid = key?.replaceAll(/[{}]/g, "").toLowerCase();
  const [sitePath] = pathname.split("/_layouts/");
  return items(state).find(({ guid: own, drive: { cid, info: { site } } }) =>
    own === guid && site.path.toLowerCase() === sitePath!.toLowerCase() &&
    hostname === (cid === undefined ? site.hostname : "onedrive.live.com")
  );
}

function byWebUrl(state: State, url: URL): Item | undefined {
  const wanted = `https://${url.host}${url.pathname}`.toLowerCase();
  return items(state).find((item) => pathUrl(item).toLowerCase() === wanted);
}

function items(state: State): Item[] {
  const below = (item: Item): Item[] => [item, ...[...item.children.values()].flatMap(below)];
  return state.tenant.drives.flatMap((drive) => below(drive.root)).filter((item) => pathOf(item).length > 0);
}
