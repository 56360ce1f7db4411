/**
 * A ready access token in place of a sign-in (`GRAPH_ACCESS_TOKEN`).
 *
 * @module
 */
import { type AccountInfo, PERSONAL_TENANT } from "./accounts.ts";
import {
  type AccountType,
  type AuthSession,
  decodeClaims,
  type SessionInfo,
  type TokenRefresh,
} from "./session.ts";
import { GraphError, usageError } from "../errors.ts";

/** A session that has one token and cannot renew it. */
export class StaticTokenSession implements AuthSession {
  readonly #token: string;

  /** @throws {GraphError} `usage` for a malformed token; Graph's own answer would be misleading (PROTOCOL A9). */
  constructor(token: string) {
    if (!/^[\x21-\x7e]+$/.test(token) || /^bearer/i.test(token)) {
      throw usageError(
        "GRAPH_ACCESS_TOKEN is not a token",
        'set it to the bare token: no line breaks, no spaces, no "Bearer" in front',
        "invalidSetting",
      );
    }
    this.#token = token;
  }

  token(refresh?: TokenRefresh): Promise<string> {
    if (!refresh) return Promise.resolve(this.#token);
    return Promise.reject(
      new GraphError(
        "signInNeeded",
        "the service does not accept GRAPH_ACCESS_TOKEN: it may have expired or be for another service",
        { code: "tokenRefused" },
      ),
    );
  }

  signOut(): Promise<string[]> {
    return Promise.reject(
      usageError("GRAPH_ACCESS_TOKEN is set: there is no sign-in to remove", "unset it", "noSignIn"),
    );
  }

  /** None: cached accounts are ignored. */
  accounts(): Promise<AccountInfo[]> {
    return Promise.resolve([]);
  }

  /** Changes nothing: the token has the permissions that it has. */
  includeAllDrives(): void {}

  /** Mostly `unknown` for personal accounts, whose tokens cannot be read. */
  accountType(): Promise<AccountType> {
    const { tid, idtyp } = decodeClaims(this.#token);
    if (idtyp === "app") return Promise.resolve("app");
    return Promise.resolve(tid === PERSONAL_TENANT ? "personal" : "unknown");
  }

  info(): Promise<SessionInfo> {
    const { upn, tid, scp, exp } = decodeClaims(this.#token);
    return Promise.resolve({
      username: typeof upn === "string" ? upn : undefined,
      tenantId: typeof tid === "string" ? tid : undefined,
      scopes: typeof scp === "string" ? scp.split(" ") : [],
      expiresAt: typeof exp === "number" ? exp * 1000 : undefined,
      cache: undefined,
    });
  }
}
