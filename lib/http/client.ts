/**
 * The one place that calls `fetch`: timeouts, the retry table, `Retry-After`, tracing. It knows no tokens and follows
 * no redirects.
 *
 * @module
 */
import { Deadline } from "./deadline.ts";
import { GraphError, isGraphError } from "../errors.ts";
import { Pace } from "./pace.ts";
import { redact, safeIdentifier, shownTarget } from "./redact.ts";
import { reconnectingFetch } from "./reconnecting_fetch.ts";
import { formatDuration } from "../format.ts";
import { VERSION } from "../version.ts";

/** Decorated as SharePoint asks; undecorated traffic is served last (PROTOCOL 8). */
const USER_AGENT = `NONISV|graph-scripts|graph-scripts/${VERSION}`;

/**
 * What may be sent again by itself:
 *
 * - `repeatable`: any fault that passes: 408, 429, 500, 502, 503, 504, 509, a broken connection, no answer in time;
 * - `refused`: only what the service says that it did not do: 429 and 503;
 * - `never`: the caller decides.
 */
export type RetryPolicy = "repeatable" | "refused" | "never";

const RETRY_STATUSES: Record<RetryPolicy, readonly number[]> = {
  repeatable: [408, 429, 500, 502, 503, 504, 509],
  refused: [429, 503],
  never: [],
};

const MAX_TRIES = 6;
const FIRST_WAIT_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
const DEFAULT_MAX_WAIT_MS = 300_000;
const MAX_SIGN_IN_MS = 3_600_000;
/** A listing of 1,000 items has about 2 MB. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;
/** An error body has about 1 kB. */
const MAX_ERROR_BYTES = 64 * 1024;
/** So much of a body is progress. */
const PROGRESS_BYTES = 64 * 1024;

/** What the outside world is to {@linkcode HttpClient}; tests and snippets may give their own. */
export interface HttpOptions {
  fetch?: typeof fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1, for jitter. */
  random?: () => number;
  /** Longest time without progress, in milliseconds. @default 300_000 */
  maxWaitMs?: number;
  /** Ends every request and every wait. */
  signal?: AbortSignal;
  /** Told of every answer and fault, without secrets. */
  trace?: (event: TraceEvent) => void;
  /** Told before every wait. */
  onWait?: (wait: { ms: number; reason: string }) => void;
}

/** One try of one request, as `--verbose` shows it. */
export interface TraceEvent {
  method: string;
  /** Host and path; the path of a pre-authenticated URL is left out, for it may be a secret. */
  target: string;
  status?: number;
  fault?: string;
  ms: number;
  requestId?: string;
}

/** A request for {@linkcode HttpClient.send}. */
export interface HttpRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  /** A stream would be sent chunked and without a length (denoland/deno#20274), so there are none. */
  body?: Uint8Array<ArrayBuffer> | string;
  retry: RetryPolicy;
  /** The whole URL is a secret: upload and download URLs. */
  secretUrl?: boolean;
  /**
   * Longest time to the header of the answer, in milliseconds; sending the body counts.
   * @default {@linkcode Deadline.maxSilenceMs}
   */
  headerTimeoutMs?: number;
  /** How long the request goes on after an interruption, in milliseconds, since its answer must not be lost. @default 0 */
  graceMs?: number;
  /** `false` for a question that a failure raises, such as where a session stands: its answer alone is no progress. */
  isProgress?: boolean;
  signal?: AbortSignal | undefined;
}

/** An answer of any status; its body must be read or discarded. */
export interface HttpResponse {
  status: number;
  headers: Headers;
  /**
   * The whole body, decoded.
   *
   * @throws {GraphError} `unavailable`, code `network`, when it breaks off or stays silent; `failed`, code `tooLarge`, for
   *   more than 32 MiB.
   */
  text(): Promise<string>;
  /** The first 64 KiB of the body of an error, decoded; what breaks off is cut. */
  errorText(): Promise<string>;
  /** The body as it comes; throws as {@linkcode HttpResponse.text}. */
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  discard(): Promise<void>;
}

/** What one attempt came to: a value, or a reason to try again. */
type Outcome<T> = { value: T } | {
  reason: string;
  /** How long the service asks to wait, in milliseconds. */
  askedMs?: number | undefined;
  answer?: HttpResponse;
  /** Ends the request with what there is. */
  giveUp: () => Promise<T>;
};

/** Codes of answers that are as good as lost. */
const BODY_FAILURES = ["network", "invalidAnswer"];

/** Waits, and rejects at once when the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(interruptedError(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(interruptedError(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The error of a run that its user or caller ended: exit code 130. */
export function interruptedError(signal?: AbortSignal): GraphError {
  const reason: unknown = signal?.reason;
  return isGraphError(reason)
    ? reason
    : new GraphError("interrupted", "interrupted", { code: "interrupted", cause: reason });
}

/** Sends requests; one instance serves a whole run, or one transfer of it. */
export class HttpClient {
  readonly now: () => number;
  readonly signal: AbortSignal | undefined;
  /** Shared by all that this instance sends. */
  readonly deadline: Deadline;
  readonly #fetch: typeof fetch;
  readonly #pace: Pace;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly #options: HttpOptions;

  constructor(options: HttpOptions = {}, shared?: { deadline: Deadline; pace: Pace }) {
    this.#fetch = options.fetch ?? reconnectingFetch();
    // What derives from this one shares its connections and its pace.
    this.#options = { ...options, fetch: this.#fetch };
    this.#pace = shared?.pace ?? new Pace();
    this.#sleep = options.sleep ?? sleep;
    this.now = options.now ?? Date.now;
    this.signal = options.signal;
    this.deadline = shared?.deadline ?? new Deadline(options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS, this.now);
  }

  /** For one transfer: it expires without progress of its own, and with this one. */
  forTransfer(): HttpClient {
    const deadline = new Deadline(this.deadline.maxWaitMs, this.now, this.deadline);
    return new HttpClient(this.#options, { deadline, pace: this.#pace });
  }

  /** For a user's sign-in, which does not count: it may take as long as a code lives. */
  forSignIn(): HttpClient {
    const deadline = new Deadline(MAX_SIGN_IN_MS, this.now);
    return new HttpClient(this.#options, { deadline, pace: this.#pace });
  }

  /** Without the run's signal, for cleaning up after an interruption; it ends by itself. */
  detached(timeoutMs: number): HttpClient {
    const deadline = new Deadline(timeoutMs, this.now);
    return new HttpClient({ ...this.#options, signal: AbortSignal.timeout(timeoutMs) }, {
      deadline,
      pace: this.#pace,
    });
  }

  /** Waits for the caller's own retries; ends with the run's signal, and with the caller's. */
  async wait(ms: number, reason: string, signal?: AbortSignal): Promise<void> {
    this.#options.onWait?.({ ms, reason });
    await this.deadline.wait(() => this.#sleep(ms, this.#signalOf({ signal })));
  }

  /** How long to wait before try number `tries + 1`: exponential with jitter, in milliseconds. */
  backoffMs(tries: number): number {
    const random = this.#options.random ?? Math.random;
    return Math.min(MAX_BACKOFF_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + random() / 2);
  }

  /**
   * Sends a request, again where its rule allows it, and returns the answer of any status.
   *
   * @throws {GraphError} `unavailable` when no answer came until tries or the deadline ran out, `interrupted`.
   */
  send(request: HttpRequest): Promise<HttpResponse> {
    return this.sendAndRead(request, (answer) => Promise.resolve(answer));
  }

  /**
   * As {@linkcode HttpClient.send}, and reads the answer. One of a GET that breaks off or is invalid is treated like a lost one.
   *
   * @param read Throws a {@linkcode GraphError} of code `invalidAnswer` for an answer that makes no sense.
   */
  async sendAndRead<T>(request: HttpRequest, read: (answer: HttpResponse) => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      const outcome = await this.#attempt(request, read);
      if ("value" in outcome) return outcome.value;
      const ms = outcome.askedMs ?? this.backoffMs(tries);
      if (tries === MAX_TRIES || !this.deadline.allows(ms)) return await outcome.giveUp();
      if (outcome.askedMs !== undefined) this.#pace.hold(hostOf(request.url), this.now() + ms);
      await outcome.answer?.discard();
      this.#options.onWait?.({ ms, reason: outcome.reason });
      await this.deadline.wait(() => this.#sleep(ms, this.#signalOf(request)));
    }
  }

  async #attempt<T>(request: HttpRequest, read: (answer: HttpResponse) => Promise<T>): Promise<Outcome<T>> {
    const answer = await this.#try(request);
    const repeatable = request.retry === "repeatable";
    if (answer instanceof GraphError) {
      if (!repeatable || answer.kind !== "unavailable") throw answer;
      return { reason: answer.message, giveUp: () => Promise.reject(answer) };
    }
    if (RETRY_STATUSES[request.retry].includes(answer.status)) {
      return {
        reason: `HTTP ${answer.status} from ${hostOf(request.url)}`,
        askedMs: retryAfterMs(answer.headers, this.now()),
        answer,
        giveUp: () => read(answer),
      };
    }
    try {
      return { value: await read(answer) };
    } catch (error) {
      const isLost = isGraphError(error) && BODY_FAILURES.includes(error.code);
      if (!repeatable || request.method !== "GET" || !isLost) throw error;
      return { reason: error.message, giveUp: () => Promise.reject(error) };
    }
  }

  async #try(request: HttpRequest): Promise<HttpResponse | GraphError> {
    await this.#untilAllowed(request);
    const started = this.now();
    const controller = new AbortController();
    const signals = [this.signal, request.signal].filter((signal) => signal !== undefined);
    if (signals.some((signal) => signal.aborted)) {
      throw interruptedError(signals.find((signal) => signal.aborted));
    }
    let grace: ReturnType<typeof setTimeout> | undefined;
    const stop = () => {
      if (!request.graceMs) return controller.abort();
      grace = setTimeout(() => controller.abort(), request.graceMs);
    };
    for (const signal of signals) signal.addEventListener("abort", stop, { once: true });
    const release = () => {
      clearTimeout(grace);
      for (const signal of signals) signal.removeEventListener("abort", stop);
    };
    try {
      const response = await this.deadline.wait(
        () =>
          this.#fetch(request.url, {
            method: request.method,
            headers: { "user-agent": USER_AGENT, ...request.headers },
            ...(request.body === undefined ? {} : { body: wireBody(request.body, request.retry) }),
            redirect: "manual",
            signal: controller.signal,
          }),
        request.headerTimeoutMs ?? this.deadline.maxSilenceMs,
      );
      this.#trace(request, started, { status: response.status, headers: response.headers });
      return this.#answer(response, controller, release, request);
    } catch (error) {
      release();
      const ended = signals.find((signal) => signal.aborted);
      if (ended) throw interruptedError(ended);
      controller.abort();
      const why = faultText(error);
      this.#trace(request, started, { fault: why });
      return networkError(request.url, why, error);
    }
  }

  /** Waits while the host has asked for no requests. */
  async #untilAllowed(request: HttpRequest): Promise<void> {
    const host = hostOf(request.url);
    for (let ms; (ms = this.#pace.delayMs(host, this.now())) > 0;) {
      if (!this.deadline.allows(ms)) throw askedToWait(host, ms);
      this.#options.onWait?.({ ms, reason: `${host} has asked to wait` });
      await this.deadline.wait(() => this.#sleep(ms, this.#signalOf(request)));
    }
  }

  /** Ends a pause when the run is ended, and when the request is no longer wanted. */
  #signalOf({ signal }: Pick<HttpRequest, "signal">): AbortSignal | undefined {
    const signals = [signal, this.signal].filter((one) => one !== undefined);
    return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  }

  #answer(
    response: Response,
    controller: AbortController,
    release: () => void,
    request: HttpRequest,
  ): HttpResponse {
    const { deadline, signal } = this;
    const { status, headers } = response;
    const isProgress = status < 400 && request.isProgress !== false;
    async function* chunks() {
      const reader = response.body?.getReader();
      let sinceProgress = 0;
      try {
        while (reader) {
          const { done, value } = await deadline.wait(() => reader.read(), deadline.maxSilenceMs);
          if (done) break;
          sinceProgress += value.length;
          if (sinceProgress >= PROGRESS_BYTES) {
            sinceProgress = 0;
            deadline.progress();
          }
          yield value;
        }
        if (isProgress) deadline.progress();
      } catch (error) {
        const ended = [signal, request.signal].find((signal) => signal?.aborted);
        throw ended ? interruptedError(ended) : networkError(request.url, faultText(error), error);
      } finally {
        release();
        controller.abort();
        await reader?.cancel().catch(() => {}); // the connection is given up: nothing is left to report
      }
    }
    return {
      status,
      headers,
      chunks,
      async text() {
        const decoder = new TextDecoder();
        let text = "";
        let bytes = 0;
        for await (const chunk of chunks()) {
          if ((bytes += chunk.length) > MAX_TEXT_BYTES) throw tooLarge(request.url);
          text += decoder.decode(chunk, { stream: true });
        }
        return text + decoder.decode();
      },
      async errorText() {
        const decoder = new TextDecoder();
        let text = "";
        try {
          for await (const chunk of chunks()) {
            text += decoder.decode(chunk.subarray(0, MAX_ERROR_BYTES - text.length), { stream: true });
            if (text.length >= MAX_ERROR_BYTES) break;
          }
        } catch (error) {
          if (isGraphError(error) && error.kind === "interrupted") throw error;
          // A body that breaks off must not hide the status.
        }
        return text;
      },
      async discard() {
        release();
        if (isProgress) deadline.progress();
        await response.body?.cancel().catch(() => {}); // as above
      },
    };
  }

  #trace(
    request: HttpRequest,
    started: number,
    result: { status?: number; headers?: Headers; fault?: string },
  ): void {
    if (!this.#options.trace) return;
    const requestId = result.headers && requestIdOf(result.headers);
    this.#options.trace({
      method: request.method,
      target: shownTarget(request.url, request.secretUrl ?? false),
      ms: this.now() - started,
      ...(result.status === undefined ? {} : { status: result.status }),
      ...(result.fault === undefined ? {} : { fault: result.fault }),
      ...(requestId ? { requestId } : {}),
    });
  }
}

/**
 * On a reused connection that breaks, Deno's fetch sends bytes and strings a second time by itself; a Blob it sends once,
 * and with its length, but keeps it in memory until the next garbage collection. So large fragments go as bytes: they say
 * where they belong, and the service takes each of them once only (PROTOCOL U8).
 */
function wireBody(
  body: Uint8Array<ArrayBuffer> | string,
  retry: RetryPolicy,
): Blob | Uint8Array<ArrayBuffer> {
  return typeof body === "string" || retry === "refused" ? new Blob([body]) : body;
}

/** The id that Microsoft's support asks for, as Graph and as storage hosts name it. */
export function requestIdOf(headers: Headers): string | undefined {
  const names = ["request-id", "sprequestguid", "x-ms-request-id"];
  return names.map((name) => safeIdentifier(headers.get(name), 64)).find((id) => id !== undefined);
}

/** What `Retry-After` and `RateLimit-Reset` ask for, in milliseconds; seconds and HTTP dates both occur. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const waits: number[] = [];
  const after = headers.get("retry-after");
  if (after !== null) {
    // A date is by the service's clock, which need not be ours.
    const sent = Date.parse(headers.get("date") ?? "");
    const theirNow = Number.isNaN(sent) ? now : sent;
    const ms = /^\s*\d+(\.\d+)?\s*$/.test(after) ? Number(after) * 1000 : Date.parse(after) - theirNow;
    if (Number.isFinite(ms)) waits.push(Math.max(0, ms));
  }
  const reset = Number(headers.get("ratelimit-reset") ?? NaN);
  if (headers.get("ratelimit-remaining")?.trim() === "0" && Number.isFinite(reset)) waits.push(reset * 1000);
  return waits.length > 0 ? Math.max(...waits) : undefined;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

/** Deno keeps the reason of `fetch failed` in the cause; the texts of both may hold the URL, which may be a secret. */
function faultText(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error && texts.length < 4; at = at.cause) {
    texts.push(at.message);
  }
  const text = texts.join(": ").replace(/\s*\(?https?:\/\/[^\s)]*\)?/g, "").replace(
    /error sending request( for url)?:?\s*/g,
    "",
  );
  return redact(text) || "connection failed";
}

function askedToWait(host: string, ms: number): GraphError {
  return new GraphError("unavailable", `${host} is throttling`, {
    code: "longWait",
    hint: `wait ${formatDuration(ms / 1000)}, as the service asks, then run the same command again`,
  });
}

function tooLarge(url: string): GraphError {
  return new GraphError("failed", `${hostOf(url)} sent more than ${MAX_TEXT_BYTES / 1024 ** 2} MiB of text`, {
    code: "tooLarge",
    hint: "this is no answer of Microsoft Graph; check GRAPH_API_ORIGIN and proxies",
  });
}

function networkError(url: string, why: string, cause: unknown): GraphError {
  const host = hostOf(url);
  if (cause instanceof Deno.errors.NotCapable) {
    return new GraphError("refused", `this program may not connect to ${host}`, {
      code: "notCapable",
      hint: `run it with --allow-net=${host} as well, if you trust that host`,
    });
  }
  if (isGraphError(cause)) return cause.withMessage(`${host}: ${cause.message}`);
  return new GraphError("unavailable", `cannot reach ${host}: ${why}`, {
    code: "network",
    hint:
      `check the network, and HTTPS_PROXY, NO_PROXY and DENO_TLS_CA_STORE=system if a proxy or company certificate stands between`,
  });
}
