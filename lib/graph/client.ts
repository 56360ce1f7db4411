/**
 * Requests to Microsoft Graph over {@linkcode HttpClient}: a token for each request, JSON, pages, errors.
 *
 * @module
 */
import type { TokenSource } from "../auth/session.ts";
import { GraphError } from "../errors.ts";
import type { HttpClient, HttpRequest } from "../http/client.ts";
import type { HttpResponse } from "../http/response.ts";
import { isJsonObject, parseJsonObject } from "../json.ts";
import { isErrorBody, parseClaimsChallenge, readServiceError, toServiceError } from "./errors.ts";

/** A request for {@linkcode GraphClient.requestJson}; the retry policy of GET is `idempotent`, otherwise `throttled`. */
export interface GraphRequest
  extends Partial<Pick<HttpRequest, "headers" | "retry" | "headerTimeoutMs" | "graceMs" | "isProgress">> {
  /** @default "GET" */
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** What is being done, as the start of an error message: `listing of General`. */
  what: string;
  /** A body to send as JSON. */
  json?: unknown;
  /** A body to send as it is. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** Whether the JSON of a success is what was requested; if not, a GET is sent again. @default any object */
  accepts?: (value: unknown) => boolean;
}

/** Sends requests to one Graph origin, with the tokens of one session. */
export class GraphClient {
  readonly http: HttpClient;
  readonly #root: URL;
  readonly #tokens: TokenSource;

  constructor(http: HttpClient, apiOrigin: string, tokens: TokenSource) {
    this.http = http;
    this.#root = new URL("/v1.0", apiOrigin);
    this.#tokens = tokens;
  }

  /** The same client over another transport. */
  withHttp(http: HttpClient): GraphClient {
    return new GraphClient(http, this.#root.origin, this.#tokens);
  }

  /** Sends a request and reads the JSON of a success; the path is encoded and below `/v1.0`, or a whole URL. */
  async requestJson<T>(path: string, request: GraphRequest): Promise<T> {
    return (await this.#exchangeJson<T>(path, request)).value;
  }

  /** As {@linkcode GraphClient.requestJson} with PUT; status 201 means created, 200 replaced. */
  put<T>(path: string, request: Omit<GraphRequest, "method">): Promise<{ value: T; status: number }> {
    return this.#exchangeJson<T>(path, { ...request, method: "PUT" });
  }

  /** Sends a request and returns the response of any status; its body must be read or discarded. */
  request(path: string, request: GraphRequest): Promise<HttpResponse> {
    return this.#exchange(path, request, (response) => Promise.resolve(response));
  }

  #exchangeJson<T>(path: string, request: GraphRequest): Promise<{ value: T; status: number }> {
    const { what, accepts = isJsonObject } = request;
    return this.#exchange(path, request, async (response) => {
      const { status } = response;
      if (status < 200 || status > 299) throw await readServiceError(response, what);
      const text = await response.text();
      const value = parseJsonObject(text);
      if (isErrorBody(value) || value === undefined || !accepts(value)) {
        throw toServiceError(response, text, what);
      }
      return { value: value as T, status };
    });
  }

  /**
   * Sends a request and reads the response. After a 401 the token is refreshed once; if that one is rejected with a claims
   * challenge, the user is asked to sign in (PROTOCOL A10).
   */
  async #exchange<T>(
    path: string,
    request: GraphRequest,
    read: (response: HttpResponse) => Promise<T>,
  ): Promise<T> {
    const url = this.#url(path);
    let token = await this.#tokens.token();
    for (let refreshes = 0;; refreshes++) {
      const outcome = await this.http.sendAndRead(toHttpRequest(url, request, token), async (response) => {
        const isFinal = refreshes === 2 ||
          (refreshes === 1 && parseClaimsChallenge(response.headers) === undefined);
        if (response.status !== 401 || isFinal) return { value: await read(response) };
        return { refused: await readServiceError(response, request.what) };
      });
      if ("value" in outcome) return outcome.value;
      const { claims } = outcome.refused;
      token = await this.#tokens.token({ claims, refused: token, again: refreshes > 0 });
    }
  }

  /**
   * The items of a collection, page by page on demand. `@odata.nextLink` is followed byte for byte; an empty page is not the
   * end, and a link that repeats is an error (PROTOCOL L7).
   *
   * @param isEntry Whether an entry is what was requested; if not, the page is requested again. @default any value
   */
  async *pages<T = unknown>(
    path: string,
    what: string,
    isEntry: (entry: unknown) => boolean = () => true,
  ): AsyncGenerator<T[]> {
    const accepts = (page: unknown) =>
      isJsonObject(page) && Array.isArray(page.value) && page.value.every(isEntry);
    const seen = new Set<string>();
    let next: string | undefined = path;
    while (next !== undefined) {
      if (seen.has(next)) {
        throw new GraphError("failed", `${what}: the service repeats the same page`, {
          code: "pageLoop",
          hint: "run the same command again; if it fails again, report it to Microsoft",
        });
      }
      seen.add(next);
      const page: { value: T[]; "@odata.nextLink"?: string | null } = await this.requestJson(next, {
        what,
        accepts,
      });
      yield page.value;
      next = page["@odata.nextLink"] || undefined;
    }
  }

  /** The token is sent to the Graph origin only, whatever a `nextLink` says. */
  #url(path: string): string {
    if (path.startsWith("/")) return this.#root.href + path;
    const url = URL.parse(path);
    if (url?.origin === this.#root.origin) return path;
    throw new GraphError("failed", `the service sent a link to another host, ${url?.host ?? "not a URL"}`, {
      code: "foreignLink",
      hint: `nothing was sent there; only ${this.#root.host} gets the access token`,
    });
  }
}

function toHttpRequest(url: string, request: GraphRequest, token: string): HttpRequest {
  const { method = "GET", retry = method === "GET" ? "idempotent" : "throttled", json, bytes } = request;
  return {
    ...request,
    method,
    url,
    headers: {
      // With the verbose form of OData, SharePoint sends errors under HTTP 200 (PROTOCOL E2).
      accept: "application/json",
      "client-request-id": crypto.randomUUID(),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
      ...request.headers,
      authorization: `Bearer ${token}`,
    },
    body: bytes ?? (json === undefined ? undefined : JSON.stringify(json)),
    retry,
  };
}
