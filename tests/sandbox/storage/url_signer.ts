/** Pre-authenticated URLs: valid for any client, unaltered, until they expire. */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import type { ServiceRequest } from "../messages.ts";
import type { Secrets } from "../secrets.ts";
import { accessDenied, ServiceError } from "../service_error.ts";

/** The grant inside a `tempauth`. */
export interface Grant {
  readonly use: "download" | "upload" | "monitor";
  readonly driveId: string;
  /** The item id of a download, or the GUID of an upload session or copy. */
  readonly subject: string;
  /** Of a download, if not the current one. */
  readonly version?: number | undefined;
  /** Seconds since 1970. */
  readonly nbf: number;
  readonly exp: number;
}

const TEMPAUTH = /(^|&)tempauth=([^&]*)/;

export class UrlSigner {
  readonly #key = randomBytes(32);
  readonly #secrets: Secrets;
  /** Revoked tokens, with the status of their rejection. */
  readonly #revoked = new Map<string, 401 | 403>();

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Signs a URL. `query` contains `tempauth=` as the place for the token. */
  sign(
    origin: string,
    path: string,
    query: string,
    grant: Omit<Grant, "nbf" | "exp">,
    lifeSeconds: number,
  ): string {
    const nbf = Math.floor(Date.now() / 1000);
    // The expiry has fractions of a second, so that a test can let a URL expire within one.
    const claims: Grant = { ...grant, nbf, exp: Date.now() / 1000 + lifeSeconds };
    const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
    const tempauth = this.#secrets.issue(`v1.${payload}.${this.#signature(path, query, payload)}`);
    return this.#secrets.issue(`${origin}${path}?${query.replace("tempauth=", `tempauth=${tempauth}`)}`);
  }

  /** Rejects the URL of this request with this status from now on. */
  revoke(request: ServiceRequest, status: 401 | 403): void {
    this.#revoked.set(TEMPAUTH.exec(request.query)?.[2] ?? "", status);
  }

  /** The grant of a request. @throws {ServiceError} 401 when the URL was altered or has expired */
  check(request: ServiceRequest, use: Grant["use"]): Grant {
    const [, , tempauth = ""] = TEMPAUTH.exec(request.query) ?? [];
    const [version, payload = "", signature] = tempauth.split(".");
    // The WHATWG URL parser turns ' in a query into %27, so both forms must work (PROTOCOL D4).
    const path = request.path.replaceAll("%27", "'");
    const query = request.query.replaceAll("%27", "'").replace(TEMPAUTH, "$1tempauth=");
    if (version !== "v1" || signature !== this.#signature(path, query, payload)) {
      throw new ServiceError(401, "unauthenticated", "Authentication failed.");
    }
    const grant = JSON.parse(Buffer.from(payload, "base64url").toString()) as Grant;
    if (grant.use !== use) throw new ServiceError(401, "unauthenticated", "Authentication failed.");
    const revoked = this.#revoked.get(tempauth);
    if (revoked === 403) throw accessDenied();
    if (revoked === 401 || Date.now() / 1000 >= grant.exp) {
      const from = new Date(grant.nbf * 1000).toISOString();
      const to = new Date(grant.exp * 1000).toISOString();
      const message = `The access token has expired. It's valid from '${from}' to '${to}'.`;
      throw new ServiceError(401, "unauthenticated", message, { innerCode: "expiredToken" });
    }
    return grant;
  }

  /** Signs the raw path and query: reordered parameters make a different URL (api-docs#792, PROTOCOL D4). */
  #signature(path: string, query: string, payload: string): string {
    return createHmac("sha256", this.#key).update(`${path}?${query}\n${payload}`).digest("base64url");
  }
}
