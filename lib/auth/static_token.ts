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
    this.#token = token;
    if (/^[\x21-\x7e]+$/.test(token) && !/^bearer/i.test(token)) return;
    const hint = 'set it to the bare token: no line breaks, no spaces, no "Bearer" in front';
    throw usageError("GRAPH_ACCESS_TOKEN is not a token", hint, "invalidSetting");
  }

  token(refresh?: TokenRefresh): Promise<string> {
    if (!refresh) return Promise.resolve(this.#token);
    const why =
      "the service does not accept GRAPH_ACCESS_TOKEN: it may have expired or be for another service";
    return Promise.reject(new GraphError("signInNeeded", why, { code: "tokenRefused" }));
  }

  signOut(): Promise<string[]> {
    const why = "GRAPH_ACCESS_TOKEN is set: there is no sign-in to remove";
    return Promise.reject(usageError(why, "unset it", "noSignIn"));
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
    return Promise.resolve(idtyp === "app" ? "app" : tid === PERSONAL_TENANT ? "personal" : "unknown");
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
