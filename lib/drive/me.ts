/**
 * The signed-in person (https://learn.microsoft.com/graph/api/user-get).
 *
 * @module
 */
import type { User } from "@microsoft/microsoft-graph-types";
import { hasShape } from "../graph/response_shape.ts";
import type { AuthSession } from "../auth/session.ts";
import type { Connection } from "../connect.ts";
import type { Settings } from "../settings.ts";

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
  if (settings.appCredential && settings.accessToken === undefined) return await appFacts(session, settings);
  const user = await graph.requestJson<User>("/me", { what: "who is signed in", accepts: isUser });
  const { tenantId, scopes, expiresAt, cache } = await session.info();
  return {
    displayName: user.displayName ?? null,
    userPrincipalName: user.userPrincipalName ?? null,
    id: user.id ?? "",
    tenantId: tenantId ?? null,
    cloud: settings.cloud,
    scopes,
    expiresAt: timeOf(expiresAt),
    cache: cache ?? null,
  };
}

/** Whether an answer can be that of `/me`. */
export function isUser(value: unknown): value is User {
  return hasShape(value, { id: "string", displayName: "string", userPrincipalName: "string" }) &&
    Boolean((value as User).id);
}

/** An app acts for nobody, and Graph knows no "me" of it: that a token came is the proof. */
async function appFacts(session: AuthSession, { cloud, clientId }: Settings): Promise<Me> {
  await session.token();
  const { tenantId, scopes, expiresAt, cache, app } = await session.info();
  return {
    displayName: null,
    userPrincipalName: null,
    id: app ?? clientId ?? "",
    tenantId: tenantId ?? null,
    cloud,
    scopes,
    expiresAt: timeOf(expiresAt),
    cache: cache ?? null,
  };
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
