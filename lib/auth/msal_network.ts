/**
 * The transport that MSAL is given. MSAL's own loses the service's words, gives up at the first `slow_down`, 429 or dropped
 * connection while it polls, trusts a device code answer unseen, and waits for ever for a silent server.
 *
 * @module
 */
import type * as Msal from "@azure/msal-node";
import { type EntraErrorBody, toSignInError } from "./aadsts.ts";
import { GraphError, isGraphError } from "../errors.ts";
import type { HttpClient } from "../http/client.ts";
import type { HttpResponse } from "../http/response.ts";
import { formatDuration } from "../format.ts";

type NetworkModule = NonNullable<NonNullable<Msal.Configuration["system"]>["networkClient"]>;
type Json = Record<string, unknown>;
type Reply = { status: number; headers: Record<string, string>; body: Json };

/** RFC 8628: each `slow_down` adds this to the interval. */
const SLOW_DOWN_MS = 5_000;
const DEFAULT_INTERVAL_SECONDS = 5;
const DEFAULT_LIFE_SECONDS = 900;
/** Entra ID itself tolerates five minutes in what an app signs. */
const CLOCK_TOLERANCE_MS = 300_000;

/** What the transport works with. */
export interface AuthNetworkOptions {
  http: HttpClient;
  /** Origin that MSAL knows; its cache keys stay those of production whatever the requests are sent to. */
  knownOrigin: string;
  /** Origin that the requests are sent to. */
  loginOrigin: string;
  /** Told what a person should know. */
  notice: (text: string) => void;
}

/** Finds the error that the transport threw inside of what MSAL made of it. */
export function unwrapMsalError(error: unknown): GraphError | undefined {
  if (isGraphError(error)) return error;
  return error instanceof Error && "explained" in error && isGraphError(error.explained)
    ? error.explained
    : undefined;
}

/**
 * Makes the transport.
 *
 * @param AuthError MSAL's class: only errors derived from it pass through MSAL unchanged.
 */
export function authNetwork(AuthError: typeof Msal.AuthError, options: AuthNetworkOptions): NetworkModule {
  class ExplainedError extends AuthError {
    constructor(readonly explained: GraphError) {
      super(explained.code, explained.requestId ?? "", explained.message);
    }
  }
  const polling = new Polling(options.http.forSignIn());
  let clockChecked = false;

  async function reply(
    method: "GET" | "POST",
    url: string,
    request: { headers?: Record<string, string>; body?: string } = {},
  ) {
    try {
      const target = url.startsWith(options.knownOrigin)
        ? options.loginOrigin + url.slice(options.knownOrigin.length)
        : url;
      const grant = new URLSearchParams(request.body).get("grant_type");
      if (grant?.endsWith("device_code")) {
        return await polling.poll((http) => send(http, method, target, request, "never"));
      }
      const answer = await send(options.http, method, target, request, "idempotent");
      if ("error" in answer.body) {
        throw toSignInError(answer.body as unknown as EntraErrorBody, answer.status);
      }
      if (answer.status > 299) throw unexpected(answer.status);
      if (new URL(url).pathname.endsWith("/devicecode")) polling.start(answer.body);
      return answer;
    } catch (error) {
      throw isGraphError(error) ? new ExplainedError(error) : error;
    }
  }

  async function send(
    http: HttpClient,
    method: string,
    url: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: string },
    retry: "never" | "idempotent",
  ): Promise<Reply> {
    const answer = await http.send({
      method,
      url,
      headers,
      retry,
      ...(body === undefined ? {} : { body }),
    });
    if (!clockChecked) {
      clockChecked = true;
      checkClock(answer.headers, options.http.now(), options.notice);
    }
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await json(answer) };
  }

  return {
    // The callers parse what they need; the body's type is theirs.
    sendGetRequestAsync: async <T>(url: string, request?: object) =>
      await reply("GET", url, request) as Reply & { body: T },
    sendPostRequestAsync: async <T>(url: string, request?: object) =>
      await reply("POST", url, request) as Reply & { body: T },
  };
}

/**
 * Tokens are good for a time from when they came, by this machine's own clock, so a wrong clock does not make them look
 * expired. Certificates, proofs of an app and the times of files still need the right time.
 */
function checkClock(headers: Headers, now: number, notice: (text: string) => void): void {
  const aheadMs = now - Date.parse(headers.get("date") ?? "");
  if (!(Math.abs(aheadMs) > CLOCK_TOLERANCE_MS)) return; // no Date header, too
  const by = formatDuration(Math.abs(aheadMs) / 1000);
  notice(
    `the clock of this machine is ${by} ${aheadMs > 0 ? "ahead of" : "behind"} the service's; set it right`,
  );
}

/** The waiting between polls that MSAL does not do, and its answer while there is reason to go on. */
class Polling {
  readonly #http: HttpClient;
  #extraMs = 0;
  #first = true;
  #firstWaitMs = 0;
  #faults = 0;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Checks the answer to the start of a device code flow, whatever its status was (PROTOCOL A2). */
  start(body: Json): void {
    for (const name of ["device_code", "user_code", "verification_uri", "expires_in"]) {
      if (!body[name]) {
        throw new GraphError("failed", `sign-in: the service sent a device code answer without ${name}`, {
          code: "invalidAnswer",
          hint: "run the same command again; check GRAPH_LOGIN_ORIGIN if you set it",
        });
      }
    }
    // Without an interval MSAL polls in a tight loop; other providers send strings.
    const interval = Number(body.interval ?? DEFAULT_INTERVAL_SECONDS);
    body.interval = Number.isFinite(interval) && interval >= 0 ? interval : DEFAULT_INTERVAL_SECONDS;
    const life = Number(body.expires_in);
    body.expires_in = Number.isFinite(life) && life > 0 ? life : DEFAULT_LIFE_SECONDS; // MSAL would poll for ever
    this.#firstWaitMs = Number(body.interval) * 1000;
  }

  /** One poll; faults that pass are told to MSAL as "pending", after a wait. */
  async poll(send: (http: HttpClient) => Promise<Reply>): Promise<Reply> {
    this.#http.deadline.progress(); // the user may take as long as the code lives
    // MSAL polls at once, the protocol wants the interval before the first poll as well.
    const waitMs = this.#first ? this.#firstWaitMs : this.#extraMs;
    this.#first = false;
    if (waitMs > 0) await this.#http.wait(waitMs, "sign-in");
    let reply: Reply;
    try {
      reply = await send(this.#http);
    } catch (error) {
      if (isGraphError(error) && error.kind === "unavailable") return await this.#pendingAfterFault();
      throw error;
    }
    if (reply.status === 429 || reply.status >= 500) return await this.#pendingAfterFault();
    this.#faults = 0;
    const error = reply.body.error;
    if (error === "slow_down") this.#extraMs += SLOW_DOWN_MS;
    if (error === "slow_down" || error === "authorization_pending" || error === "temporarily_unavailable") {
      return PENDING;
    }
    if (error !== undefined) throw toSignInError(reply.body as unknown as EntraErrorBody, reply.status);
    if (reply.status > 299 || !reply.body.access_token) throw unexpected(reply.status);
    return reply;
  }

  async #pendingAfterFault(): Promise<Reply> {
    await this.#http.wait(this.#http.backoffMs(++this.#faults), "the sign-in service does not answer");
    return PENDING;
  }
}

const PENDING: Reply = {
  status: 400,
  headers: {},
  body: { error: "authorization_pending", error_description: "AADSTS70016: pending", error_codes: [70016] },
};

async function json(answer: HttpResponse): Promise<Json> {
  const text = await answer.text();
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
    throw unexpected(answer.status);
  } catch {
    if (answer.status === 429 || answer.status >= 500) return {}; // the status says it all
    throw unexpected(answer.status);
  }
}

function unexpected(status: number): GraphError {
  return new GraphError(
    status === 429 || status >= 500 ? "unavailable" : "failed",
    `sign-in: the answer (HTTP ${status}) is not one of the sign-in service`,
    {
      code: "invalidAnswer",
      hint:
        "a proxy or sign-in page of your network may have answered; check HTTPS_PROXY and GRAPH_LOGIN_ORIGIN",
      status,
    },
  );
}
