/** What the service has and the sandbox does not, and the pages that document it (PROTOCOL 17b). */

import { notImplemented, type ServiceError } from "../service_error.ts";

/** Pages below learn.microsoft.com/graph/, by the segment of a URL. */
const PAGES: Readonly<Record<string, string>> = {
  activities: "api/activities-list",
  analytics: "api/itemanalytics-get",
  assignSensitivityLabel: "api/driveitem-assignsensitivitylabel",
  bundles: "api/drive-list-bundles",
  calendar: "api/resources/calendar",
  checkin: "api/driveitem-checkin",
  checkout: "api/driveitem-checkout",
  children: "onedrive-addressing-driveitems",
  columns: "api/site-list-columns",
  contentTypes: "api/site-list-contenttypes",
  discardCheckout: "api/driveitem-discardcheckout",
  events: "api/resources/event",
  extractSensitivityLabels: "api/driveitem-extractsensitivitylabels",
  follow: "api/driveitem-follow",
  followedSites: "api/sites-list-followed",
  following: "api/drive-list-following",
  invite: "api/driveitem-invite",
  list: "api/resources/list",
  listItem: "api/resources/listitem",
  lists: "api/list-list",
  members: "api/group-list-members",
  messages: "api/resources/message",
  organization: "api/organization-get",
  permissions: "api/resources/permission",
  photo: "api/profilephoto-get",
  preview: "api/driveitem-preview",
  recent: "api/drive-recent",
  restore: "api/driveitem-restore",
  retentionLabel: "api/driveitem-getretentionlabel",
  search: "api/search-query",
  sharedWithMe: "api/drive-sharedwithme",
  sites: "api/resources/site",
  special: "api/drive-get-specialfolder",
  subscriptions: "api/resources/subscription",
  thumbnails: "api/driveitem-list-thumbnails",
  unfollow: "api/driveitem-unfollow",
  versions: "api/resources/driveitemversion",
  workbook: "api/resources/excel",
};

/** 501 for a segment that the sandbox does not know; the page says whether the service does. */
export function unknownSegment(name: string): ServiceError {
  return notImplemented(`the segment '${name}'`, pageOf(name));
}

/** 501 for a method and relation without a handler. */
export function unknownRoute(method: string, relation: string): ServiceError {
  return notImplemented(
    relation === "" ? `${method} of this resource` : `${method} of '${relation}'`,
    pageOf(relation),
  );
}

function pageOf(segments: string): string {
  const names = segments.replace(/^microsoft\.graph\./, "").split(/[/(]/);
  return names.map((name) => PAGES[name]).find((page) => page !== undefined) ?? "api/overview";
}
