/**
 * Calls to Microsoft Graph over {@linkcode HttpClient}: a token for each call, JSON, pages, errors.
 *
 * @module
 */
import type { TokenSource } from "../auth/session.ts";
import { hasShape, invalidAnswer } from "./response_shape.ts";
import { GraphError } from "../errors.ts";
import type { HttpClient, HttpRequest, HttpResponse, RetryPolicy } from "../http/client.ts";
import { isErrorBody, parseClaimsChallenge, readServiceError, toServiceError } from "./errors.ts";

/** A call of {@linkcode GraphClient.requestJson}. */
export interface GraphRequest {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** What is tried, for error messages: `listing of General`. */
  what: string;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  bytes?: Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
  /** @default "repeatable" for GET, otherwise "refused" */
  retry?: RetryPolicy;
  /** Longest time to the header of the answer, in milliseconds. @default as {@linkcode HttpClient} */
  headerTimeoutMs?: number;
  /** How long the request goes on after an interruption, in milliseconds. @default 0 */
  graceMs?: number;
  /** `false` for a question that a failure raises: its answer alone is no progress. @default true */
  isProgress?: boolean;
  /** Whether the JSON of a success is what was asked for; otherwise a GET is tried again. @default any object */
  accepts?: (value: unknown) => boolean;
}

/** One page of a collection; what its entries are is for the caller to see. */
interface Page<T = unknown> {
  value: T[];
  "@odata.nextLink"?: string | null;
}

/** A library holds 30 million items at most, and a page mostly 200 of them (https://learn.microsoft.com/sharepoint/limits). */
const MAX_PAGES = 150_000;
/** Pages in a row without an entry; the service sends some of them (PROTOCOL L7). */
const MAX_EMPTY_PAGES = 1_000;

/** A client of one Graph origin, as one signed-in person. */
export class GraphClient {
  readonly http: HttpClient;
  readonly #root: URL;
  readonly #tokens: TokenSource;

  /** @param apiOrigin For example `https://graph.microsoft.com`. */
  constructor(http: HttpClient, apiOrigin: string, tokens: TokenSource) {
    this.http = http;
    this.#root = new URL("/v1.0", apiOrigin);
    this.#tokens = tokens;
  }

  /** The same client over another transport. */
  withHttp(http: HttpClient): GraphClient {
    return new GraphClient(http, this.#root.origin, this.#tokens);
  }

  /**
   * Calls and reads the JSON of a success.
   *
   * @param path Below `/v1.0`, starting with a slash and encoded already; or a whole URL of the same origin.
   * @throws {GraphError} of the kind that fits the answer.
   */
  async requestJson<T>(path: string, call: GraphRequest): Promise<T> {
    return (await this.#json<T>(path, call)).value;
  }

  /** As {@linkcode GraphClient.requestJson} with PUT; the status tells whether something was created (201) or replaced (200). */
  put<T>(path: string, call: Omit<GraphRequest, "method">): Promise<{ value: T; status: number }> {
    return this.#json<T>(path, { ...call, method: "PUT" });
  }

  #json<T>(path: string, call: GraphRequest): Promise<{ value: T; status: number }> {
    return this.#exchange(path, call, async (answer) => {
      if (answer.status < 200 || answer.status > 299) throw await readServiceError(answer, call.what);
      const text = await answer.text();
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        throw invalidAnswer(call.what, answer.status);
      }
      // Seen under HTTP 200 (PROTOCOL E2).
      if (isErrorBody(value)) throw toServiceError(answer, text, call.what);
      const { accepts = isObject } = call;
      if (!accepts(value)) throw invalidAnswer(call.what, answer.status);
      return { value: value as T, status: answer.status };
    });
  }

  /** Calls and returns the answer of any status; its body must be read or discarded. */
  request(path: string, call: GraphRequest): Promise<HttpResponse> {
    return this.#exchange(path, call, (answer) => Promise.resolve(answer));
  }

  /**
   * Calls and reads the answer. A 401 is tried again with a refreshed token, and one that demands claims again after that
   * once more, with a token that a user has signed in for (PROTOCOL A10).
   */
  async #exchange<T>(
    path: string,
    call: GraphRequest,
    read: (answer: HttpResponse) => Promise<T>,
  ): Promise<T> {
    const url = this.#url(path);
    let token = await this.#tokens.token();
    for (let renewals = 0;; renewals++) {
      const outcome = await this.http.sendAndRead(this.#request(url, call, token), async (answer) => {
        const isFinal = renewals === 2 ||
          (renewals === 1 && parseClaimsChallenge(answer.headers) === undefined);
        if (answer.status !== 401 || isFinal) return { value: await read(answer) };
        return { refused: await readServiceError(answer, call.what) };
      });
      if ("value" in outcome) return outcome.value;
      const { claims } = outcome.refused;
      token = await this.#tokens.token({ claims, refused: token, again: renewals > 0 });
    }
  }

  /**
   * The items of a collection, page by page as they are asked for. `@odata.nextLink` is followed byte for byte; an empty
   * page is not the end, and a link seen before ends the listing with an error (PROTOCOL L7).
   *
   * @param isEntry Whether an entry is what was asked for; a page with another one is tried again. @default any will do
   */
  async *pages<T = unknown>(
    path: string,
    what: string,
    isEntry: (entry: unknown) => entry is T = (_): _ is T => true,
  ): AsyncGenerator<T[]> {
    const seen = new Set<string>();
    let next: string | undefined = path;
    for (let empty = 0; next !== undefined;) {
      if (seen.has(next)) throw endlessListing(what, "repeats the same page for ever");
      if (seen.size === MAX_PAGES || empty === MAX_EMPTY_PAGES) {
        throw endlessListing(what, "sends pages without end");
      }
      seen.add(next);
      const accepts = (value: unknown) => isPage(value) && value.value.every(isEntry);
      const page: Page<T> = await this.requestJson<Page<T>>(next, { what, accepts });
      yield page.value;
      empty = page.value.length === 0 ? empty + 1 : 0;
      next = page["@odata.nextLink"] || undefined;
    }
  }

  #request(url: string, call: GraphRequest, token: string): HttpRequest {
    const method = call.method ?? "GET";
    const body = call.bytes ??
      (call.json === undefined ? (method === "POST" ? "" : undefined) : JSON.stringify(call.json));
    return {
      method,
      url,
      headers: {
        // The verbose form of OData makes SharePoint answer errors under HTTP 200 (PROTOCOL E2).
        accept: "application/json",
        "client-request-id": crypto.randomUUID(),
        ...(call.json === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
        authorization: `Bearer ${token}`,
      },
      ...(body === undefined ? {} : { body }),
      retry: call.retry ?? (method === "GET" ? "repeatable" : "refused"),
      ...(call.headerTimeoutMs === undefined ? {} : { headerTimeoutMs: call.headerTimeoutMs }),
      ...(call.graceMs === undefined ? {} : { graceMs: call.graceMs }),
      ...(call.isProgress === undefined ? {} : { isProgress: call.isProgress }),
    };
  }

  /** The token goes to the Graph origin and to no other, whatever a `nextLink` says. */
  #url(path: string): string {
    if (path.startsWith("/")) return this.#root.href + path;
    const url = URL.canParse(path) ? new URL(path) : undefined;
    if (url?.origin !== this.#root.origin) {
      throw new GraphError(
        "failed",
        `the service sent a link to another host, ${url?.host ?? "which is none"}`,
        {
          code: "foreignLink",
          hint: `nothing was sent there; only ${this.#root.host} gets the access token`,
        },
      );
    }
    return path;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPage(value: unknown): value is Page {
  return hasShape(value, { "@odata.nextLink": "string" }) && Array.isArray((value as Page).value);
}

function endlessListing(what: string, how: string): GraphError {
  return new GraphError("failed", `${what}: the service ${how}`, {
    code: "pageLoop",
    hint: "run the same command again; if it stays so, report it to Microsoft",
  });
}
