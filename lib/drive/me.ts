/**
 * The signed-in account (https://learn.microsoft.com/graph/api/user-get).
 *
 * @module
 */
import type { User } from "../graph/types.ts";
import type { AuthSession } from "../auth/session.ts";
import { formatUtc } from "../format.ts";
import type { GraphClient } from "../graph/client.ts";
import { hasId } from "../json.ts";
import type { Settings } from "../settings.ts";

/** Who is signed in, as `whoami --json` prints it. */
export interface Me {
  displayName: string | null;
  userPrincipalName: string | null;
  id: string;
  tenantId: string | null;
  cloud: string;
  /** Delegated permissions of the access token. */
  scopes: string[];
  /** When the access token expires, in UTC; it is refreshed automatically. */
  expiresAt: string | null;
  /** Path of the token cache; `null` with a static token. */
  cache: string | null;
}

/** What {@linkcode getMe} needs of a connection. */
export interface MeContext {
  graph: GraphClient;
  session: AuthSession;
  settings: Pick<Settings, "accessToken" | "appCredential" | "clientId" | "cloud">;
}

/** Requests the signed-in user from Graph. An app has no user: the token that it gets proves the session. */
export async function getMe({ graph, session, settings }: MeContext): Promise<Me> {
  const isApp = settings.appCredential !== undefined && settings.accessToken === undefined;
  if (isApp) await session.token();
  const user = isApp
    ? {}
    : await graph.requestJson<User>("/me", { what: "who is signed in", accepts: hasId });
  const { tenantId, scopes, expiresAt, cache, app } = await session.info();
  return {
    displayName: user.displayName ?? null,
    userPrincipalName: user.userPrincipalName ?? null,
    id: user.id ?? app ?? settings.clientId ?? "",
    tenantId: tenantId ?? null,
    cloud: settings.cloud,
    scopes,
    expiresAt: expiresAt === undefined ? null : formatUtc(expiresAt),
    cache: cache ?? null,
  };
}
