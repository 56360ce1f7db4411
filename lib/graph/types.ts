/**
 * The published types of Microsoft Graph that the toolkit uses.
 *
 * @module
 */
export type { Drive, DriveItem, Site, User } from "npm:@microsoft/microsoft-graph-types@2.43.1";
