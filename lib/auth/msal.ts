/**
 * The only place that loads MSAL, and only when a token must come from the service: its applications, its access to the
 * token cache, its errors, and its transport.
 *
 * @module
 */
import type * as Msal from "npm:@azure/msal-node@7.2.1";
import { toSignInError } from "./aadsts.ts";
import { notSignedInError } from "./accounts.ts";
import { type CachedToken, type Registration, shortScope } from "./cache_content.ts";
import type { AppCredential } from "./credentials.ts";
import type { AuthContext } from "./session.ts";
import type { LockedCache, TokenCache } from "./token_cache.ts";
import { CLOUDS } from "../clouds.ts";
import { GraphError, isGraphError } from "../errors.ts";
import type { HttpClient } from "../http/client.ts";
import { redact } from "../http/redact.ts";
import { parseJsonObject } from "../json.ts";
import type { Settings } from "../settings.ts";

export type { Msal };

type NetworkModule = NonNullable<NonNullable<Msal.Configuration["system"]>["networkClient"]>;
type Json = Record<string, unknown>;
type MsalRequest = { headers?: Record<string, string>; body?: string };
type MsalResponse = { status: number; headers: Record<string, string>; body: Json };

/** RFC 8628: each `slow_down` adds this to the interval. */
const SLOW_DOWN_MS = 5_000;
const DEFAULT_INTERVAL_SECONDS = 5;
const DEFAULT_LIFE_SECONDS = 900;

/** What all of MSAL's requests for a token have in common. */
export type TokenRequest = { scopes: string[]; claims?: string };

interface MsalContext extends AuthContext {
  registration: Registration;
  cache: TokenCache;
}

/** The registration that the settings name, or `undefined` where the client id or the tenant is missing. */
export function registrationOf({ clientId, tenantId, cloud }: Settings): Registration | undefined {
  return clientId && tenantId
    ? { clientId, tenantId, environment: CLOUDS[cloud].cacheEnvironment }
    : undefined;
}

/** @throws {GraphError} `failed`, code `notCached`, where it is neither cached nor downloaded. */
async function loadMsal(): Promise<typeof Msal> {
  try {
    return await import("npm:@azure/msal-node@7.2.1"); // slower than a whole listing
  } catch (cause) {
    const [why] = (cause as Error).message.split("\n");
    throw new GraphError("failed", `cannot load the sign-in library: ${why}`, { code: "notCached", cause });
  }
}

/** Opens MSAL for a user. A cache that is not locked is locked when MSAL writes. */
export async function openUserApp(
  context: MsalContext,
  file?: LockedCache,
): Promise<Msal.PublicClientApplication> {
  const { PublicClientApplication, AuthError } = await loadMsal();
  return new PublicClientApplication(configuration(context, AuthError, file));
}

export async function openServiceApp(
  context: MsalContext,
  file: LockedCache,
  credential: AppCredential,
): Promise<Msal.ConfidentialClientApplication> {
  const { ConfidentialClientApplication, AuthError } = await loadMsal();
  return new ConfidentialClientApplication(configuration(context, AuthError, file, credential));
}

/** Makes the proof that the browser's sign-in comes back to this process (RFC 7636). */
export async function createPkce(): Promise<{ verifier: string; challenge: string }> {
  const { CryptoProvider } = await loadMsal();
  return await new CryptoProvider().generatePkceCodes();
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
      file = locked ?? await cache.lock();
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
  if (isGraphError(error) || !(error instanceof Error)) return error;
  if ("original" in error) return error.original; // what the transport threw
  if (!("errorCode" in error)) return error;
  const { errorCode, message } = error;
  if (errorCode === "no_tokens_found" || errorCode === "no_account_in_silent_request") {
    return notSignedInError();
  }
  if (errorCode === "device_code_expired" || errorCode === "user_timeout_reached") {
    const why = "sign-in: the code expired before it was approved";
    return new GraphError("signInNeeded", why, { code: "expired_token" });
  }
  return new GraphError("failed", `sign-in: ${redact(message)}`, { code: "signInFailed", cause: error });
}

/** The address at which this run signs in, for one that MSAL knows: its cache keys stay those of production. */
export function toLoginOrigin(url: string, { cloud, loginOrigin }: Settings): string {
  const known = CLOUDS[cloud].loginOrigin;
  return url.startsWith(known) ? loginOrigin + url.slice(known.length) : url;
}

/**
 * MSAL's transport; only errors derived from its `AuthError` pass through MSAL unchanged. MSAL's own one loses the error
 * texts of the service, gives up at the first `slow_down`, 429 or dropped connection while it polls, does not check the
 * response with the device code, and has no timeouts.
 */
function authNetwork(AuthError: typeof Msal.AuthError, { settings, http }: AuthContext): NetworkModule {
  class WrappedError extends AuthError {
    constructor(readonly original: GraphError) {
      super(original.code, original.requestId ?? "", original.message);
    }
  }
  const polling = createPolling(http.forSignIn());

  async function exchange<T>(method: "GET" | "POST", url: string, request: MsalRequest = {}) {
    const sent = { method, url: toLoginOrigin(url, settings), ...request };
    const grant = new URLSearchParams(request.body).get("grant_type");
    try {
      const response = grant?.endsWith("device_code")
        ? await polling.poll((http) => send(http, { ...sent, retry: "never" }))
        : checked(await send(http, { ...sent, retry: "idempotent" }));
      if (new URL(url).pathname.endsWith("/devicecode")) polling.start(response.body);
      return response as MsalResponse & { body: T }; // MSAL reads what it needs of the body; its type is MSAL's
    } catch (error) {
      throw isGraphError(error) ? new WrappedError(error) : error;
    }
  }

  async function send(http: HttpClient, request: Parameters<HttpClient["send"]>[0]): Promise<MsalResponse> {
    const response = await http.send(request);
    const { status, headers } = response;
    const body = parseJsonObject(await response.text());
    if (!body && !isTemporary(status)) throw unexpected(status);
    return { status, headers: Object.fromEntries(headers), body: body ?? {} };
  }

  return {
    sendGetRequestAsync: (url, request) => exchange("GET", url, request),
    sendPostRequestAsync: (url, request) => exchange("POST", url, request),
  };
}

/** Waits between polls, which MSAL does not always do, and lets MSAL continue after temporary failures. */
function createPolling(http: HttpClient) {
  let firstWaitMs = 0;
  let extraMs = 0;
  return {
    /** Checks the response with the device code, which can be an error under HTTP 200 (PROTOCOL A2). */
    start(body: Json): void {
      if (!body.device_code || !body.user_code || !body.verification_uri) throw unexpected(200);
      // Numbers may be strings. Without an interval MSAL polls in a tight loop, and without a lifetime it never stops.
      body.interval = Number(body.interval ?? DEFAULT_INTERVAL_SECONDS);
      body.expires_in = Number(body.expires_in) || DEFAULT_LIFE_SECONDS;
      firstWaitMs = Number(body.interval) * 1000;
    },

    /** Polls once; a temporary failure slows down the polls, and is reported to MSAL as "pending". */
    async poll(send: (http: HttpClient) => Promise<MsalResponse>): Promise<MsalResponse> {
      http.deadline.progress(); // the user may take as long as the code lives
      // MSAL polls at once; RFC 8628 asks for the interval before the first poll as well.
      const waitMs = firstWaitMs || extraMs;
      firstWaitMs = 0;
      if (waitMs > 0) await http.wait(waitMs, "sign-in");
      const response = await send(http).catch((error) => {
        if (isGraphError(error) && error.kind === "unavailable") return undefined;
        throw error;
      });
      if (!response || isTemporary(response.status) || response.body.error === "slow_down") {
        extraMs += SLOW_DOWN_MS;
        return PENDING;
      }
      const { status, body } = response;
      if (["authorization_pending", "temporarily_unavailable"].includes(String(body.error))) return PENDING;
      checked(response);
      if (!body.access_token) throw unexpected(status);
      return response;
    },
  };
}

const PENDING: MsalResponse = {
  status: 400,
  headers: {},
  body: { error: "authorization_pending", error_description: "AADSTS70016: pending", error_codes: [70016] },
};

function isTemporary(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Throws the error that a response reports. */
function checked(response: MsalResponse): MsalResponse {
  const { body, status } = response;
  if (body.error !== undefined) throw toSignInError(body, status);
  if (status > 299) throw unexpected(status);
  return response;
}

function unexpected(status: number): GraphError {
  const kind = isTemporary(status) ? "unavailable" : "failed";
  const why = `sign-in: the response (HTTP ${status}) is not from the sign-in service`;
  const hint =
    "a proxy or sign-in page of your network may have responded; check HTTPS_PROXY and GRAPH_LOGIN_ORIGIN";
  return new GraphError(kind, why, { code: "invalidAnswer", hint, status });
}
