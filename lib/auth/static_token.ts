/**
 * A ready access token in place of a sign-in (`GRAPH_ACCESS_TOKEN`).
 *
 * @module
 */
import { PERSONAL_TENANT } from "./accounts.ts";
import { type AuthSession, decodeClaims } from "./session.ts";
import { GraphError, usageError } from "../errors.ts";

/**
 * Opens a session that has one token and cannot renew it.
 *
 * @throws {GraphError} `usage` for a malformed token; Graph's own answer would be misleading (PROTOCOL A9).
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
    token: (refresh) =>
      refresh
        ? Promise.reject(new GraphError("signInNeeded", refused, { code: "tokenRefused" }))
        : Promise.resolve(token),
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
    includeAllDrives: () => {}, // the token has the permissions that it has
    signOut: () => Promise.reject(usageError(noSignIn, "unset it", "noSignIn")),
  };
}
