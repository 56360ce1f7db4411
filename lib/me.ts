/**
 * The signed-in person (https://learn.microsoft.com/graph/api/user-get).
 *
 * @module
 */
import type { User } from "@microsoft/microsoft-graph-types";
import type { Connection } from "./connection.ts";

/** Who is signed in, proved by the service, as `whoami --json` prints it. */
export interface Me {
  displayName: string | null;
  userPrincipalName: string | null;
  id: string;
  tenantId: string | null;
  cloud: string;
  /** Delegated permissions of the access token. */
  scopes: string[];
  /** When the access token expires, in UTC; it is renewed by itself. */
  expiresAt: string | null;
  /** Path of the token cache; `null` with a ready token. */
  cache: string | null;
}

/**
 * Asks Graph who is signed in.
 *
 * @throws {GraphError} `signInNeeded` when the sign-in is no longer accepted.
 */
export async function getMe({ graph, session, settings }: Connection): Promise<Me> {
  const user = await graph.call<User>("/me", { what: "who is signed in" });
  const { tenantId, scopes, expiresAt, cache } = await session.facts();
  return {
    displayName: user.displayName ?? null,
    userPrincipalName: user.userPrincipalName ?? null,
    id: user.id ?? "",
    tenantId: tenantId ?? null,
    cloud: settings.cloud,
    scopes,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString().replace(/\.\d+Z$/, "Z"),
    cache: cache ?? null,
  };
}
