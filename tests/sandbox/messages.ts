/** A request and an answer as the three services see them, free of the HTTP server underneath. */

/** Which of the three listeners a request came in on. */
export type Service = "login" | "graph" | "storage";

/** One request, with its target exactly as it came over the wire. */
export interface ServiceRequest {
  readonly service: Service;
  readonly method: string;
  /** Path and query, nothing decoded and nothing normalised: the colon syntax needs the raw form. */
  readonly target: string;
  /** The raw target up to the first `?`. */
  readonly path: string;
  /** The raw target after the first `?`, or "". */
  readonly query: string;
  /** Lower-case names; a repeated header is joined with ", ". */
  readonly headers: Record<string, string>;
  readonly body: RequestBody;
  /** Number of the connection, from 1 for each service. */
  readonly connection: number;
  /** Whether the connection has carried requests before this one. */
  readonly reused: boolean;
}

/** A part of a file on disk, sent as an answer body without passing through memory as a whole. */
export interface FileSpan {
  readonly file: string;
  readonly start: number;
  readonly length: number;
}

/** What a service answers. */
export interface ServiceResponse {
  status: number;
  headers: Record<string, string>;
  body: string | FileSpan;
}

/** The connection broke (or a fault broke it) before the request body was complete. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";
}

/** Where the bytes of a request come from. */
export interface BodySource {
  /** The Content-Length, or undefined. */
  readonly declaredLength: number | undefined;
  /** Whether the client used chunked transfer coding, that is, gave no length. */
  readonly chunked: boolean;
  /** The next bytes, good until the next call; undefined at the end. @throws {ConnectionLost} */
  pull(): Promise<Uint8Array | undefined>;
}

/** The bytes of a request, read at most once, never held as a whole unless {@link RequestBody.text} is asked. */
export class RequestBody {
  /** Bytes that have arrived so far. */
  received = 0;
  readonly #source: BodySource;
  #cutAfterBytes = Infinity;
  /** Whether what has arrived of a broken body is kept. */
  keptInPart = false;

  constructor(source: BodySource) {
    this.#source = source;
  }

  get declaredLength(): number | undefined {
    return this.#source.declaredLength;
  }

  get chunked(): boolean {
    return this.#source.chunked;
  }

  /** Makes the body break off once this many bytes have been read. */
  cutAfter(bytes: number, keptInPart = false): void {
    this.#cutAfterBytes = bytes;
    this.keptInPart = keptInPart;
  }

  /**
   * Hands over the bytes as they arrive. `take` has to be done with a chunk when it returns: the next one comes in the
   * same memory, which keeps uploads fast and memory flat.
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

  /** The whole body as text, for forms and JSON. Nothing is kept of a body above `limitBytes`. */
  async text(limitBytes = 1 << 20): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    await this.read((chunk) => {
      if (this.received <= limitBytes) text += decoder.decode(chunk, { stream: true });
    });
    return text + decoder.decode();
  }

  /** Reads and forgets what is left, so that the client can finish sending and read the answer. */
  drain(): Promise<void> {
    return this.read(() => {});
  }
}

/** An answer with a JSON body. */
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

/** An answer without a body. */
export function emptyResponse(status: number, headers: Record<string, string> = {}): ServiceResponse {
  return { status, headers, body: "" };
}
