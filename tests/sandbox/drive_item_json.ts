/** driveItem as JSON, in the shape of OneDrive for work and SharePoint (graph-protocol 4.1). */

import type { State } from "./state.ts";
import { downloadUrl } from "./storage/download.ts";
import type { Drive } from "./tenant/drive.ts";
import { cTag, eTag } from "./tenant/ids.ts";
import { type Author, type Item, pathOf } from "./tenant/item.ts";
import { mimeType } from "./tenant/mime_types.ts";

type Json = Record<string, unknown>;

/** The whole item; `wants` keeps what is costly (the download URL) out when nobody asked for it. */
export function driveItemJson(
  state: State,
  item: Item,
  wants: (property: string) => boolean = () => true,
): Json {
  const isFile = item.kind === "file";
  return {
    ...(isFile && wants("@microsoft.graph.downloadUrl")
      ? { "@microsoft.graph.downloadUrl": downloadUrl(state, item) }
      : {}),
    createdDateTime: seconds(item.created),
    eTag: eTag(item.guid, item.eTagVersion),
    id: item.id,
    lastModifiedDateTime: seconds(item.modified),
    name: item.name,
    webUrl: webUrl(item),
    // Folders have no cTag on this back end (DI).
    ...(isFile ? { cTag: cTag(item.guid, item.cTagVersion) } : {}),
    size: item.size,
    createdBy: identitySet(item.createdBy),
    lastModifiedBy: identitySet(item.modifiedBy),
    ...(item.parent ? { parentReference: parentReference(item.parent) } : {}),
    fileSystemInfo: {
      createdDateTime: seconds(item.fileSystemInfo.created),
      lastModifiedDateTime: seconds(item.fileSystemInfo.modified),
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
  return { mimeType: mimeType(item.name), hashes: hash === undefined ? {} : { quickXorHash: hash } };
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

/** `path` is percent-encoded, `name` is not (trap N8). */
function parentReference(parent: Item): Json {
  const path = pathOf(parent).map((name) => `/${encodeURIComponent(name)}`).join("");
  return {
    driveType: driveType(parent.drive),
    driveId: parent.drive.id,
    id: parent.id,
    name: parent.parent ? parent.name : parent.drive.info.urlName,
    path: `/drives/${parent.drive.id}/root:${path}`,
    siteId: parent.drive.info.site.siteGuid,
  };
}

/** The address of an item in the browser. */
export function webUrl(item: Item): string {
  return [item.drive.webUrl, ...pathOf(item).map(encodeURIComponent)].join("/");
}

/** `business` for a person's OneDrive, `documentLibrary` for a library of a site. */
export function driveType(drive: Drive): "business" | "documentLibrary" {
  return drive.info.owner ? "business" : "documentLibrary";
}

/** Who, as an identitySet. */
export function identitySet(author: Author): Json {
  const { user, application } = author;
  return {
    ...(application ? { application: { id: application.id, displayName: application.displayName } } : {}),
    user: { email: user.userPrincipalName, id: user.id, displayName: user.displayName },
  };
}

/** Whole seconds, as this back end writes times. */
export function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
