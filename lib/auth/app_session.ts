/**
 * App-only sign-in, with application permissions that an administrator has granted
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, PROTOCOL 13.6b).
 *
 * @module
 */
import { findAppToken } from "./cache_content.ts";
import { type AppCredential, readAppCredential } from "./credentials.ts";
import { callMsal, openServiceApp, registrationOf, tokenOf, tokenRequest } from "./msal.ts";
import { type AuthContext, type AuthSession, decodeClaims } from "./session.ts";
import { TokenCache, TokenRenewal } from "./token_cache.ts";
import { CLOUDS } from "../clouds.ts";
import { usageError } from "../errors.ts";
import { isGuid } from "../json.ts";
import type { AppCredentialSetting } from "../settings.ts";

export function openAppSession(context: AuthContext, credential: AppCredentialSetting): AuthSession {
  const { settings, http: { now } } = context;
  const registration = () => {
    const found = registrationOf(settings);
    if (found && isGuid(found.tenantId)) return found;
    const hint = "set GRAPH_CLIENT_ID, and GRAPH_TENANT_ID to the id of one tenant";
    throw usageError(`${credential.variable} is set, but no app registration`, hint, "noRegistration");
  };
  const cache = new TokenCache(context);
  let secret: Promise<AppCredential> | undefined; // a pipe can be read only once
  const tokens = new TokenRenewal({
    cache,
    find: () => findAppToken(cache.last.content, registration(), now()),
    async acquire(file, refresh) {
      const own = registration();
      const app = await openServiceApp(
        { ...context, registration: own, cache },
        file,
        await (secret ??= readAppCredential(credential)),
      );
      const request = tokenRequest([`${CLOUDS[settings.cloud].apiOrigin}/.default`], refresh?.claims);
      const skipCache = refresh !== undefined;
      return tokenOf(await callMsal(() => app.acquireTokenByClientCredential({ ...request, skipCache })));
    },
  });
  const noSignIn = `the app signs in with ${credential.variable}: there is no sign-in to remove`;
  const hint = "unset it, and delete the credential in the app registration";
  return {
    token: async (refresh) => (await tokens.get(refresh)).secret,
    async info() {
      const { secret, expiresAt } = tokens.current ?? await tokens.get();
      const { clientId, tenantId } = registration();
      const { roles } = decodeClaims(secret);
      return {
        username: undefined,
        tenantId,
        scopes: Array.isArray(roles) ? roles.map(String) : [],
        expiresAt,
        cache: cache.path,
        app: clientId,
      };
    },
    accounts: () => Promise.resolve([]), // no user is signed in
    accountType: () => Promise.resolve("app"),
    include: () => {}, // what an app may do is granted once, by an administrator
    signOut: () => Promise.reject(usageError(noSignIn, hint, "noSignIn")),
  };
}
