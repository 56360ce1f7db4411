/** Issued tokens as JSON, so that clients stay signed in. Codes and URLs end with the run. */

import type { AccessGrant, StoredRefreshToken } from "../login/tokens.ts";
import type { State } from "../state.ts";
import { type Application, userNamed } from "../tenant/directory.ts";

type SavedAccess = Omit<AccessGrant, "user" | "application" | "scopes"> & {
  user: string | undefined;
  application: string;
  scopes: string[];
};

type SavedRefresh = Omit<StoredRefreshToken, "grant"> & {
  grant: Omit<StoredRefreshToken["grant"], "user" | "client"> & { user: string; client: string };
};

export interface SavedTokens {
  access: [token: string, grant: SavedAccess][];
  refresh: [token: string, stored: SavedRefresh][];
}

export function saveTokens({ tokens }: State): SavedTokens {
  const access = [...tokens.accessTokens].filter(([, { expires }]) => expires > Date.now());
  return {
    access: access.map(([token, { user, application, scopes, ...grant }]) => [
      token,
      { ...grant, user: user?.key, application: application.id, scopes: [...scopes] },
    ]),
    refresh: [...tokens.refreshTokens].map(([token, { grant: { user, client, ...grant }, ...stored }]) => [
      token,
      { ...stored, grant: { ...grant, user: user.key, client: client.id } },
    ]),
  };
}

export function restoreTokens(
  { access, refresh }: SavedTokens,
  { tokens, tenant, app, secrets }: State,
): void {
  const { directory } = tenant;
  const application = (id: string): Application => id === app.id ? app : directory.application;
  for (const [token, { user, ...grant }] of access) {
    tokens.accessTokens.set(secrets.issue(token), {
      ...grant,
      user: user === undefined ? undefined : userNamed(directory, user),
      application: application(grant.application),
      scopes: new Set(grant.scopes),
    });
  }
  for (const [token, { grant, ...stored }] of refresh) {
    tokens.refreshTokens.set(secrets.issue(token), {
      ...stored,
      grant: { ...grant, user: userNamed(directory, grant.user), client: application(grant.client) },
    });
  }
}
