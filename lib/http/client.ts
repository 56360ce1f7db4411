/**
 * The only caller of `fetch`: timeouts, retries, tracing. It knows no tokens and follows no redirects.
 *
 * @module
 */
import { anySignal, sleep, throwIfAborted } from "../abort.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { Deadline } from "./deadline.ts";
import { shownTarget } from "./redact.ts";
import { describeFailure, type HttpResponse, networkError, requestIdOf, toHttpResponse } from "./response.ts";
import {
  backoffMs,
  MAX_ATTEMPTS,
  RETRY_STATUSES,
  retryAfterMs,
  type RetryPolicy,
  waitHint,
} from "./retry.ts";

/** The version of the toolkit; a test keeps it equal to the one in `deno.json`. */
export const VERSION = "0.1.0";
/** Decorated as SharePoint asks; other traffic is served last (PROTOCOL 8c). */
const USER_AGENT = `NONISV|graph-scripts|graph-scripts/${VERSION}`;
const DEFAULT_MAX_WAIT_MS = 300_000;
/** Longer than any device code is valid. */
const MAX_SIGN_IN_MS = 3_600_000;

/** The outside world of an {@linkcode HttpClient}. */
export interface HttpOptions {
  /** @default `fetch` */
  fetch?: typeof fetch;
  /** Milliseconds since 1970. @default `Date.now` */
  now?: () => number;
  /** @default {@linkcode sleep} */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to 1, for jitter. @default `Math.random` */
  random?: () => number;
  /** Longest time without progress, in milliseconds. @default 300_000 */
  maxWaitMs?: number;
  /** Ends every request and every pause. */
  signal?: AbortSignal;
  /** Called after each attempt; secrets are redacted. */
  trace?: (event: TraceEvent) => void;
  /** Called before each pause. */
  onWait?: (wait: { ms: number; reason: string }) => void;
}

/** One attempt of a request, as `--verbose` shows it. */
export interface TraceEvent {
  method: string;
  /** Host and path; without the path of a pre-authenticated URL, which may be a secret. */
  target: string;
  status?: number | undefined;
  failure?: string | undefined;
  ms: number;
  requestId?: string | undefined;
}

export interface HttpRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  /** Never a stream, which would be sent chunked and without a length (denoland/deno#20274). */
  body?: Uint8Array<ArrayBuffer> | string | undefined;
  retry: RetryPolicy;
  /** The whole URL is a secret: upload and download URLs. */
  secretUrl?: boolean;
  /** Longest time to send the body and get headers, in milliseconds. @default {@linkcode Deadline.maxSilenceMs} */
  headerTimeoutMs?: number | undefined;
  /** How long a request may continue after an interruption, in milliseconds, so that its response is not lost. @default 0 */
  graceMs?: number | undefined;
  /** Whether a successful response is progress: not for a status request that follows a failure. @default true */
  isProgress?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** The outcome of one attempt: a value, or the response or error after which the request may be sent again. */
type Outcome<T> = { value: T } | { failure: HttpResponse | GraphError };

/** What hosts have said about too many requests, to all clients of a run. */
interface Throttling {
  /** Hosts that have asked to wait, and until when: no request is sent to them before (PROTOCOL 8a). */
  heldUntil: Map<string, number>;
  /** How many responses have said so. */
  responses: number;
}

/** Sends requests. One client serves a run, and others are derived from it. */
export class HttpClient {
  readonly now: () => number;
  readonly signal: AbortSignal | undefined;
  readonly deadline: Deadline;
  readonly #throttling: Throttling;
  readonly #options: HttpOptions & Required<Pick<HttpOptions, "fetch" | "now" | "sleep" | "random">>;

  constructor(
    options: HttpOptions = {},
    deadline?: Deadline,
    throttling: Throttling = { heldUntil: new Map(), responses: 0 },
  ) {
    this.#options = { fetch, now: Date.now, sleep, random: Math.random, ...options };
    this.#throttling = throttling;
    this.now = this.#options.now;
    this.signal = options.signal;
    this.deadline = deadline ?? new Deadline(options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS, this.now);
  }

  /** How many responses have throttled requests of this run. */
  get throttledResponses(): number {
    return this.#throttling.responses;
  }

  /** A client for one transfer: it expires without progress of its own, and together with this client. */
  forTransfer(): HttpClient {
    return this.#derive(new Deadline(this.deadline.maxWaitMs, this.now, this.deadline));
  }

  /** A client for a user's sign-in, which may take as long as a device code is valid. */
  forSignIn(): HttpClient {
    return this.#derive(new Deadline(MAX_SIGN_IN_MS, this.now));
  }

  /** A client for cleaning up after an interruption, without the run's signal. */
  detached(timeoutMs: number): HttpClient {
    return this.#derive(new Deadline(timeoutMs, this.now), { signal: AbortSignal.timeout(timeoutMs) });
  }

  #derive(deadline: Deadline, options: HttpOptions = {}): HttpClient {
    return new HttpClient({ ...this.#options, ...options }, deadline, this.#throttling);
  }

  /** Pauses before a retry. */
  async wait(ms: number, reason: string, signal = this.signal): Promise<void> {
    this.#options.onWait?.({ ms, reason });
    await this.deadline.wait(() => this.#options.sleep(ms, signal));
  }

  /** Pauses after failed attempts of the caller's own; `false`, at once, if the deadline does not allow it. */
  async backOff(
    attempts: number,
    reason: string,
    signal = this.signal,
    ms: number = backoffMs(attempts, this.#options.random()),
  ): Promise<boolean> {
    if (!this.deadline.allows(ms)) return false;
    await this.wait(ms, reason, signal);
    return true;
  }

  /**
   * Sends a request, again where its policy allows, and returns the response of any status.
   *
   * @throws {GraphError} `unavailable` without a response after the last attempt or at the deadline; `interrupted`.
   */
  send(request: HttpRequest): Promise<HttpResponse> {
    return this.sendAndRead(request, (response) => Promise.resolve(response));
  }

  /**
   * Sends a request and reads the response; with the policy `idempotent`, reading belongs to the attempt.
   *
   * @param read Throws a {@linkcode GraphError} with code `invalidAnswer` for a response that makes no sense.
   * @throws {GraphError} as {@linkcode HttpClient.send} and `read`.
   */
  async sendAndRead<T>(request: HttpRequest, read: (response: HttpResponse) => Promise<T>): Promise<T> {
    const signal = anySignal(this.signal, request.signal);
    for (let attempts = 1;; attempts++) {
      const outcome = await this.#attempt({ ...request, signal }, read);
      if ("value" in outcome) return outcome.value;
      const { failure } = outcome;
      const isLost = failure instanceof GraphError;
      const ms = (isLost ? undefined : retryAfterMs(failure.headers, this.now())) ??
        backoffMs(attempts, this.#options.random());
      if (attempts === MAX_ATTEMPTS || !this.deadline.allows(ms)) {
        if (isLost) throw failure;
        return await read(failure);
      }
      if (!isLost) await failure.discard();
      const reason = isLost ? failure.message : `HTTP ${failure.status} from ${hostOf(request.url)}`;
      await this.wait(ms, reason, signal);
    }
  }

  async #attempt<T>(request: HttpRequest, read: (response: HttpResponse) => Promise<T>): Promise<Outcome<T>> {
    let isRepeatable = request.retry === "idempotent";
    try {
      const response = await this.#fetchOnce(request);
      this.#holdHost(request.url, response);
      if (RETRY_STATUSES[request.retry].includes(response.status)) return { failure: response };
      isRepeatable &&= request.method === "GET";
      return { value: await read(response) };
    } catch (error) {
      const isLost = isGraphError(error) && ["network", "invalidAnswer"].includes(error.code);
      if (!isRepeatable || !isLost) throw error;
      return { failure: error };
    }
  }

  async #fetchOnce(request: HttpRequest): Promise<HttpResponse> {
    const { method, url, body, signal } = request;
    await this.#waitForHost(request);
    throwIfAborted(signal);
    const started = this.now();
    const { controller, release } = abortWith(signal, request.graceMs);
    try {
      const response = await this.deadline.wait(
        () =>
          this.#options.fetch(url, {
            method,
            headers: { "user-agent": USER_AGENT, ...request.headers },
            body: body === undefined ? null : wireBody(body, request.retry),
            redirect: "manual",
            signal: controller.signal,
          }),
        request.headerTimeoutMs ?? this.deadline.maxSilenceMs,
      );
      this.#trace(request, started, response);
      return toHttpResponse(response, {
        url,
        deadline: this.deadline,
        isProgress: response.status < 400 && request.isProgress !== false,
        signal,
        release,
        abort: () => controller.abort(),
      });
    } catch (error) {
      release();
      throwIfAborted(signal);
      controller.abort();
      this.#trace(request, started, undefined, describeFailure(error));
      throw networkError(url, error);
    }
  }

  /** Holds back requests of the whole run, also where this one is sent again by its caller, or not at all. */
  #holdHost(url: string, { status, headers }: HttpResponse): void {
    if (RETRY_STATUSES.throttled.includes(status)) this.#throttling.responses++;
    const ms = RETRY_STATUSES.idempotent.includes(status) ? retryAfterMs(headers, this.now()) : undefined;
    if (ms === undefined || !this.deadline.allows(ms)) return;
    const host = hostOf(url);
    const { heldUntil } = this.#throttling;
    heldUntil.set(host, Math.max(heldUntil.get(host) ?? 0, this.now() + ms));
  }

  /** Waits as long as the host has asked for no requests. */
  async #waitForHost({ url, signal }: HttpRequest): Promise<void> {
    const host = hostOf(url);
    for (let ms; (ms = (this.#throttling.heldUntil.get(host) ?? 0) - this.now()) > 0;) {
      if (!this.deadline.allows(ms)) {
        throw new GraphError("unavailable", `${host} is throttling`, {
          code: "longWait",
          hint: waitHint(ms),
        });
      }
      await this.wait(ms, `${host} has asked to wait`, signal);
    }
  }

  #trace(request: HttpRequest, started: number, response?: Response, failure?: string) {
    const { method, url, secretUrl = false } = request;
    this.#options.trace?.({
      method,
      target: shownTarget(url, secretUrl),
      ms: this.now() - started,
      status: response?.status,
      requestId: response && requestIdOf(response.headers),
      failure,
    });
  }
}

/** A controller that is aborted with a signal, after a period of grace; `release` ends the connection of the two. */
function abortWith(signal: AbortSignal | undefined, graceMs = 0) {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    timer = setTimeout(() => controller.abort(), graceMs);
  };
  signal?.addEventListener("abort", stop, { once: true });
  const release = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  };
  return { controller, release };
}

/**
 * When a reused connection breaks, Deno's `fetch` sends bytes and strings again; a Blob it sends only once, with its
 * length, but keeps it in memory until the next garbage collection. Fragments go as bytes: they name their range, and the
 * service takes each range only once (PROTOCOL U8).
 */
function wireBody(body: Uint8Array<ArrayBuffer> | string, retry: RetryPolicy) {
  return typeof body === "string" || retry === "throttled" ? new Blob([body]) : body;
}

function hostOf(url: string): string {
  return new URL(url).host;
}
