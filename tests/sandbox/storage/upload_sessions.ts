/** Upload sessions that are under way (PROTOCOL 7). */

import { ServiceError } from "../service_error.ts";
import { type Content, type ContentStore, deleteFile, type Staging } from "../tenant/content_store.ts";
import type { ConflictBehavior, Drive } from "../tenant/drive.ts";
import type { Author, FileSystemInfo, Item } from "../tenant/item.ts";
import { nameKey } from "../tenant/names.ts";

/** What the client asked for when it created the session. */
export interface SessionRequest {
  readonly drive: Drive;
  readonly parent: Item;
  readonly name: string;
  readonly conflict: ConflictBehavior;
  readonly fileSystemInfo: Partial<FileSystemInfo>;
  readonly deferCommit: boolean;
  readonly author: Author;
  /** The item and eTag of an If-Match header, looked at again with every fragment (PROTOCOL U17). */
  readonly ifMatch: { item: Item; eTag: string } | undefined;
}

export interface UploadSession extends SessionRequest {
  readonly guid: string;
  readonly created: Date;
  uploadUrl: string;
  /** Moves forward with every fragment kept (PROTOCOL 7.2). */
  expires: number;
  readonly staging: Staging;
  /** Set once all bytes are there. */
  content: Content | undefined;
  /** Total of the first Content-Range; all others must agree. */
  totalBytes: number | undefined;
  /** A fragment is being received. */
  receiving: boolean;
  /** A fragment other than the last was no multiple of 320 KiB: the commit will fail. */
  misaligned: boolean;
  ended: boolean;
}

/** What tests see of a session. */
export interface SessionInfo {
  driveId: string;
  name: string;
  uploadUrl: string;
  keptBytes: number;
  totalBytes: number | undefined;
  created: Date;
  expires: Date;
}

export class UploadSessions {
  readonly #sessions = new Map<string, UploadSession>();
  readonly #lifeMs: number;

  constructor(lifeSeconds: number) {
    this.#lifeMs = lifeSeconds * 1000;
  }

  /** Starts a session. @throws {ServiceError} 409 while another one for the same file lives */
  create(request: SessionRequest, store: ContentStore): UploadSession {
    this.#expire();
    for (const other of this.#sessions.values()) {
      // A personal OneDrive lets them run side by side.
      if (
        request.drive.cid === undefined && other.parent === request.parent &&
        nameKey(other.name) === nameKey(request.name)
      ) {
        // One session an item, whatever the conflict behaviour (docs#5812, PROTOCOL U9).
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

  /** @throws {ServiceError} 404 when it was finished, cancelled or has expired */
  get(guid: string): UploadSession {
    this.#expire();
    const session = this.#sessions.get(guid);
    if (session === undefined) throw sessionNotFound();
    return session;
  }

  /** Gives the session its full time again. */
  extend(session: UploadSession): void {
    session.expires = Date.now() + this.#lifeMs;
  }

  /** Ends a session; what it received is deleted unless it has become a file. */
  end(session: UploadSession, outcome: "committed" | "abandoned"): void {
    session.ended = true;
    this.#sessions.delete(session.guid);
    if (outcome === "committed" || session.receiving) return;
    discard(session);
  }

  /** The time of all sessions has passed. */
  expireAll(): void {
    for (const session of this.#sessions.values()) session.expires = 0;
  }

  /** All live sessions. */
  open(): SessionInfo[] {
    this.#expire();
    return [...this.#sessions.values()].map((session) => ({
      driveId: session.drive.id,
      name: session.name,
      uploadUrl: session.uploadUrl,
      keptBytes: session.staging.keptBytes,
      totalBytes: session.totalBytes,
      created: session.created,
      expires: new Date(session.expires),
    }));
  }

  /** Ends all sessions, for the end of the sandbox. */
  close(): void {
    for (const session of this.#sessions.values()) this.end(session, "abandoned");
  }

  #expire(): void {
    for (const session of this.#sessions.values()) {
      if (session.expires <= Date.now() && !session.receiving) this.end(session, "abandoned");
    }
  }
}

/** Deletes the bytes of a session that ended without becoming a file. */
export function discard(session: UploadSession): void {
  if (session.content) deleteFile(session.content.file);
  else session.staging.discard();
}

/** 404 as the storage host words it (rclone#8545). */
export function sessionNotFound(): ServiceError {
  return new ServiceError(404, "itemNotFound", "The upload session was not found", {
    innerCode: "uploadSessionNotFound",
  });
}
