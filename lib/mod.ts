/**
 * For your own scripts: connect once, then list, change, download and upload.
 *
 * ```ts
 * import { list, runMain, uploadFile } from "./mod.ts";
 *
 * await runMain(async (connection) => {
 *   for await (const item of list(connection, "General")) console.log(item.path, item.size);
 *   console.log(await uploadFile(connection, "report.pdf", "General/"));
 * }, { access: "write" });
 * ```
 *
 * A location is a text as the scripts take it, or an item or result of another function. Where a name is taken, every function
 * fails with the kind `conflict` by default, and nothing is replaced.
 *
 * `runMain()` signs in on a terminal, prints errors, and ends with their exit code. In a larger program use `connect()`, which
 * prints nothing unless it is given `onTerminal()`; without that a missing sign-in is an error, and `whoami` signs in once for all.
 *
 * @module
 */
export type { DeviceCode } from "./auth/interaction.ts";
export type { Access } from "./auth/session.ts";
export { runMain } from "./cli/main.ts";
export { onTerminal } from "./cli/output.ts";
export { connect, type Connection, type ConnectOptions } from "./connect.ts";
export type { ByteSink } from "./content/copy.ts";
export {
  type DownloadConflict,
  downloadFile,
  type DownloadOptions,
  downloadStream,
} from "./download/download.ts";
export { downloadFolder, type DownloadFolderOptions } from "./download/tree.ts";
export { list, listDrives, listSites, stat, walk } from "./drive/browse.ts";
export type { DriveInfo, SiteInfo } from "./drive/drives.ts";
export type { Item, ItemContext } from "./drive/items.ts";
export type {
  ItemReference,
  Location,
  LocationBase,
  LocationInput,
  NameOrId,
  SiteName,
} from "./drive/location.ts";
export type { FilterOptions } from "./drive/pattern.ts";
export { getMe, type Me, type MeContext } from "./drive/me.ts";
export { type ErrorDetails, EXIT_CODES, type FailureKind, GraphError, isGraphError } from "./errors.ts";
export { copy, type CopyOptions } from "./manage/copy.ts";
export { createFolder } from "./manage/folder.ts";
export { createLink, type LinkOptions, move, remove, type ShareLink } from "./manage/items.ts";
export { type SettingDefinition, type SettingName, SETTINGS } from "./settings.ts";
export type { OnProgress, TransferContext, TransferResult } from "./transfer/result.ts";
export type { Verdict } from "./transfer/verify.ts";
export type { UploadConflict } from "./upload/session.ts";
export { uploadFile, type UploadOptions, uploadStream } from "./upload/upload.ts";
export { uploadFolder, type UploadFolderOptions } from "./upload/tree.ts";
