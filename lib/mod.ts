/**
 * For your own scripts: connect once, then list, download and upload.
 *
 * ```ts
 * import { connect, listItems, onTerminal, uploadFile } from "./mod.ts";
 *
 * const connection = await connect({ access: "write", ...onTerminal() });
 * for await (const item of listItems(connection, "General")) console.log(item.path, item.size);
 * const { result } = await uploadFile(connection, "report.pdf", "General/");
 * console.log(result);
 * ```
 *
 * `onTerminal()` prints notices and the instruction to sign in on a terminal. Without it nothing is printed, and a missing
 * sign-in is an error; `whoami` signs in once for all scripts.
 *
 * @module
 */
export type { AccountInfo } from "./auth/accounts.ts";
export type { DeviceCode } from "./auth/interaction.ts";
export type { Access } from "./auth/session.ts";
export type { AccountType, AuthSession, SessionInfo, TokenRefresh, TokenSource } from "./auth/session.ts";
export type { CloudName } from "./clouds.ts";
export { onTerminal } from "./cli/output.ts";
export { connect, type Connection, type ConnectOptions } from "./connect.ts";
export type { ByteSink } from "./content/copy.ts";
export {
  type DownloadConflict,
  downloadFile,
  type DownloadOptions,
  downloadStream,
} from "./download/download.ts";
export type { DriveInfo, Drives, SiteInfo } from "./drive/drives.ts";
export {
  type DriveItem,
  getItem,
  type Item,
  type ItemContext,
  listItems,
  type ResolvedItem,
} from "./drive/items.ts";
export type { Location, LocationBase, LocationInput, SiteName } from "./drive/location.ts";
export { getMe, type Me, type MeContext } from "./drive/me.ts";
export { EXIT_CODES, type FailureKind, GraphError, isGraphError } from "./errors.ts";
export type { GraphClient } from "./graph/client.ts";
export type { StorageClient } from "./graph/storage.ts";
export type { HttpOptions, TraceEvent } from "./http/client.ts";
export type { AppCredentialSetting, KeySetting, SettingName, Settings } from "./settings.ts";
export type { OnProgress, TransferContext, TransferResult } from "./transfer/result.ts";
export type { Verdict } from "./transfer/verify.ts";
export type { UploadConflict } from "./upload/session.ts";
export { uploadFile, type UploadOptions } from "./upload/upload.ts";
