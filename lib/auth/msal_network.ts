/**
 * MSAL's transport. MSAL's own one loses the error texts of the service, gives up at the first `slow_down`, 429
 * or dropped connection while it polls, does not check the response with the device code, and has no timeouts.
 *
 * @module
 */
import { toSignInError } from "./aadsts.ts";
import type { Msal } from "./msal_package.ts";
import type { AuthContext } from "./session.ts";
import { CLOUDS } from "../clouds.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { formatDuration } from "../format.ts";
import type { HttpClient } from "../http/client.ts";
import { parseJsonObject } from "../json.ts";
import type { Settings } from "../settings.ts";

type NetworkModule = NonNullable<NonNullable<Msal.Configuration["system"]>["networkClient"]>;
type Json = Record<string, unknown>;
type MsalRequest = { headers?: Record<string, string>; body?: string };
type MsalResponse = { status: number; headers: Record<string, string>; body: Json };

/** RFC 8628: each `slow_down` adds this to the interval. */
const SLOW_DOWN_MS = 5_000;
const DEFAULT_INTERVAL_SECONDS = 5;
const DEFAULT_LIFE_SECONDS = 900;
/** Entra ID itself tolerates five minutes in the signature of an app. */
const CLOCK_TOLERANCE_MS = 300_000;

/** The address at which this run signs in, for one that MSAL knows: its cache keys stay those of production. */
export function toLoginOrigin(url: string, { cloud, loginOrigin }: Settings): string {
  const known = CLOUDS[cloud].loginOrigin;
  return url.startsWith(known) ? loginOrigin + url.slice(known.length) : url;
}

/** The error that the transport threw, from what MSAL made of it. */
export function unwrapMsalError(error: unknown): GraphError | undefined {
  if (isGraphError(error)) return error;
  const original = error instanceof Error && "original" in error ? error.original : undefined;
  return isGraphError(original) ? original : undefined;
}

/** Creates the transport; only errors derived from MSAL's `AuthError` pass through MSAL unchanged. */
export function authNetwork(
  AuthError: typeof Msal.AuthError,
  { settings, http, notice }: AuthContext,
): NetworkModule {
  class WrappedError extends AuthError {
    constructor(readonly original: GraphError) {
      super(original.code, original.requestId ?? "", original.message);
    }
  }
  const polling = createPolling(http.forSignIn());
  let isClockChecked = false;

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
    if (!isClockChecked) checkClock(headers, http.now(), notice);
    isClockChecked = true;
    const body = parseJsonObject(await response.text());
    if (!body && !isTemporary(status)) throw unexpected(status);
    return { status, headers: Object.fromEntries(headers), body: body ?? {} };
  }

  return {
    sendGetRequestAsync: (url, request) => exchange("GET", url, request),
    sendPostRequestAsync: (url, request) => exchange("POST", url, request),
  };
}

/**
 * A wrong clock does not make tokens look expired, since their life is counted from their arrival. Certificates, the
 * signatures of apps and file times still need the right time.
 */
function checkClock(headers: Headers, now: number, notice: (text: string) => void): void {
  const aheadMs = now - Date.parse(headers.get("date") ?? "");
  if (!(Math.abs(aheadMs) > CLOCK_TOLERANCE_MS)) return; // also without a Date header
  const by = `${formatDuration(Math.abs(aheadMs) / 1000)} ${aheadMs > 0 ? "ahead of" : "behind"}`;
  notice(`the clock of this machine is ${by} the service's; correct it`);
}

/** Waits between polls, which MSAL does not always do, and lets MSAL continue after temporary failures. */
function createPolling(http: HttpClient) {
  let firstWaitMs = 0;
  let extraMs = 0;
  let failures = 0;
  return {
    /** Checks the response with the device code, which can be an error under HTTP 200 (PROTOCOL A2). */
    start(body: Json): void {
      const required = ["device_code", "user_code", "verification_uri", "expires_in"];
      const missing = required.find((name) => !body[name]);
      if (missing) {
        const why = `sign-in: the service sent a device code response without ${missing}`;
        const hint = "run the same command again; check GRAPH_LOGIN_ORIGIN if you set it";
        throw new GraphError("failed", why, { code: "invalidAnswer", hint });
      }
      // Numbers may be strings. Without an interval MSAL polls in a tight loop, and without a lifetime it never stops.
      const interval = Number(body.interval ?? NaN);
      body.interval = Number.isFinite(interval) && interval >= 0 ? interval : DEFAULT_INTERVAL_SECONDS;
      const life = Number(body.expires_in);
      body.expires_in = Number.isFinite(life) && life > 0 ? life : DEFAULT_LIFE_SECONDS;
      firstWaitMs = Number(body.interval) * 1000;
    },

    /** Polls once; a temporary failure is waited out and reported to MSAL as "pending". */
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
      if (!response || isTemporary(response.status)) {
        await http.wait(http.backoffMs(++failures), "the sign-in service does not respond");
        return PENDING;
      }
      failures = 0;
      const { status, body } = response;
      if (body.error === "slow_down") extraMs += SLOW_DOWN_MS;
      if (CONTINUE.includes(String(body.error))) return PENDING;
      checked(response);
      if (!body.access_token) throw unexpected(status);
      return response;
    },
  };
}

const CONTINUE = ["slow_down", "authorization_pending", "temporarily_unavailable"];
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
    "a proxy or sign-in page of your network may have answered; check HTTPS_PROXY and GRAPH_LOGIN_ORIGIN";
  return new GraphError(kind, why, { code: "invalidAnswer", hint, status });
}
