/** Upload sessions (PROTOCOL 7). */

import { itemNotFound, ServiceError } from "../service_error.ts";
import { type Content, type ContentStore, deleteFile, type Staging } from "../tenant/content_store.ts";
import type { ConflictBehavior, Drive } from "../tenant/drive.ts";
import { type Author, type FileSystemInfo, type Item, pathOf } from "../tenant/item.ts";
import { nameKey } from "../tenant/names.ts";

/** The request that created the session. */
export interface SessionRequest {
  readonly drive: Drive;
  readonly parent: Item;
  readonly name: string;
  /** Of the file that is replaced or will be new. */
  readonly itemGuid: string;
  readonly conflict: ConflictBehavior;
  readonly description: string | undefined;
  readonly fileSystemInfo: Partial<FileSystemInfo>;
  readonly deferCommit: boolean;
  readonly author: Author;
  /** Item and eTag of an If-Match header, checked again with every fragment (PROTOCOL U17). */
  readonly ifMatch: { item: Item; eTag: string } | undefined;
}

export interface UploadSession extends SessionRequest {
  readonly guid: string;
  readonly created: Date;
  uploadUrl: string;
  /** Extended with every stored fragment (PROTOCOL 7.2). */
  expires: number;
  readonly staging: Staging;
  /** Set when all bytes have arrived. */
  content: Content | undefined;
  /** Total of the first Content-Range; later ones must agree. */
  totalBytes: number | undefined;
  /** A fragment is being received. */
  receiving: boolean;
  /** Some fragment but the last was not a multiple of 320 KiB: the commit will fail. */
  misaligned: boolean;
  ended: boolean;
}

/** A session as tests see it. */
export interface SessionInfo {
  /** The drive of the file. */
  driveId: string;
  /** The name of the file. */
  name: string;
  /** Relative to the root of the drive, without a leading slash. */
  path: string;
  /** The pre-authenticated URL for fragments. */
  uploadUrl: string;
  /** Bytes that have arrived and are kept. */
  keptBytes: number;
  /** The size of the file, once a fragment has named it. */
  totalBytes: number | undefined;
  /** When the session began. */
  created: Date;
  /** When it ends without another fragment. */
  expires: Date;
}

export class UploadSessions {
  readonly #sessions = new Map<string, UploadSession>();
  readonly #lifeMs: number;

  constructor(lifeSeconds: number) {
    this.#lifeMs = lifeSeconds * 1000;
  }

  /** @throws {ServiceError} 409 while another session for the same file is open */
  create(request: SessionRequest, store: ContentStore): UploadSession {
    this.#expire();
    for (const other of this.#sessions.values()) {
      // A personal OneDrive allows concurrent sessions.
      if (
        request.drive.cid === undefined && other.parent === request.parent &&
        nameKey(other.name) === nameKey(request.name)
      ) {
        // One session per item, whatever the conflict behavior (docs#5812, PROTOCOL U9).
        throw new ServiceError(409, "nameAlreadyExists", "An upload session already exists for this file.");
      }
    }
    const session: UploadSession = {
      ...request,
      guid: crypto.randomUUID(),
      created: new Date(),
      uploadUrl: "",
      expires: Date.now() + this.#lifeMs,
      staging: store.stage(),
      content: undefined,
      totalBytes: undefined,
      receiving: false,
      misaligned: false,
      ended: false,
    };
    this.#sessions.set(session.guid, session);
    return session;
  }

  /** @throws {ServiceError} 404 when it is complete, canceled or expired */
  get(guid: string): UploadSession {
    this.#expire();
    const session = this.#sessions.get(guid);
    if (session === undefined) throw sessionNotFound();
    return session;
  }

  /** Restarts the lifetime of the session. */
  extend(session: UploadSession): void {
    session.expires = Date.now() + this.#lifeMs;
  }

  /** Ends a session; abandoned bytes are deleted. */
  end(session: UploadSession, outcome: "committed" | "abandoned"): void {
    session.ended = true;
    this.#sessions.delete(session.guid);
    if (outcome === "committed" || session.receiving) return;
    discard(session);
  }

  expireAll(): void {
    for (const session of this.#sessions.values()) session.expires = 0;
  }

  /** All open sessions. */
  open(): SessionInfo[] {
    this.#expire();
    return [...this.#sessions.values()].map((session) => ({
      driveId: session.drive.id,
      name: session.name,
      path: [...pathOf(session.parent), session.name].join("/"),
      uploadUrl: session.uploadUrl,
      keptBytes: session.staging.keptBytes,
      totalBytes: session.totalBytes,
      created: session.created,
      expires: new Date(session.expires),
    }));
  }

  /** Ends all sessions when the sandbox closes. */
  close(): void {
    for (const session of this.#sessions.values()) this.end(session, "abandoned");
  }

  #expire(): void {
    for (const session of this.#sessions.values()) {
      if (session.expires <= Date.now() && !session.receiving) this.end(session, "abandoned");
    }
  }
}

/** Deletes the bytes of an abandoned session. */
export function discard(session: UploadSession): void {
  if (session.content) deleteFile(session.content.file);
  else session.staging.discard();
}

/** 404 in the words of the storage host (rclone#8545), without an inner error (PROTOCOL 7.2b). */
export function sessionNotFound(): ServiceError {
  return itemNotFound("The upload session was not found");
}
