/** Receives fragments by the rules of PROTOCOL 7.3. */

import { emptyResponse, jsonResponse, type ServiceRequest, type ServiceResponse } from "../messages.ts";
import { driveItemJson, shortTime } from "../drive_item_json.ts";
import { invalidRequest, ServiceError } from "../service_error.ts";
import type { State } from "../state.ts";
import { eTagOf, type Item } from "../tenant/item.ts";
import { discard, sessionNotFound, type UploadSession } from "./upload_sessions.ts";

const ALIGNMENT_BYTES = 327_680;
const ODATA_TYPE =
  "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
/** A fragment must be smaller than this (CUS). */
const FRAGMENT_LIMIT_BYTES = 60 * 1024 * 1024;

interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total: number;
}

/** `PUT {uploadUrl}`: stores a fragment; the last one creates the file. */
export async function receiveFragment(
  state: State,
  session: UploadSession,
  request: ServiceRequest,
): Promise<ServiceResponse> {
  const range = checkFragment(session, request);
  if (session.totalBytes === undefined) session.drive.reserve(range.total);
  session.totalBytes = range.total;
  await receiveBytes(session, request);
  const length = range.end - range.start + 1;
  const complete = range.end + 1 === range.total;
  // After a partly kept fragment, the next one may end where that one would have ended.
  const completesFragment = session.drive.cid !== undefined && (range.end + 1) % ALIGNMENT_BYTES === 0;
  if (!complete && !completesFragment && length % ALIGNMENT_BYTES !== 0) session.misaligned = true;
  state.sessions.extend(session);
  if (!complete) return progressResponse(session, 202);
  if (session.deferCommit) return progressResponse(session, 202);
  return await commit(state, session);
}

/** `GET {uploadUrl}`, and the response to every fragment but the last. */
export function progressResponse(session: UploadSession, status: 200 | 202): ServiceResponse {
  const { drive, totalBytes, staging: { keptBytes } } = session;
  // A personal OneDrive includes the end of the range once it knows the total (PROTOCOL 7.3b).
  const isClosed = drive.cid !== undefined && !drive.info.olderForms && totalBytes !== undefined;
  const last = isClosed ? totalBytes - 1 : "";
  return jsonResponse(status, {
    expirationDateTime: shortTime(new Date(session.expires)),
    nextExpectedRanges: keptBytes === totalBytes ? [] : [`${keptBytes}-${last}`],
  });
}

/** `DELETE {uploadUrl}`. */
export function cancel(state: State, session: UploadSession): ServiceResponse {
  state.sessions.end(session, "abandoned");
  return emptyResponse(204);
}

/** Creates the file. After an error the bytes stay until the session expires (CUS). */
export async function commit(state: State, session: UploadSession): Promise<ServiceResponse> {
  if (session.totalBytes === undefined || session.staging.keptBytes !== session.totalBytes) {
    throw invalidRequest("The upload session is not complete.", "uploadSessionIncomplete");
  }
  // A misaligned fragment is reported only at the end of the upload (PROTOCOL U14).
  if (session.misaligned) {
    const message = "Every fragment but the last must be a multiple of 320 KiB.";
    throw invalidRequest(message, "uploadSessionFailed");
  }
  session.content ??= session.staging.finish();
  const { drive, parent, name, conflict, author, fileSystemInfo, itemGuid: guid } = session;
  const { item, created } = drive.placeFile(parent, name, session.content, {
    conflict,
    author,
    guid,
    fileSystemInfo,
  });
  const isBusiness = drive.cid === undefined;
  // Its making is a version of its own (PROTOCOL 7.3h).
  if (created && isBusiness) item.eTagVersion = item.cTagVersion = 2;
  item.description = session.description ?? item.description;
  state.sessions.end(session, "committed");
  const body = await state.tenant.storedFile(item, () => committedJson(state, item));
  return jsonResponse(created ? 201 : 200, body, isBusiness ? { "content-type": ODATA_TYPE } : {});
}

/** The item as SharePoint has it, which differs in some properties (PROTOCOL 7.3h). */
function committedJson(state: State, item: Item): Record<string, unknown> {
  const { "@microsoft.graph.downloadUrl": url, file, ...json } = driveItemJson(state, item);
  const { cid, info: { site, olderForms } } = item.drive;
  if (cid !== undefined || olderForms) return { "@microsoft.graph.downloadUrl": url, file, ...json };
  return {
    "@odata.context": `${state.origins.storage(site)}${site.path}/_api/v2.0/$metadata#items/$entity`,
    "@content.downloadUrl": url,
    ...json,
    file: { ...file as Record<string, unknown>, irmEffectivelyEnabled: false, irmEnabled: false },
    shared: { effectiveRoles: ["write"], scope: "users" },
  };
}

/** Checks the headers before the body is read: their form first, then the state of the session. */
function checkFragment(session: UploadSession, request: ServiceRequest): ContentRange {
  if (request.body.chunked) {
    throw invalidRequest(
      "The size of the provided stream is not known. Make sure the request is not chunked.",
    );
  }
  const range = parseContentRange(request.headers["content-range"]);
  const length = range.end - range.start + 1;
  if (request.body.declaredLength !== length) {
    throw invalidRequest("The Content-Range header length does not match the provided number of bytes.");
  }
  if (session.totalBytes !== undefined && session.totalBytes !== range.total) {
    const message = "The total size differs from the one of the fragments before.";
    throw invalidRequest(message, "fragmentLengthMismatch");
  }
  if (length >= FRAGMENT_LIMIT_BYTES) {
    const message = "The fragment is larger than the server accepts.";
    throw new ServiceError(413, "invalidRequest", message, { innerCode: "maxFragmentLengthExceeded" });
  }
  checkOrder(session, range);
  checkIfMatch(session);
  return range;
}

function checkOrder(session: UploadSession, range: ContentRange): void {
  const expected = session.staging.keptBytes;
  if (range.start < expected) {
    const message = "The uploaded fragment overlaps with data that has already been received.";
    throw new ServiceError(416, "invalidRange", message, { innerCode: "fragmentOverlap" });
  }
  if (range.start > expected || session.receiving) {
    const message = "The uploaded fragment is out of order.";
    throw new ServiceError(416, "invalidRange", message, { innerCode: "fragmentOutOfOrder" });
  }
}

/** Creating the session changed the eTag, so its If-Match fails here (PROTOCOL U17). */
function checkIfMatch(session: UploadSession): void {
  const { ifMatch } = session;
  if (ifMatch === undefined || ifMatch.eTag === eTagOf(ifMatch.item)) return;
  const message = "ETag does not match current item's value";
  throw new ServiceError(412, "resourceModified", message, { innerCode: "entityTagDoesNotMatch" });
}

/**
 * Appends the body. If the connection breaks, a personal OneDrive keeps the received part; SharePoint does so only
 * if a fault rule says so.
 */
async function receiveBytes(session: UploadSession, request: ServiceRequest): Promise<void> {
  session.receiving = true;
  try {
    await request.body.read((chunk) => session.staging.append(chunk));
    session.staging.keep();
  } catch (error) {
    if (session.drive.cid !== undefined || request.body.keptInPart) session.staging.keep();
    else session.staging.undo();
    throw error;
  } finally {
    session.receiving = false;
    // Canceled while it was receiving.
    if (session.ended) discard(session);
  }
  if (session.ended) throw sessionNotFound();
}

/** Parses `bytes a-b/total`; all else is malformed, even `bytes 0--1/0` for an empty file (PROTOCOL U11). */
function parseContentRange(header: string | undefined): ContentRange {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(header ?? "");
  const [start, end, total] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
  if (!match || total === 0 || end < start || end >= total) {
    throw invalidRequest("The Content-Range header is missing or malformed.");
  }
  return { start, end, total };
}
