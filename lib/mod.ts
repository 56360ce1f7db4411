/**
 * For your own scripts: connect once, then list, download and upload.
 *
 * ```ts
 * import { connect, listItems, uploadFile } from "./mod.ts";
 *
 * const connection = await connect({ access: "write" });
 * for await (const item of listItems(connection, "General")) console.log(item.path, item.size);
 * const { result } = await uploadFile(connection, "report.pdf", "General/");
 * console.log(result);
 * ```
 *
 * @module
 */
export { type Access } from "./auth/scopes.ts";
export { connect, type Connection, type ConnectOptions } from "./connect.ts";
export { type AuthSession as Session, type SessionInfo as SessionFacts } from "./auth/session.ts";
export { type DeviceCode } from "./auth/device_code.ts";
export { getMe, type Me } from "./drive/me.ts";
export { type DriveInfo as DriveFacts } from "./drive/drives.ts";
export { type SiteInfo as SiteFacts } from "./drive/sites.ts";
export { getItem, type Item, listItems, type ResolvedItem as FoundItem } from "./drive/items.ts";
export { type DownloadConflict, downloadFile, type DownloadOptions } from "./download/download.ts";
export { type LargeUploadOptions, uploadFile, uploadLargeFile, type UploadOptions } from "./upload/upload.ts";
export { type UploadConflict } from "./upload/session.ts";
export { type OnProgress, type TransferResult } from "./transfer/result.ts";
export { type Verdict } from "./transfer/verify.ts";
export { EXIT_CODES, type FailureKind, GraphError, isGraphError } from "./errors.ts";
