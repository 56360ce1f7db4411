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
export type { DeviceCode } from "./auth/interaction.ts";
export type { Access } from "./auth/session.ts";
export { onTerminal } from "./cli/output.ts";
export { connect, type Connection, type ConnectOptions } from "./connect.ts";
export type { ByteSink } from "./content/copy.ts";
export {
  type DownloadConflict,
  downloadFile,
  type DownloadOptions,
  downloadStream,
} from "./download/download.ts";
export { getItem, type Item, type ItemContext, listItems, type ResolvedItem } from "./drive/items.ts";
export type { Location, LocationBase, LocationInput, NameOrId, SiteName } from "./drive/location.ts";
export type { FilterOptions } from "./drive/pattern.ts";
export { getMe, type Me, type MeContext } from "./drive/me.ts";
export { type ErrorDetails, EXIT_CODES, type FailureKind, GraphError, isGraphError } from "./errors.ts";
export { type SettingDefinition, type SettingName, SETTINGS } from "./settings.ts";
export type { OnProgress, TransferContext, TransferResult } from "./transfer/result.ts";
export type { Verdict } from "./transfer/verify.ts";
export type { UploadConflict } from "./upload/session.ts";
export { uploadFile, type UploadOptions } from "./upload/upload.ts";
