/** driveItem as JSON, in the shape of OneDrive for work and SharePoint (PROTOCOL 4.1). */

import type { State } from "./state.ts";
import { downloadUrl } from "./storage/download.ts";
import { siteUrl } from "./tenant/directory.ts";
import type { Drive } from "./tenant/drive.ts";
import { type Author, cTagOf, eTagOf, type Item, pathOf } from "./tenant/item.ts";
import { mimeType } from "./tenant/mime_types.ts";

type Json = Record<string, unknown>;

/** The driveItem; `wants` says which costly properties (the download URL) to include. */
export function driveItemJson(
  state: State,
  item: Item,
  includes: (property: string) => boolean = () => true,
): Json {
  const isFile = item.kind === "file";
  const isRoot = item.parent === undefined;
  const { cid, info: { olderForms } } = item.drive;
  // Only an older personal OneDrive shows fractions of a second, without trailing zeros (ab#2471, PROTOCOL 11b).
  const timeText = cid !== undefined && olderForms ? shortTime : seconds;
  // A root has no cTag, and on business no eTag either; earlier, no business folder had a cTag (PROTOCOL 4.1i).
  const hasCTag = !isRoot && (isFile || cid !== undefined || !olderForms);
  return {
    ...(isFile && includes("@microsoft.graph.downloadUrl")
      ? { "@microsoft.graph.downloadUrl": downloadUrl(state, item) }
      : {}),
    createdDateTime: seconds(item.created),
    ...(item.description === undefined ? {} : { description: item.description }),
    ...(isRoot && cid === undefined ? {} : { eTag: eTagOf(item) }),
    id: item.id,
    lastModifiedDateTime: seconds(item.modified),
    name: item.name,
    webUrl: webUrl(item),
    ...(hasCTag ? { cTag: cTagOf(item) } : {}),
    size: item.size,
    createdBy: identitySet(item.createdBy),
    lastModifiedBy: identitySet(item.modifiedBy),
    parentReference: item.parent ? parentReference(item.parent) : driveReference(item.drive),
    fileSystemInfo: {
      createdDateTime: timeText(item.fileSystemInfo.created),
      lastModifiedDateTime: timeText(item.fileSystemInfo.modified),
    },
    ...facets(state, item),
  };
}

function facets(state: State, item: Item): Json {
  switch (item.kind) {
    case "folder":
      return folderFacets(item);
    case "file":
      return { file: fileFacet(state, item) };
    case "package":
      return { package: { type: "oneNote" } };
    case "link":
      return { remoteItem: remoteItem(item.target!) };
  }
}

/** A personal OneDrive also shows how a folder is viewed, and which one it made itself (PROTOCOL 4.1o). */
function folderFacets(item: Item): Json {
  const { drive: { cid, root }, parent, name } = item;
  const rootFacet = parent === undefined ? { root: {} } : {};
  const folder = { childCount: item.children.size };
  if (cid === undefined) return { folder, ...rootFacet };
  const isDocuments = parent === root && name === "Documents";
  const view = { sortBy: "name", sortOrder: "ascending", viewType: "thumbnails" };
  return {
    folder: { ...folder, view },
    ...rootFacet,
    ...(isDocuments ? { specialFolder: { name: "documents" } } : {}),
  };
}

function fileFacet(state: State, item: Item): Json {
  const hash = state.tenant.reportedHash(item);
  const hashes = hash === undefined ? {} : { quickXorHash: hash, ...state.tenant.otherHashes(item) };
  return { mimeType: mimeType(item.name), hashes };
}

function remoteItem(target: Item): Json {
  return {
    id: target.id,
    name: target.name,
    size: target.size,
    webUrl: webUrl(target),
    parentReference: parentReference(target.parent!),
    fileSystemInfo: {
      createdDateTime: seconds(target.fileSystemInfo.created),
      lastModifiedDateTime: seconds(target.fileSystemInfo.modified),
    },
    ...(target.kind === "folder" ? { folder: { childCount: target.children.size } } : {}),
  };
}

/** Neither `path` nor `name` is percent-encoded, whatever the documentation shows (recorded 2024 and 2026; PROTOCOL N8). */
function parentReference(parent: Item): Json {
  const { cid, info: { urlName, site, olderForms } } = parent.drive;
  const reference = driveReference(parent.drive);
  const root = cid === undefined || olderForms ? `/drives/${reference.driveId}/root:` : "/drive/root:";
  const encode = olderForms ? encodeURIComponent : (name: string) => name;
  return {
    ...reference,
    id: parent.id,
    name: parent.parent ? parent.name : cid !== undefined && olderForms ? "root" : urlName,
    path: root + pathOf(parent).map((name) => `/${encode(name)}`).join(""),
    ...(cid !== undefined && olderForms ? {} : { siteId: site.siteGuid }),
  };
}

/** All that the root refers to (PROTOCOL 4.1l). */
function driveReference(drive: Drive): { driveType: string; driveId: string } {
  const { id, cid, info: { olderForms } } = drive;
  // The same id spelled differently: upper case, no leading zero (PROTOCOL N9).
  const driveId = cid !== undefined && olderForms ? cid.toUpperCase().replace(/^0/, "") : id;
  return { driveType: driveType(drive), driveId };
}

const OFFICE = /\.(?:doc|xls|ppt)x$/i;

/** The URL that opens the item in a browser: for Office files an editor (PROTOCOL 4.1m). */
export function webUrl(item: Item): string {
  const { drive: { cid, info: { site, olderForms } }, guid } = item;
  const isOffice = OFFICE.test(item.name) && !olderForms;
  if (cid !== undefined) {
    return isOffice
      ? `https://onedrive.live.com${site.path}/_layouts/15/doc.aspx?resid=${guid}&cid=${cid}`
      : `https://onedrive.live.com?cid=${cid}&id=${encodeURIComponent(item.id)}`;
  }
  if (!isOffice) return pathUrl(item);
  const query = `sourcedoc=%7B${guid.toUpperCase()}%7D&file=${encodeURIComponent(item.name)}`;
  return `${siteUrl(site)}/_layouts/15/Doc.aspx?${query}&action=default&mobileredirect=true`;
}

/** The URL of the item's path, which an item always has as well. */
export function pathUrl(item: Item): string {
  return [item.drive.webUrl, ...pathOf(item).map(encodeURIComponent)].join("/");
}

export function driveType(drive: Drive): "personal" | "business" | "documentLibrary" {
  if (drive.cid !== undefined) return "personal";
  return drive.info.owner ? "business" : "documentLibrary";
}

export function identitySet(author: Author): Json {
  const { user, application } = author;
  return {
    ...(application ? { application: { id: application.id, displayName: application.displayName } } : {}),
    ...(user
      ? {
        user: { email: user.mail, id: user.id, displayName: user.displayName },
      }
      : {}),
  };
}

/** ISO time in milliseconds, without trailing zeros. */
export function shortTime(time: Date): string {
  return time.toISOString().replace(/\.?0+Z$/, "Z");
}

/** ISO time in whole seconds. */
export function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
