/**
 * Calls to Microsoft Graph over {@linkcode Http}: a token for each call, JSON, pages, errors.
 *
 * @module
 */
import { hasShape, invalidAnswer } from "./answer_shape.ts";
import { GraphError } from "../errors.ts";
import type { Http, HttpAnswer, RetryRule } from "./http.ts";
import { demandedClaims, isErrorBody, serviceError, serviceErrorFrom } from "./service_error.ts";

/** Gives an access token for Graph, renewing it when needed. */
export interface TokenSource {
  /**
   * @param renew Asks for another token than the refused one.
   * @throws {GraphError} `signInNeeded` when only a person could help.
   */
  token(renew?: TokenRenewal): Promise<string>;
}

/** Why another token is asked for. */
export interface TokenRenewal {
  /** What the service demands of the new token (continuous access evaluation). */
  claims: string | undefined;
  /** The token that the service did not accept. */
  refused?: string;
  /** A renewed token was refused as well: only a person can help (graph-protocol A10). */
  again?: boolean;
}

/** A call of {@linkcode GraphClient.call}. */
export interface GraphCall {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** What is tried, for error messages: `listing of General`. */
  what: string;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  bytes?: Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
  /** @default "repeatable" for GET, otherwise "refused" */
  retry?: RetryRule;
  /** Longest time to the header of the answer, in milliseconds. */
  headerTimeoutMs?: number;
  /** Whether the JSON is what was asked for; a GET is otherwise tried again. */
  accepts?: (value: unknown) => boolean;
}

/** One page of a collection; what its entries are is for the caller to see. */
interface Page<T = unknown> {
  value: T[];
  "@odata.nextLink"?: string | null;
}

/** Tries of a GET whose answer is not what was asked for. */
const MOST_TRIES = 4;
/** A library holds 30 million items at most, and a page mostly 200 of them (https://learn.microsoft.com/sharepoint/limits). */
const MOST_PAGES = 150_000;
/** Pages in a row without an entry; the service sends some of them (graph-protocol L7). */
const MOST_EMPTY_PAGES = 1_000;

/** A client of one Graph origin, as one signed-in person. */
export class GraphClient {
  readonly http: Http;
  readonly #root: URL;
  readonly #tokens: TokenSource;

  /** @param apiOrigin For example `https://graph.microsoft.com`. */
  constructor(http: Http, apiOrigin: string, tokens: TokenSource) {
    this.http = http;
    this.#root = new URL("/v1.0", apiOrigin);
    this.#tokens = tokens;
  }

  /** The same client over another transport. */
  withHttp(http: Http): GraphClient {
    return new GraphClient(http, this.#root.origin, this.#tokens);
  }

  /**
   * Calls and reads the JSON of a success.
   *
   * @param path Below `/v1.0`, starting with a slash and encoded already; or a whole URL of the same origin.
   * @throws {GraphError} of the kind that fits the answer.
   */
  async call<T>(path: string, call: GraphCall): Promise<T> {
    return (await this.#json<T>(path, call)).value;
  }

  /** As {@linkcode GraphClient.call} with PUT; the status tells whether something was created (201) or replaced (200). */
  put<T>(path: string, call: Omit<GraphCall, "method">): Promise<{ value: T; status: number }> {
    return this.#json<T>(path, { ...call, method: "PUT" });
  }

  async #json<T>(path: string, call: GraphCall): Promise<{ value: T; status: number }> {
    for (let tries = 1;; tries++) {
      const answer = await this.#readJson<T>(path, call);
      if (!call.accepts || call.accepts(answer.value)) return answer;
      const error = invalidAnswer(call.what, answer.status);
      if ((call.method ?? "GET") !== "GET" || tries === MOST_TRIES) throw error;
      await this.http.wait(this.http.backoffMs(tries), error.message);
    }
  }

  async #readJson<T>(path: string, call: GraphCall): Promise<{ value: T; status: number }> {
    const answer = await this.answer(path, call);
    if (answer.status < 200 || answer.status > 299) throw await serviceError(answer, call.what);
    const text = await answer.text();
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new GraphError("failed", `${call.what}: the answer is not JSON`, {
        code: "invalidAnswer",
        hint: "a proxy may have answered in place of Microsoft Graph",
        status: answer.status,
      });
    }
    // Seen under HTTP 200 (graph-protocol E2).
    if (isErrorBody(value)) throw serviceErrorFrom(answer, text, call.what);
    return { value: value as T, status: answer.status };
  }

  /**
   * Calls and returns the answer of any status; a 401 has been tried again with a renewed token, and one that demands
   * claims again after that once more, with a token that a person has signed in for (graph-protocol A10).
   */
  async answer(path: string, call: GraphCall): Promise<HttpAnswer> {
    const url = this.#url(path);
    let refused = await this.#tokens.token();
    let answer = await this.#send(url, call, refused);
    for (let renewals = 0; answer.status === 401 && renewals < 2; renewals++) {
      const again = renewals > 0;
      if (again && demandedClaims(answer.headers) === undefined) return answer;
      const { claims } = await serviceError(answer, call.what);
      refused = await this.#tokens.token({ claims, refused, again });
      answer = await this.#send(url, call, refused);
    }
    return answer;
  }

  /**
   * The items of a collection, page by page as they are asked for. `@odata.nextLink` is followed byte for byte; an empty
   * page is not the end, and a link seen before ends the listing with an error (graph-protocol L7).
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
      if (seen.size === MOST_PAGES || empty === MOST_EMPTY_PAGES) {
        throw endlessListing(what, "sends pages without end");
      }
      seen.add(next);
      const accepts = (value: unknown) => isPage(value) && value.value.every(isEntry);
      const page: Page<T> = await this.call<Page<T>>(next, { what, accepts });
      yield page.value;
      empty = page.value.length === 0 ? empty + 1 : 0;
      next = page["@odata.nextLink"] || undefined;
    }
  }

  #send(url: string, call: GraphCall, token: string): Promise<HttpAnswer> {
    const method = call.method ?? "GET";
    const body = call.bytes ??
      (call.json === undefined ? (method === "POST" ? "" : undefined) : JSON.stringify(call.json));
    return this.http.send({
      method,
      url,
      headers: {
        // The verbose form of OData makes SharePoint answer errors under HTTP 200 (graph-protocol E2).
        accept: "application/json",
        "client-request-id": crypto.randomUUID(),
        ...(call.json === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
        authorization: `Bearer ${token}`,
      },
      ...(body === undefined ? {} : { body }),
      retry: call.retry ?? (method === "GET" ? "repeatable" : "refused"),
      ...(call.headerTimeoutMs === undefined ? {} : { headerTimeoutMs: call.headerTimeoutMs }),
    });
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

function isPage(value: unknown): value is Page {
  return hasShape(value, { "@odata.nextLink": "string" }) && Array.isArray((value as Page).value);
}

function endlessListing(what: string, how: string): GraphError {
  return new GraphError("failed", `${what}: the service ${how}`, {
    code: "pageLoop",
    hint: "run the same command again; if it stays so, report it to Microsoft",
  });
}
