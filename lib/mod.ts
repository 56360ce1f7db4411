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
export { type Access } from "./auth/scopes.ts";
export { onTerminal } from "./cli/output.ts";
export { connect, type Connection, type ConnectOptions, type SettingSources } from "./connect.ts";
export { type AuthSession, type SessionInfo } from "./auth/session.ts";
export { type DeviceCode } from "./auth/device_code.ts";
export { getMe, type Me } from "./drive/me.ts";
export { type DriveInfo } from "./drive/drives.ts";
export { type SiteInfo } from "./drive/sites.ts";
export { getItem, type Item, listItems, type ResolvedItem } from "./drive/items.ts";
export { type DownloadConflict, downloadFile, type DownloadOptions } from "./download/download.ts";
export { type LargeUploadOptions, uploadFile, uploadLargeFile, type UploadOptions } from "./upload/upload.ts";
export { type UploadConflict } from "./upload/session.ts";
export { type OnProgress, type TransferResult } from "./transfer/result.ts";
export { type Verdict } from "./transfer/verify.ts";
export { EXIT_CODES, type FailureKind, GraphError, isGraphError } from "./errors.ts";
