/**
 * The published types of Microsoft Graph that the toolkit uses.
 *
 * @module
 */
export type {
  Channel,
  Drive,
  DriveItem,
  Site,
  Team,
  User,
} from "npm:@microsoft/microsoft-graph-types@2.43.1";
