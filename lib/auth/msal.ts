/**
 * The only place that loads MSAL, and only when a token must come from the service: its applications, its access to the
 * token cache, and its errors.
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import { toSignInError } from "./aadsts.ts";
import { notSignedInError } from "./accounts.ts";
import { type CachedToken, type Registration, shortScope } from "./cache_content.ts";
import type { AppCredential } from "./credentials.ts";
import { authNetwork, unwrapMsalError } from "./msal_network.ts";
import type { AuthContext } from "./session.ts";
import type { LockedCache, TokenCache } from "./token_cache.ts";
import { CLOUDS } from "../clouds.ts";
import { GraphError } from "../errors.ts";
import { redact } from "../http/redact.ts";
import type { Settings } from "../settings.ts";

/** What all of MSAL's requests for a token have in common. */
export type TokenRequest = { scopes: string[]; claims?: string };

/** What MSAL works with. */
export interface MsalContext extends AuthContext {
  registration: Registration;
  cache: TokenCache;
}

/** The registration that the settings name, or `undefined` where the client id or the tenant is missing. */
export function registrationOf({ clientId, tenantId, cloud }: Settings): Registration | undefined {
  const { cacheEnvironment: environment, apiOrigin } = CLOUDS[cloud];
  return clientId && tenantId ? { clientId, tenantId, environment, apiOrigin } : undefined;
}

/** Opens MSAL for a user. A cache that is not locked is locked when MSAL writes. */
export async function openUserApp(
  context: MsalContext,
  file?: LockedCache,
): Promise<Msal.PublicClientApplication> {
  const { PublicClientApplication, AuthError } = await import("@azure/msal-node");
  return new PublicClientApplication(configuration(context, AuthError, file));
}

/** Opens MSAL for an app-only session. */
export async function openServiceApp(
  context: MsalContext,
  file: LockedCache,
  credential: AppCredential,
): Promise<Msal.ConfidentialClientApplication> {
  const { ConfidentialClientApplication, AuthError } = await import("@azure/msal-node");
  return new ConfidentialClientApplication(configuration(context, AuthError, file, credential));
}

function configuration(
  context: MsalContext,
  AuthError: typeof Msal.AuthError,
  file: LockedCache | undefined,
  credential?: AppCredential,
): Msal.Configuration {
  const { registration: { clientId, tenantId }, settings: { cloud }, cache } = context;
  return {
    auth: { clientId, authority: `${CLOUDS[cloud].loginOrigin}/${tenantId}`, ...credential },
    cache: { cachePlugin: cachePlugin(cache, file) },
    system: { networkClient: authNetwork(AuthError, context) },
  };
}

/**
 * Lets MSAL read and write the cache. A renewal holds the lock from beginning to end, so that it happens once. A sign-in
 * holds none while the user takes minutes: then the lock is taken between MSAL's reading, which brings in what other
 * processes wrote meanwhile, and its writing.
 */
function cachePlugin(cache: TokenCache, locked: LockedCache | undefined): Msal.ICachePlugin {
  // MSAL calls the second function even when the first has thrown, and must not replace the file then.
  let file: LockedCache | undefined;
  return {
    async beforeCacheAccess({ tokenCache }) {
      file = undefined;
      file = locked ?? await cache.lockOrWarn();
      if (cache.last.text !== "") tokenCache.deserialize(cache.last.text);
    },
    async afterCacheAccess({ tokenCache, cacheHasChanged }) {
      try {
        if (cacheHasChanged && file) await cache.writeOrWarn(file, tokenCache.serialize());
      } finally {
        if (!locked) await file?.[Symbol.asyncDispose]();
      }
    },
  };
}

export function tokenRequest(scopes: string[], claims: string | undefined): TokenRequest {
  return claims === undefined ? { scopes } : { scopes, claims };
}

/** The token in MSAL's result. */
export function tokenOf(result: Msal.AuthenticationResult | null): CachedToken {
  if (!result) {
    const hint = "run the same command again";
    throw new GraphError("failed", "sign-in returned no token", { code: "invalidAnswer", hint });
  }
  const { accessToken: secret, scopes, expiresOn } = result;
  return { secret, scopes: scopes.map(shortScope), expiresAt: expiresOn?.getTime() ?? 0 };
}

/** Calls MSAL and converts its errors. */
export async function callMsal<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toMsalError(error);
  }
}

function toMsalError(error: unknown): unknown {
  const cause = unwrapMsalError(error);
  if (cause) return cause;
  if (!(error instanceof Error && "errorCode" in error)) return error;
  const { errorCode, message } = error;
  if (errorCode === "no_tokens_found" || errorCode === "no_account_in_silent_request") {
    return notSignedInError();
  }
  if (errorCode === "device_code_expired" || errorCode === "user_timeout_reached") {
    const why = "sign-in: the code expired before it was approved";
    return new GraphError("signInNeeded", why, { code: "expired_token" });
  }
  // Errors that the service sent to the browser come back through the redirect.
  if (/AADSTS\d+/.test(message) || errorCode === "access_denied") {
    return toSignInError({ error: String(errorCode), error_description: message });
  }
  return new GraphError("failed", `sign-in: ${redact(message)}`, { code: "signInFailed", cause: error });
}
