/**
 * What a signed-in session offers to the rest of the library.
 *
 * @module
 */
import type { AccountInfo } from "./accounts.ts";

/** Why another token is needed. */
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
  /**
   * Returns a token that is valid for at least five more minutes, refreshing it when needed.
   *
   * @param refresh Asks for another token than a rejected one.
   * @throws {GraphError} `signInNeeded` when only the user can help.
   */
  token(refresh?: TokenRefresh): Promise<string>;
}

/** Who is signed in, and with what. */
export interface SessionInfo {
  username: string | undefined;
  tenantId: string | undefined;
  scopes: string[];
  /** Milliseconds since 1970. */
  expiresAt: number | undefined;
  /** Path of the token cache; `undefined` when a ready token is used. */
  cache: string | undefined;
  /** Client id of an app that acts for nobody. */
  app?: string;
}

/** Whose token it is: personal accounts have no SharePoint, and an app has no OneDrive of its own. */
export type AccountType = "work" | "personal" | "app" | "unknown";

/** A token source that can tell about itself. */
export interface AuthSession extends TokenSource {
  facts(): Promise<SessionInfo>;
  /** Everybody who is signed in on this machine; nothing is sent. */
  accounts(): Promise<AccountInfo[]>;
  /** Signs in if needed, and tells whose token it is. */
  accountType(): Promise<AccountType>;
  /** From now on tokens must be good for all drives that the user may open, not only for the own OneDrive. */
  includeAllDrives(): void;
  /** Forgets the chosen account on this machine, or all; returns their user names. */
  signOut(options?: { all?: boolean }): Promise<string[]>;
}
