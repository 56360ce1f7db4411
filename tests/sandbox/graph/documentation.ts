/** What the service has and the sandbox does not, and the pages that document it (PROTOCOL 17b). */

import { notImplemented, type ServiceError } from "../service_error.ts";

/** Pages below learn.microsoft.com/graph/, by the segment of a URL. */
const PAGES: Readonly<Record<string, string>> = {
  activities: "api/activities-list",
  analytics: "api/itemanalytics-get",
  assignSensitivityLabel: "api/driveitem-assignsensitivitylabel",
  bundles: "api/drive-list-bundles",
  calendar: "api/resources/calendar",
  channels: "api/channel-list",
  checkin: "api/driveitem-checkin",
  checkout: "api/driveitem-checkout",
  children: "onedrive-addressing-driveitems",
  columns: "api/site-list-columns",
  content: "api/driveitem-get-content",
  contentTypes: "api/site-list-contenttypes",
  copy: "api/driveitem-copy",
  createLink: "api/driveitem-createlink",
  createUploadSession: "api/driveitem-createuploadsession",
  delta: "api/driveitem-delta",
  discardCheckout: "api/driveitem-discardcheckout",
  drive: "api/drive-get",
  drives: "api/drive-list",
  events: "api/resources/event",
  extractSensitivityLabels: "api/driveitem-extractsensitivitylabels",
  filesFolder: "api/channel-get-filesfolder",
  follow: "api/driveitem-follow",
  followedSites: "api/sites-list-followed",
  following: "api/drive-list-following",
  getAllSites: "api/site-getallsites",
  groups: "api/resources/group",
  invite: "api/driveitem-invite",
  items: "api/resources/driveitem",
  joinedTeams: "api/user-list-joinedteams",
  list: "api/resources/list",
  listItem: "api/resources/listitem",
  lists: "api/list-list",
  members: "api/group-list-members",
  messages: "api/resources/message",
  organization: "api/organization-get",
  permanentDelete: "api/driveitem-permanentdelete",
  permissions: "api/resources/permission",
  photo: "api/profilephoto-get",
  preview: "api/driveitem-preview",
  recent: "api/drive-recent",
  restore: "api/driveitem-restore",
  retentionLabel: "api/driveitem-getretentionlabel",
  search: "api/search-query",
  sharedWithMe: "api/drive-sharedwithme",
  shares: "api/shares-get",
  sites: "api/resources/site",
  special: "api/drive-get-specialfolder",
  subscriptions: "api/resources/subscription",
  teams: "api/resources/team",
  thumbnails: "api/driveitem-list-thumbnails",
  unfollow: "api/driveitem-unfollow",
  users: "api/user-list",
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
