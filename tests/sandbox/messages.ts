/** Requests and responses as the three services see them, independent of the HTTP server. */

/** The listener that received a request. */
export type Service = "login" | "graph" | "storage";

/** A request with its raw target. */
export interface ServiceRequest {
  /** Who received it. */
  readonly service: Service;
  /** Such as "GET". */
  readonly method: string;
  /** Path and query, neither decoded nor normalized: Graph's colons need the raw form. */
  readonly target: string;
  /** The raw target up to the first `?`. */
  readonly path: string;
  /** The raw target after the first `?`, or "". */
  readonly query: string;
  /** Lower-case names; a repeated header is joined with ", ". */
  readonly headers: Record<string, string>;
  /** The body, which has not been read yet. */
  readonly body: RequestBody;
  /** The number of the connection, from 1 for each service. */
  readonly connection: number;
  /** Whether the connection has served requests before this one. */
  readonly reused: boolean;
}

/** A range of a file on disk, streamed as a response body. */
export interface FileSpan {
  /** Path of the file. */
  readonly file: string;
  /** First byte. */
  readonly start: number;
  /** Number of bytes. */
  readonly length: number;
}

/** A response of a service. */
export interface ServiceResponse {
  /** HTTP status. */
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** Text, or content of a file. */
  body: string | FileSpan;
}

/** The connection broke (or a fault broke it) before the request body was complete. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";
}

/** The source of a request body. */
export interface BodySource {
  /** The Content-Length, or undefined. */
  readonly declaredLength: number | undefined;
  /** Whether the client used chunked transfer coding, without a length. */
  readonly chunked: boolean;
  /** The next bytes, valid until the next call; undefined at the end. @throws {ConnectionLost} */
  pull(): Promise<Uint8Array | undefined>;
}

/** A request body, read at most once, and never held in memory as a whole except by {@link RequestBody.text}. */
export class RequestBody {
  /** Bytes received so far. */
  received = 0;
  readonly #source: BodySource;
  #cutAfterBytes = Infinity;
  /** Whether the received part of an incomplete body is kept. */
  keptInPart = false;

  /** Reads from a connection. */
  constructor(source: BodySource) {
    this.#source = source;
  }

  /** The Content-Length, or undefined. */
  get declaredLength(): number | undefined {
    return this.#source.declaredLength;
  }

  /** Whether the client used chunked transfer coding, without a length. */
  get chunked(): boolean {
    return this.#source.chunked;
  }

  /** Ends the body with {@link ConnectionLost} after this many bytes. */
  cutAfter(bytes: number, keptInPart = false): void {
    this.#cutAfterBytes = bytes;
    this.keptInPart = keptInPart;
  }

  /**
   * Streams the body to `take`, which must be done with a chunk when it returns: the next chunk reuses its memory,
   * so that uploads stay fast and memory flat.
   *
   * @throws {ConnectionLost} when the connection ends early
   */
  async read(take: (chunk: Uint8Array) => void): Promise<void> {
    for (let chunk; (chunk = await this.#source.pull()) !== undefined;) {
      this.received += chunk.length;
      const over = this.received - this.#cutAfterBytes;
      if (over > 0) {
        if (this.keptInPart) take(chunk.subarray(0, Math.max(0, chunk.length - over)));
        throw new ConnectionLost("cut by a fault rule");
      }
      take(chunk);
    }
  }

  /** The body as text, for forms and JSON. A body above `limitBytes` is discarded. */
  async text(limitBytes = 1 << 20): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    await this.read((chunk) => {
      if (this.received <= limitBytes) text += decoder.decode(chunk, { stream: true });
    });
    return text + decoder.decode();
  }

  /** Discards the rest of the body, so that the client can finish sending and read the response. */
  drain(): Promise<void> {
    return this.read(() => {});
  }
}

/** A response with a JSON body. */
export function jsonResponse(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): ServiceResponse {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
    body: JSON.stringify(body),
  };
}

/** A response without a body. */
export function emptyResponse(status: number, headers: Record<string, string> = {}): ServiceResponse {
  return { status, headers, body: "" };
}
