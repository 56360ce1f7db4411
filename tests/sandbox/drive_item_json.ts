/** driveItem as JSON, in the shape of OneDrive for work and SharePoint (PROTOCOL 4.1). */

import type { State } from "./state.ts";
import { downloadUrl } from "./storage/download.ts";
import { isPersonal } from "./tenant/directory.ts";
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
  // A personal OneDrive shows fractions of a second, without trailing zeros (ab#2471).
  const timeText = item.drive.cid === undefined ? seconds : milliseconds;
  return {
    ...(isFile && includes("@microsoft.graph.downloadUrl")
      ? { "@microsoft.graph.downloadUrl": downloadUrl(state, item) }
      : {}),
    createdDateTime: seconds(item.created),
    ...(item.description === undefined ? {} : { description: item.description }),
    eTag: eTagOf(item),
    id: item.id,
    lastModifiedDateTime: seconds(item.modified),
    name: item.name,
    webUrl: webUrl(item),
    // Folders have no cTag on the business back end (DI).
    ...(isFile || item.drive.cid !== undefined ? { cTag: cTagOf(item) } : {}),
    size: item.size,
    createdBy: identitySet(item.createdBy),
    lastModifiedBy: identitySet(item.modifiedBy),
    ...(item.parent ? { parentReference: parentReference(item.parent) } : {}),
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
      return { folder: { childCount: item.children.size }, ...(item.parent ? {} : { root: {} }) };
    case "file":
      return { file: fileFacet(state, item) };
    case "package":
      return { package: { type: "oneNote" } };
    case "link":
      return { remoteItem: remoteItem(item.target!) };
  }
}

function fileFacet(state: State, item: Item): Json {
  const hash = state.tenant.reportedHash(item);
  const sha1 = hash === undefined ? undefined : state.tenant.reportedSha1(item);
  const hashes = hash === undefined
    ? {}
    : { quickXorHash: hash, ...(sha1 === undefined ? {} : { sha1Hash: sha1 }) };
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
  const { cid } = parent.drive;
  // The same id spelled differently: upper case, no leading zero (PROTOCOL N9).
  const driveId = cid === undefined ? parent.drive.id : cid.toUpperCase().replace(/^0/, "");
  const path = pathOf(parent).map((name) => `/${name}`).join("");
  return {
    driveType: driveType(parent.drive),
    driveId,
    id: parent.id,
    name: parent.parent ? parent.name : cid === undefined ? parent.drive.info.urlName : "root",
    path: `/drives/${driveId}/root:${path}`,
    ...(cid === undefined ? { siteId: parent.drive.info.site.siteGuid } : {}),
  };
}

/** The URL that opens the item in a browser. */
export function webUrl(item: Item): string {
  if (item.drive.cid !== undefined) return `${item.drive.webUrl}&id=${encodeURIComponent(item.id)}`;
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
        user: isPersonal(user)
          ? { displayName: user.displayName, id: user.id }
          : { email: user.mail, id: user.id, displayName: user.displayName },
      }
      : {}),
  };
}

function milliseconds(time: Date): string {
  return time.toISOString().replace(/\.?0+Z$/, "Z");
}

/** ISO time in whole seconds. */
export function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
