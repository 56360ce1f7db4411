/**
 * A ready access token in place of a sign-in (`GRAPH_ACCESS_TOKEN`).
 *
 * @module
 */
import { type AccountInfo, PERSONAL_TENANT } from "./accounts.ts";
import type { AccountType, AuthSession, SessionInfo } from "./user_session.ts";
import { commandName } from "../cli/hints.ts";
import { GraphError, usageError } from "../errors.ts";
import { decodeClaims } from "./token_claims.ts";

/** A session that has one token and cannot renew it. */
export class StaticTokenSession implements AuthSession {
  readonly #token: string;

  /** @throws {GraphError} `usage` when it cannot be a token: Graph's own answer to such is misleading (PROTOCOL A9). */
  constructor(token: string) {
    if (!/^[\x21-\x7e]+$/.test(token) || /^bearer/i.test(token)) {
      throw usageError(
        "GRAPH_ACCESS_TOKEN is not a token",
        'give the bare token: no line breaks, no spaces, no "Bearer" in front',
        "invalidSetting",
      );
    }
    this.#token = token;
  }

  token(renew?: { claims?: string | undefined }): Promise<string> {
    if (!renew) return Promise.resolve(this.#token);
    return Promise.reject(
      new GraphError(
        "signInNeeded",
        "the service does not accept GRAPH_ACCESS_TOKEN: it may have expired or be for another service",
        {
          code: "tokenRefused",
          hint: `get a new token for Microsoft Graph, or unset it and sign in with: ${commandName("whoami")}`,
        },
      ),
    );
  }

  /** A token from outside is not ours to forget. */
  signOut(): Promise<string[]> {
    return Promise.reject(
      usageError("GRAPH_ACCESS_TOKEN is set: there is no sign-in to forget", "unset it", "noSignIn"),
    );
  }

  /** Whoever is signed in does not count. */
  accounts(): Promise<AccountInfo[]> {
    return Promise.resolve([]);
  }

  /** The token is what it is. */
  includeAllDrives(): void {}

  /** Tokens of personal accounts cannot be read, so mostly nobody knows. */
  accountType(): Promise<AccountType> {
    const { tid, idtyp } = decodeClaims(this.#token);
    if (idtyp === "app") return Promise.resolve("app");
    return Promise.resolve(tid === PERSONAL_TENANT ? "personal" : "unknown");
  }

  /** What the token says of itself, if it can be read: a hint for people, never a decision. */
  facts(): Promise<SessionInfo> {
    const claims = decodeClaims(this.#token);
    return Promise.resolve({
      username: typeof claims.upn === "string" ? claims.upn : undefined,
      tenantId: typeof claims.tid === "string" ? claims.tid : undefined,
      scopes: typeof claims.scp === "string" ? claims.scp.split(" ") : [],
      expiresAt: typeof claims.exp === "number" ? claims.exp * 1000 : undefined,
      cache: undefined,
    });
  }
}
