/**
 * What a signed-in session offers to the rest of the library, the permissions that it asks for, and the simplest session: a
 * ready access token (`GRAPH_ACCESS_TOKEN`).
 *
 * @module
 */
import { type AccountInfo, PERSONAL_TENANT } from "./accounts.ts";
import { GraphError, usageError } from "../errors.ts";
import type { HttpClient } from "../http/client.ts";
import { parseJsonObject } from "../json.ts";
import type { Settings } from "../settings.ts";

/** What a connection is for. */
export type Access = "identity" | "read" | "write";

/**
 * The delegated permissions that a run asks for, the fewest that suffice (PROTOCOL 13.5), by reach: the user's own OneDrive,
 * or all drives that the user may open.
 */
export const SCOPES: Record<Access, { own: readonly string[]; all: readonly string[] }> = {
  identity: { own: ["User.Read"], all: ["User.Read"] },
  read: { own: ["Files.Read"], all: ["Files.Read.All", "Sites.Read.All"] },
  write: { own: ["Files.ReadWrite"], all: ["Files.ReadWrite.All", "Sites.Read.All"] },
};

/** What a location needs beyond the user's own OneDrive. */
export type Reach = "allDrives" | "teams" | "links";

/** Permissions of a reach besides those of all drives. */
export const REACH_SCOPES: Record<Reach, readonly string[]> = {
  allDrives: [],
  /** To find a team and its channels by name. */
  teams: ["Team.ReadBasic.All", "Channel.ReadBasic.All"],
  /** To follow share links, even to read (https://learn.microsoft.com/graph/api/shares-get). */
  links: ["Files.ReadWrite"],
};

export interface AuthContext {
  settings: Settings;
  http: HttpClient;
  /** Receives what the user should know, such as that the cache was encrypted. */
  notice: (text: string) => void;
}

export interface TokenRefresh {
  /** The token that the service rejected. */
  refused: string;
  /** Claims that the service demands in the new token (continuous access evaluation). */
  claims?: string | undefined;
  /** A refreshed token was rejected as well, so only the user can help (PROTOCOL A10). */
  again?: boolean;
}

/** Gives access tokens for Graph. */
export interface TokenSource {
  /** Returns a token with at least five minutes left, and another than a rejected one; throws `signInNeeded` without a user. */
  token(refresh?: TokenRefresh): Promise<string>;
}

/** Who is signed in, and with which token. */
export interface SessionInfo {
  username: string | undefined;
  tenantId: string | undefined;
  scopes: string[];
  /** Milliseconds since 1970. */
  expiresAt: number | undefined;
  /** Path of the token cache; `undefined` for a static token. */
  cache: string | undefined;
  /** Client id of an app-only session. */
  app?: string;
}

/** Personal accounts have no SharePoint, and apps have no OneDrive. */
export type AccountType = "work" | "personal" | "app" | "unknown";

/** A signed-in session. */
export interface AuthSession extends TokenSource {
  /** Describes the session. An app-only session gets a token for it. */
  info(): Promise<SessionInfo>;
  /** Lists the accounts in the token cache; sends nothing. */
  accounts(): Promise<AccountInfo[]>;
  /** Signs in if needed and returns the type of the account. */
  accountType(): Promise<AccountType>;
  /** Makes later tokens valid for more than the user's own OneDrive. */
  include(reach: Reach): void;
  /** Removes the selected account, or all, from this machine; returns their user names. */
  signOut(options?: { all?: boolean }): Promise<string[]>;
}

/**
 * The claims of an access token, for display only: its format is Graph's own business. Empty for opaque tokens, such as
 * those of personal accounts (PROTOCOL 13.3).
 */
export function decodeClaims(token: string): Record<string, unknown> {
  const [, payload = ""] = token.split(".");
  try {
    const bytes = Uint8Array.fromBase64(payload, { alphabet: "base64url" });
    return parseJsonObject(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return {}; // not a JWT
  }
}

/** Gives one token that cannot be renewed, and throws once the service rejects it. */
export function fixedToken(token: string, rejected: GraphError): TokenSource {
  return { token: (refresh) => refresh ? Promise.reject(rejected) : Promise.resolve(token) };
}

/**
 * Opens a session that has one token and cannot renew it.
 *
 * @throws {GraphError} `usage` for a malformed token; Graph's own error would be misleading (PROTOCOL A9).
 */
export function openStaticTokenSession(token: string): AuthSession {
  if (!/^[\x21-\x7e]+$/.test(token) || /^bearer/i.test(token)) {
    const hint = 'set it to the bare token: no line breaks, no spaces, no "Bearer" in front';
    throw usageError("GRAPH_ACCESS_TOKEN is not a token", hint, "invalidSetting");
  }
  const { upn, tid, scp, exp, idtyp } = decodeClaims(token);
  const refused =
    "the service does not accept GRAPH_ACCESS_TOKEN: it may have expired or be for another service";
  const noSignIn = "GRAPH_ACCESS_TOKEN is set: there is no sign-in to remove";
  // Most personal accounts are `unknown`: their tokens cannot be read.
  const type = idtyp === "app" ? "app" : tid === PERSONAL_TENANT ? "personal" : "unknown";
  return {
    ...fixedToken(token, new GraphError("signInNeeded", refused, { code: "tokenRefused" })),
    info: () =>
      Promise.resolve({
        username: typeof upn === "string" ? upn : undefined,
        tenantId: typeof tid === "string" ? tid : undefined,
        scopes: typeof scp === "string" ? scp.split(" ") : [],
        expiresAt: typeof exp === "number" ? exp * 1000 : undefined,
        cache: undefined,
      }),
    accounts: () => Promise.resolve([]), // cached accounts are ignored
    accountType: () => Promise.resolve(type),
    include: () => {}, // the token has the permissions that it has
    signOut: () => Promise.reject(usageError(noSignIn, "unset it", "noSignIn")),
  };
}
