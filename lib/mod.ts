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
export { type Session, type SessionFacts } from "./auth.ts";
export { type DeviceCode } from "./device_code.ts";
export { getMe, type Me } from "./me.ts";
export { type DriveFacts, type SiteFacts } from "./drives.ts";
export { type FoundItem, getItem, type Item, listItems } from "./items.ts";
export { type DownloadConflict, downloadFile, type DownloadOptions } from "./download.ts";
export { type LargeUploadOptions, uploadFile, uploadLargeFile, type UploadOptions } from "./upload.ts";
export { type UploadConflict } from "./upload_session.ts";
export { type OnProgress, type TransferResult } from "./transfer.ts";
export { type Verdict } from "./verify.ts";
export { EXIT_CODES, type FailureKind, GraphError, isGraphError } from "./errors.ts";
