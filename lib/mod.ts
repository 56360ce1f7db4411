/**
 * For your own scripts: connect once, then list, download and upload.
 *
 * ```ts
 * import { connect, listItems, uploadFile } from "./mod.ts";
 *
 * async function archive(path: string): Promise<void> {
 *   const connection = await connect({ access: "write" });
 *   for await (const item of listItems(connection, "General")) console.log(item.path, item.size);
 *   console.log((await uploadFile(connection, path, "General/")).result);
 * }
 * ```
 *
 * @module
 */
export { type Access, connect, type Connection, type ConnectOptions } from "./connection.ts";
export { type Session, type SessionFacts } from "./sign_in/auth.ts";
export { type DeviceCode } from "./sign_in/device_code.ts";
export { getMe, type Me } from "./graph/me.ts";
export { type DriveFacts, type SiteFacts } from "./graph/drives.ts";
export { type FoundItem, getItem, type Item, listItems } from "./graph/items.ts";
export { type DownloadConflict, downloadFile, type DownloadOptions } from "./download/download.ts";
export { type LargeUploadOptions, uploadFile, uploadLargeFile, type UploadOptions } from "./upload/upload.ts";
export { type UploadConflict } from "./upload/upload_session.ts";
export { type OnProgress, type TransferResult } from "./transfer/transfer.ts";
export { type Verdict } from "./transfer/verify.ts";
export { EXIT_CODES, type FailureKind, GraphError, isGraphError } from "./errors.ts";
