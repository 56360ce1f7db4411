/**
 * MSAL's transport. The one that MSAL brings along loses the texts of the service, gives up at the first `slow_down`, 429
 * or dropped connection while it polls, does not check the response with the device code, and has no timeouts.
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import { type EntraErrorBody, toSignInError } from "./aadsts.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { formatDuration } from "../format.ts";
import type { HttpClient } from "../http/client.ts";
import type { HttpResponse } from "../http/response.ts";
import { parseJsonObject } from "../json.ts";

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

/** Options of {@linkcode authNetwork}. */
export interface AuthNetworkOptions {
  http: HttpClient;
  /** Origin that MSAL knows: its cache keys stay those of production wherever the requests go. */
  knownOrigin: string;
  /** Origin that the requests go to. */
  loginOrigin: string;
  /** Receives what the user should know. */
  notice: (text: string) => void;
}

/** The error that the transport threw, from what MSAL made of it. */
export function unwrapMsalError(error: unknown): GraphError | undefined {
  if (isGraphError(error)) return error;
  return error instanceof Error && "original" in error && isGraphError(error.original)
    ? error.original
    : undefined;
}

/**
 * Creates the transport.
 *
 * @param AuthError MSAL's class: only errors derived from it pass through MSAL unchanged.
 */
export function authNetwork(AuthError: typeof Msal.AuthError, options: AuthNetworkOptions): NetworkModule {
  const { http, knownOrigin, loginOrigin, notice } = options;

  class WrappedError extends AuthError {
    constructor(readonly original: GraphError) {
      super(original.code, original.requestId ?? "", original.message);
    }
  }

  const polling = new Polling(http.forSignIn());
  let isClockChecked = false;

  async function exchange(method: "GET" | "POST", url: string, request: MsalRequest = {}) {
    try {
      const target = url.startsWith(knownOrigin) ? loginOrigin + url.slice(knownOrigin.length) : url;
      const grant = new URLSearchParams(request.body).get("grant_type");
      if (grant?.endsWith("device_code")) {
        return await polling.poll((http) => send(http, method, target, request, "never"));
      }
      const response = await send(http, method, target, request, "idempotent");
      if ("error" in response.body) throw serviceError(response);
      if (response.status > 299) throw unexpected(response.status);
      if (new URL(url).pathname.endsWith("/devicecode")) polling.start(response.body);
      return response;
    } catch (error) {
      throw isGraphError(error) ? new WrappedError(error) : error;
    }
  }

  async function send(
    http: HttpClient,
    method: string,
    url: string,
    { headers = {}, body }: MsalRequest,
    retry: "never" | "idempotent",
  ): Promise<MsalResponse> {
    const request = { method, url, headers, retry, ...(body === undefined ? {} : { body }) };
    const response = await http.send(request);
    if (!isClockChecked) checkClock(response.headers, http.now(), notice);
    isClockChecked = true;
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await readJson(response),
    };
  }

  return {
    // MSAL reads what it needs of the body; its type is MSAL's.
    sendGetRequestAsync: async <T>(url: string, request?: object) =>
      await exchange("GET", url, request) as MsalResponse & { body: T },
    sendPostRequestAsync: async <T>(url: string, request?: object) =>
      await exchange("POST", url, request) as MsalResponse & { body: T },
  };
}

/**
 * A wrong clock does not make tokens look expired, since their life is counted from their arrival. Certificates, the
 * signatures of apps and file times still need the right time.
 */
function checkClock(headers: Headers, now: number, notice: (text: string) => void): void {
  const aheadMs = now - Date.parse(headers.get("date") ?? "");
  if (!(Math.abs(aheadMs) > CLOCK_TOLERANCE_MS)) return; // also without a Date header
  const by = formatDuration(Math.abs(aheadMs) / 1000);
  notice(
    `the clock of this machine is ${by} ${aheadMs > 0 ? "ahead of" : "behind"} the service's; correct it`,
  );
}

/** Waits between polls, which MSAL does not always do, and lets MSAL continue after temporary failures. */
class Polling {
  readonly #http: HttpClient;
  #firstWaitMs = 0;
  #extraMs = 0;
  #isFirst = true;
  #failures = 0;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Checks the response with the device code, which can be an error under HTTP 200 (PROTOCOL A2). */
  start(body: Json): void {
    for (const name of ["device_code", "user_code", "verification_uri", "expires_in"]) {
      if (!body[name]) {
        throw new GraphError("failed", `sign-in: the service sent a device code response without ${name}`, {
          code: "invalidAnswer",
          hint: "run the same command again; check GRAPH_LOGIN_ORIGIN if you set it",
        });
      }
    }
    // Numbers may be strings. Without an interval MSAL polls in a tight loop, without a lifetime without end.
    const interval = Number(body.interval ?? DEFAULT_INTERVAL_SECONDS);
    body.interval = Number.isFinite(interval) && interval >= 0 ? interval : DEFAULT_INTERVAL_SECONDS;
    const life = Number(body.expires_in);
    body.expires_in = Number.isFinite(life) && life > 0 ? life : DEFAULT_LIFE_SECONDS;
    this.#firstWaitMs = Number(body.interval) * 1000;
  }

  /** Polls once; a temporary failure is waited out and reported to MSAL as "pending". */
  async poll(send: (http: HttpClient) => Promise<MsalResponse>): Promise<MsalResponse> {
    this.#http.deadline.progress(); // the user may take as long as the code lives
    // MSAL polls at once; RFC 8628 asks for the interval before the first poll as well.
    const waitMs = this.#isFirst ? this.#firstWaitMs : this.#extraMs;
    this.#isFirst = false;
    if (waitMs > 0) await this.#http.wait(waitMs, "sign-in");
    let response: MsalResponse;
    try {
      response = await send(this.#http);
    } catch (error) {
      if (isGraphError(error) && error.kind === "unavailable") return await this.#pendingAfterFailure();
      throw error;
    }
    const { status, body } = response;
    if (isTemporary(status)) return await this.#pendingAfterFailure();
    this.#failures = 0;
    if (body.error === "slow_down") this.#extraMs += SLOW_DOWN_MS;
    if (CONTINUE.includes(String(body.error))) return PENDING;
    if (body.error !== undefined) throw serviceError(response);
    if (status > 299 || !body.access_token) throw unexpected(status);
    return response;
  }

  async #pendingAfterFailure(): Promise<MsalResponse> {
    const waitMs = this.#http.backoffMs(++this.#failures);
    await this.#http.wait(waitMs, "the sign-in service does not respond");
    return PENDING;
  }
}

const CONTINUE = ["slow_down", "authorization_pending", "temporarily_unavailable"];
const PENDING: MsalResponse = {
  status: 400,
  headers: {},
  body: { error: "authorization_pending", error_description: "AADSTS70016: pending", error_codes: [70016] },
};

async function readJson(response: HttpResponse): Promise<Json> {
  const body = parseJsonObject(await response.text());
  if (body) return body;
  if (isTemporary(response.status)) return {}; // the caller looks at the status
  throw unexpected(response.status);
}

function isTemporary(status: number): boolean {
  return status === 429 || status >= 500;
}

function serviceError({ body, status }: MsalResponse): GraphError {
  return toSignInError(body as unknown as EntraErrorBody, status);
}

function unexpected(status: number): GraphError {
  return new GraphError(
    isTemporary(status) ? "unavailable" : "failed",
    `sign-in: the response (HTTP ${status}) is not from the sign-in service`,
    {
      code: "invalidAnswer",
      hint:
        "a proxy or sign-in page of your network may have answered; check HTTPS_PROXY and GRAPH_LOGIN_ORIGIN",
      status,
    },
  );
}
