/**
 * The one place that calls `fetch`: time-outs, the retry table, `Retry-After`, tracing. It knows no tokens and follows
 * no redirects.
 *
 * @module
 */
import { GraphError, isGraphError } from "../errors.ts";
import { Pace } from "./pace.ts";
import { plainWord, shownTarget, withoutSecrets } from "./redact.ts";
import { renewingFetch } from "./renewing_fetch.ts";
import { VERSION } from "../version.ts";

/** Decorated as SharePoint asks; undecorated traffic is served last (graph-protocol section 8). */
export const USER_AGENT = `NONISV|graph-scripts|graph-scripts/${VERSION}`;

/**
 * What may be sent again by itself:
 *
 * - `repeatable`: any fault that passes: 408, 429, 500, 502, 503, 504, 509, a broken connection, no answer in time;
 * - `refused`: only what the service says that it did not do: 429 and 503;
 * - `never`: the caller decides.
 */
export type RetryRule = "repeatable" | "refused" | "never";

const RETRY_STATUSES: Record<RetryRule, readonly number[]> = {
  repeatable: [408, 429, 500, 502, 503, 504, 509],
  refused: [429, 503],
  never: [],
};

const MAX_TRIES = 6;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const DEFAULT_HEADER_TIMEOUT_MS = 100_000;

/** What the outside world is to {@linkcode Http}; tests and snippets may give their own. */
export interface HttpOptions {
  fetch?: typeof fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1, for jitter. */
  random?: () => number;
  /** Longest total wait for one piece of work between its tries, in milliseconds. @default 300_000 */
  maxWaitMs?: number;
  /** How quickly requests may follow each other, for all that share it. @default as the service likes it */
  pace?: Pace;
  /** Longest silence within a body, in milliseconds. @default 60_000 */
  stallTimeoutMs?: number;
  /** Ends every request and every wait. */
  signal?: AbortSignal;
  /** Ends every wait, even sooner. */
  waitSignal?: AbortSignal | undefined;
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

/** A request for {@linkcode Http.send}. */
export interface HttpRequest {
  method: string;
  url: string;
  headers?: Record<string, string>;
  /** A stream would be sent chunked and without a length (denoland/deno#20274), so there are none. */
  body?: Uint8Array<ArrayBuffer> | string;
  retry: RetryRule;
  /** The whole URL is a secret: upload and download URLs. */
  secretUrl?: boolean;
  /** Longest time to the header of the answer, in milliseconds; sending the body counts. @default 100_000 */
  headerTimeoutMs?: number;
  signal?: AbortSignal | undefined;
  /** Does not count among the requests that the service takes in a time: fragments, one after another. */
  uncounted?: boolean;
}

/** An answer of any status; its body must be read or discarded. */
export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** The whole body, decoded. */
  text(): Promise<string>;
  /** The body as it comes; throws when it stays silent for the stall time-out. */
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  discard(): Promise<void>;
}

/** Waits, and rejects at once when the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(interrupted(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(interrupted(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The error of a run that its user or caller ended: exit code 130. */
export function interrupted(signal?: AbortSignal): GraphError {
  const reason: unknown = signal?.reason;
  return isGraphError(reason)
    ? reason
    : new GraphError("interrupted", "interrupted", { code: "interrupted", cause: reason });
}

/** Sends requests; one instance serves a whole run. */
export class Http {
  readonly now: () => number;
  readonly signal: AbortSignal | undefined;
  readonly #fetch: typeof fetch;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly #options: HttpOptions;

  constructor(options: HttpOptions = {}) {
    this.#fetch = options.fetch ?? renewingFetch();
    // What derives from this one shares its connections and its pace.
    this.#options = { ...options, fetch: this.#fetch, pace: options.pace ?? new Pace() };
    this.#sleep = options.sleep ?? sleep;
    this.now = options.now ?? Date.now;
    this.signal = options.signal;
  }

  /** Longest total wait for one piece of work between its tries, in milliseconds. */
  get maxWaitMs(): number {
    return this.#options.maxWaitMs ?? 300_000;
  }

  /** The same without the run's signal, for cleaning up after an interruption; it ends by itself. */
  detached(timeoutMs: number): Http {
    return new Http({
      ...this.#options,
      signal: AbortSignal.timeout(timeoutMs),
      waitSignal: undefined,
    });
  }

  /**
   * The same with a signal that comes later than the run's, for what must not be left half-known: requests go on for the
   * grace, waits end at once.
   */
  outliving(graceMs: number): Http {
    const later = new AbortController();
    const { signal } = this;
    if (signal?.aborted) later.abort(signal.reason);
    signal?.addEventListener(
      "abort",
      () => Deno.unrefTimer(setTimeout(() => later.abort(signal.reason), graceMs)),
      { once: true },
    );
    return new Http({ ...this.#options, signal: later.signal, waitSignal: signal });
  }

  /** Waits for the caller's own retries; ends with the run's signal. */
  async wait(ms: number, reason: string): Promise<void> {
    this.#options.onWait?.({ ms, reason });
    await this.#sleep(ms, this.signal);
  }

  /** How long to wait before try number `tries + 1`: exponential with jitter, in milliseconds. */
  backoffMs(tries: number): number {
    const random = this.#options.random ?? Math.random;
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + random() / 2);
  }

  /**
   * Sends a request, again where its rule allows it, and returns the answer of any status.
   *
   * @throws {GraphError} `unavailable` when no answer came until tries or `maxWaitMs` ran out, `interrupted`.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    let waitedMs = 0;
    for (let tries = 1;; tries++) {
      const outcome = await this.#try(request);
      const repeat = outcome instanceof GraphError
        ? request.retry === "repeatable" && outcome.kind === "unavailable"
        : RETRY_STATUSES[request.retry].includes(outcome.status);
      if (repeat && tries < MAX_TRIES) {
        const asked = outcome instanceof GraphError ? undefined : retryAfterMs(outcome.headers, this.now());
        const ms = asked ?? this.backoffMs(tries);
        if (waitedMs + ms <= this.maxWaitMs) {
          if (!(outcome instanceof GraphError)) await outcome.discard();
          if (asked !== undefined) this.#options.pace!.hold(hostOf(request.url), this.now() + asked);
          const why = outcome instanceof GraphError
            ? outcome.message
            : `HTTP ${outcome.status} from ${hostOf(request.url)}`;
          this.#options.onWait?.({ ms, reason: why });
          await this.#sleep(ms, this.#signalOf(request));
          waitedMs += ms;
          continue;
        }
      }
      if (outcome instanceof GraphError) throw outcome;
      return outcome;
    }
  }

  async #try(request: HttpRequest): Promise<HttpAnswer | GraphError> {
    await this.#takeTurn(request);
    const started = this.now();
    const controller = new AbortController();
    const stop = () => controller.abort();
    const signals = [this.signal, request.signal].filter((signal) => signal !== undefined);
    if (signals.some((signal) => signal.aborted)) throw interrupted(signals.find((signal) => signal.aborted));
    for (const signal of signals) signal.addEventListener("abort", stop, { once: true });
    const release = () => {
      for (const signal of signals) signal.removeEventListener("abort", stop);
    };
    const limitMs = request.headerTimeoutMs ?? DEFAULT_HEADER_TIMEOUT_MS;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      controller.abort();
    }, limitMs);
    try {
      const response = await this.#fetch(request.url, {
        method: request.method,
        headers: { "user-agent": USER_AGENT, ...request.headers },
        ...(request.body === undefined ? {} : { body: wireBody(request.body, request.retry) }),
        redirect: "manual",
        signal: controller.signal,
      });
      this.#trace(request, started, { status: response.status, headers: response.headers });
      return this.#answer(response, controller, release, request);
    } catch (error) {
      release();
      const ended = signals.find((signal) => signal.aborted);
      if (ended) throw interrupted(ended);
      const why = late ? `no answer within ${Math.round(limitMs / 1000)} s` : faultText(error);
      this.#trace(request, started, { fault: why });
      return networkError(request.url, why, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** All requests of a run keep the pace that the service likes, and wait when it has asked one of them to wait. */
  async #takeTurn(request: HttpRequest): Promise<void> {
    const { url, uncounted } = request;
    for (;;) {
      const { ms, reason } = this.#options.pace!.turn(hostOf(url), this.now(), !uncounted);
      if (ms === 0) return;
      this.#options.onWait?.({ ms, reason });
      await this.#sleep(ms, this.#signalOf(request));
    }
  }

  /** Ends a wait when the run is ended, and when the request is no longer wanted. */
  #signalOf({ signal }: HttpRequest): AbortSignal | undefined {
    const signals = [signal, this.signal, this.#options.waitSignal].filter((one) => one !== undefined);
    return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  }

  #answer(
    response: Response,
    controller: AbortController,
    release: () => void,
    request: HttpRequest,
  ): HttpAnswer {
    const stallMs = this.#options.stallTimeoutMs ?? 60_000;
    const signal = this.signal;
    async function* chunks() {
      const reader = response.body?.getReader();
      try {
        while (reader) {
          const { done, value } = await orStalled(reader.read(), stallMs);
          if (done) return;
          yield value;
        }
      } catch (error) {
        const ended = [signal, request.signal].find((signal) => signal?.aborted);
        throw ended ? interrupted(ended) : networkError(request.url, faultText(error), error);
      } finally {
        release();
        controller.abort();
        await reader?.cancel().catch(() => {}); // the connection is given up: nothing is left to report
      }
    }
    return {
      status: response.status,
      headers: response.headers,
      chunks,
      async text() {
        const decoder = new TextDecoder();
        let text = "";
        for await (const chunk of chunks()) text += decoder.decode(chunk, { stream: true });
        return text + decoder.decode();
      },
      async discard() {
        release();
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
 * where they belong, and the service takes each of them once only (graph-protocol U8).
 */
function wireBody(body: Uint8Array<ArrayBuffer> | string, retry: RetryRule): Blob | Uint8Array<ArrayBuffer> {
  return typeof body === "string" || retry === "refused" ? new Blob([body]) : body;
}

/** The next part of a body, or an error when it stays silent. */
function orStalled<T>(next: Promise<T>, stallMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`silent for ${Math.round(stallMs / 1000)} s`)), stallMs);
  });
  return Promise.race([next, stalled]).finally(() => clearTimeout(timer));
}

/** The id that Microsoft's support asks for, as Graph and as storage hosts name it. */
export function requestIdOf(headers: Headers): string | undefined {
  const names = ["request-id", "sprequestguid", "x-ms-request-id"];
  return names.map((name) => plainWord(headers.get(name), 64)).find((id) => id !== undefined);
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
  return withoutSecrets(text) || "connection failed";
}

function networkError(url: string, why: string, cause: unknown): GraphError {
  const host = hostOf(url);
  if (cause instanceof Deno.errors.NotCapable) {
    return new GraphError("refused", `this program may not connect to ${host}`, {
      code: "notCapable",
      hint: `run it with --allow-net=${host} as well, if you trust that host`,
    });
  }
  return new GraphError("unavailable", `cannot reach ${host}: ${why}`, {
    code: "network",
    hint:
      `check the network, and HTTPS_PROXY, NO_PROXY and DENO_TLS_CA_STORE=system if a proxy or company certificate stands between`,
  });
}
